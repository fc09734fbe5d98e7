import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/project.mjs";
import { etcdnet, startEtcdnet } from "../cli/etcdnet.js";
import { cliSession } from "../cli/session.js";
import { run } from "../foreign/run.js";

const OLD = "old\n";
const NEW = "new\n".repeat(3000);
/** A port without a server. */
const NOBODY = ["--endpoints", "http://127.0.0.1:1"];

const cli = cliSession();
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-safety-"));
  await cli.etcd.setNode("/app/a", "1");
  await cli.etcd.setNode("/large", "x".repeat(200_000));
});
afterAll(() => rm(directory, { recursive: true }));

const newDirectory = (): Promise<string> => mkdtemp(join(directory, "d-"));

describe("a process that is killed while it writes a file", () => {
  it("leaves the complete old or new content, at every step", async () => {
    const inside = await newDirectory();
    const writer = join(inside, "killed-writer.mjs");
    const entryPoints = [join(root, "test/files/killed-writer.mjs")];
    buildSync({ entryPoints, outfile: writer, bundle: true, platform: "node", format: "esm" });
    const contentAfter = async (step: number): Promise<string> => {
      const file = join(inside, String(step));
      await writeFile(file, OLD);
      expect((await run(process.execPath, [writer, file, String(step)])).code).toBeNull();
      return await readFile(file, "utf8");
    };
    const unharmed = await run(process.execPath, [writer, join(inside, "0"), "0"]);
    const steps = Array.from({ length: Number(unharmed.stdout) }, (_, index) => index + 1);
    expect(steps.length).toBeGreaterThan(8);
    const contents = new Set(await Promise.all(steps.map(contentAfter)));
    expect(contents).toEqual(new Set([OLD, NEW]));
  });
});

describe("etcdnet export --file", () => {
  it("does not change the file when the cluster is unreachable or the key is missing", async () => {
    const inside = await newDirectory();
    const file = join(inside, "export");
    await writeFile(file, OLD);
    const unreachable = await etcdnet([...NOBODY, "export", "/", "--file", file]);
    expect([unreachable.code, await readFile(file, "utf8")]).toEqual([2, OLD]);
    const missing = await cli.run(["export", "/app", "--hidden", "/app/_none", "--file", file]);
    expect([missing.code, await readFile(file, "utf8")]).toEqual([4, OLD]);
    expect(await readdir(inside)).toEqual(["export"]);
  });

  it("names a directory that it cannot write in, before it sends a request", async () => {
    const file = join(directory, "none", "export");
    const { code, stderr } = await etcdnet([...NOBODY, "export", "/", "--file", file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: {2}file .*: create the directory .*none\n$/);
  });

  it("refuses a symbolic link, and makes a readable file private", async () => {
    const [file, link] = [join(directory, "readable"), join(directory, "link")];
    await writeFile(file, OLD);
    await chmod(file, 0o644);
    await symlink(file, link);
    const { code, stderr } = await cli.run(["export", "/", "--file", link]);
    expect([code, await readFile(file, "utf8")]).toEqual([1, OLD]);
    expect(stderr).toContain("it is a symbolic link");
    await cli.print("export", "/", "--file", file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("writes to the names of standard output, and to a pipe", async () => {
    const direct = await cli.print("export", "/app");
    for (const name of ["-", "/dev/stdout"]) {
      expect(await cli.print("export", "/app", "--file", name)).toBe(direct);
    }
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [text] = await Promise.all([
      readFile(pipe, "utf8"),
      cli.print("export", "/app", "--file", pipe),
    ]);
    expect(text).toBe(direct);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "leaves nothing behind when %s ends it",
    async (signal) => {
      await using silent = await silentServer();
      const inside = await newDirectory();
      const file = join(inside, "export");
      await writeFile(file, OLD);
      const exporting = startEtcdnet(["--endpoints", silent.url, "export", "/", "--file", file]);
      await silent.asked;
      expect(await readdir(inside)).toHaveLength(2);
      exporting.child.kill(signal);
      expect((await exporting.ended).code).toBe(signal === "SIGINT" ? 130 : 143);
      expect([await readdir(inside), await readFile(file, "utf8")]).toEqual([["export"], OLD]);
    },
  );

  it("keeps the old file and fails when the disk is full", async ({ skip }) => {
    await using disk = await smallDisk();
    if (disk === undefined) return skip("only root can mount a small disk");
    const file = join(disk.path, "export");
    await writeFile(file, OLD);
    const { code, stderr } = await cli.run(["export", "/", "--file", file]);
    expect([code, await readFile(file, "utf8")]).toEqual([1, OLD]);
    expect(stderr).toMatch(
      /^Error: {2}file .* cannot be written: ENOSPC[^\n]*; it is unchanged\n$/,
    );
    expect(await readdir(disk.path)).toEqual(["export"]);
  });
});

describe("etcdnet import", () => {
  it("reads a named pipe", async () => {
    const text = await cli.print("export", "/app");
    const pipe = join(directory, "source");
    execFileSync("mkfifo", [pipe]);
    const [outcome] = await Promise.all([
      cli.run(["import", "--overwrite", pipe]),
      writeFile(pipe, text),
    ]);
    expect(outcome).toMatchObject({ code: 0, stderr: "2 keys and directories were written\n" });
  });

  it("leaves no copy of its input behind", async () => {
    const [temporary, pipe] = [await newDirectory(), join(directory, "endless")];
    execFileSync("mkfifo", [pipe]);
    const importing = startEtcdnet([...NOBODY, "import", pipe], { env: { TMPDIR: temporary } });
    await using writer = await open(pipe, "w");
    await writer.writeFile("text");
    const copy = expect.stringContaining(temporary);
    await expect.poll(() => openFiles(importing.child.pid)).toContainEqual(copy);
    await expect.poll(() => readdir(temporary)).toEqual([]);
    importing.child.kill("SIGKILL");
    await importing.ended;
  });

  it("names the directory to which it cannot copy its standard input", async () => {
    const temporary = join(directory, "none");
    const env = { TMPDIR: temporary };
    const { code, stderr } = await cli.run(["import"], { env, input: "text" });
    expect(code).toBe(1);
    expect(stderr).toContain(`standard input: cannot be copied to ${temporary}: ENOENT`);
    expect(stderr).toContain("set TMPDIR to a directory with enough space");
  });
});

/** Paths of the files that a process has open. */
async function openFiles(pid = 0): Promise<readonly string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory);
  return await Promise.all(names.map((name) => readlink(join(directory, name)).catch(() => "")));
}

/** A server that accepts requests and never responds. */
async function silentServer() {
  const server = createServer();
  const asked = once(server, "connection").then(([socket]) => once(socket, "data"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const close = async (): Promise<void> => void server.close();
  return { url: `http://127.0.0.1:${port}`, asked, [Symbol.asyncDispose]: close };
}

/** A file system of 64 KiB; nothing where it cannot be mounted. */
async function smallDisk() {
  const path = join(directory, "disk");
  await mkdir(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return { path, [Symbol.asyncDispose]: async () => void execFileSync("umount", [path]) };
}
