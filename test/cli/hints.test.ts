import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient, isEtcdError } from "../../src/index.js";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { etcdnet } from "./etcdnet.js";
import { cliSession } from "./session.js";
import { hasTerminal, onTerminal } from "./terminal.js";

const cli = cliSession();

beforeAll(async () => {
  await cli.etcd.setNode("/dir/a", "1");
  await cli.etcd.setNode("/dir/sub/b", "1");
  await cli.etcd.setNode("/file", "1");
});

describe("the second line of an error says what to use instead:", () => {
  it.concurrent.each([
    ["get /dir", /^\/dir: is a directory\nHint: {3}etcdnet ls \/dir lists it\n$/],
    ["rm /dir", /\nHint: {3}it is a directory; etcdnet rm --dir \/dir .* --recursive .*\n$/],
    [
      "rm --dir /dir",
      /\nHint: {3}etcdnet rm --recursive \/dir removes it with everything in it\n$/,
    ],
    ["rmdir /dir", /\nHint: {3}etcdnet rm --recursive \/dir removes it with everything in it\n$/],
    [
      "set /dir 1",
      /\nHint: {3}it is a directory, which has no value; etcdnet ls \/dir shows .*\n$/,
    ],
    ["update /dir 1", /\nHint: {3}it is a directory, .*\n$/],
    ["setdir /dir", /\nHint: {3}the directory exists already; etcdnet updatedir changes .*\n$/],
    ["get /none", /^Error: {2}100: Key not found \(\/none\) \[\d+\]\n$/],
  ])("%s", async (line, text) => {
    const { stderr } = await cli.run(line.split(" "));
    expect(stderr).toMatch(text);
  });
});

describe("an option that another command has is named with that command:", () => {
  it.concurrent.each([
    [
      "set --recursive /a 1",
      "unknown option '--recursive'; it is an option of etcdnet get, rm, ls, ",
    ],
    ["ls --with-value 1 /a", "unknown option '--with-value'; it is an option of etcdnet rm"],
    ["ls -f /a", "unknown option '-f'; it is an option of etcdnet watch"],
    ["member list --peer 1", "unknown option '--peer'"],
    ["completion --endpoints x bash", "; --endpoints is a global option, for commands that use a"],
    ["get --qorum /a", "unknown option '--qorum' (Did you mean --quorum?)"],
  ])("%s", async (line, text) => {
    const { code, stderr } = await cli.run(line.split(" "));
    expect(code).toBe(1);
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/^Error: {2}[^\n]+\n$/);
  });
});

it("a refused connection to this machine says how to start a server", async () => {
  const { code, stderr } = await etcdnet(["--endpoints", "http://127.0.0.1:1", "get", "/a"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/etcd is running \(npx etcdnet serve starts one\)\n$/);
});

describe("when etcd refuses the user", () => {
  let server: EmbeddedEtcd;
  let folder = "";
  beforeAll(async () => {
    server = await startEmbeddedEtcd({ rootPassword: "right" });
    folder = await mkdtemp(join(tmpdir(), "etcdnet-hints-"));
    await writeFile(join(folder, "password"), "s3cret");
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await server.close();
  });

  it.each([
    ["set", "/a", "1"],
    ["user", "list"],
  ])("no user was given: %s", async (...command) => {
    const { stderr } = await etcdnet(["--endpoints", server.url, ...command]);
    expect(stderr).toMatch(
      /\nHint: {3}no user was given; name one with --username and --password-file\n$/,
    );
  });

  it("the password may be wrong", async () => {
    const args = ["--endpoints", server.url, "get", "/a"];
    const env = { ETCDNET_PASSWORD_FILE: join(folder, "password") };
    for (const user of ["root", "root:s3cret"]) {
      const { code, stderr } = await etcdnet([...args, "-u", user], { env });
      expect(code).toBe(4);
      expect(stderr).toMatch(/\nHint: {3}check the password of root \([^\n]+grants this access\n$/);
      expect(stderr).not.toContain("s3cret");
    }
  });
});

describe("the client", () => {
  it("says how a directory is deleted and listed", async () => {
    const { etcd } = cli;
    const message = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => "",
        (error: unknown) =>
          isEtcdError(error, "NotFile") || isEtcdError(error, "DirNotEmpty")
            ? error.message
            : error,
      );
    expect(await message(etcd.deleteNode("/dir"))).toMatch(
      /\[etcd error 102\]; it is a directory: dir: true deletes it .* recursive: true /,
    );
    expect(await message(etcd.deleteNode("/dir", { dir: true }))).toMatch(
      /\[etcd error 108\]; recursive: true deletes it with everything in it$/,
    );
    expect(await message(etcd.getNodeValue("/dir"))).toMatch(
      /; it is a directory: getNode lists it$/,
    );
    expect(await message(etcd.compareAndDeleteNode("/dir", { prevValue: "1" }))).toMatch(/102\]$/);
  });

  it.each([
    [{ hosts: "a" }, "hosts: is not an option of EtcdClient (did you mean urls?); it takes urls, "],
    [{ enpoints: "a" }, "enpoints: is not an option of EtcdClient (did you mean endpoints?)"],
    [{ colour: "a" }, "colour: is not an option of EtcdClient; it takes urls, "],
  ])("knows what was meant with %j", (options, text) => {
    expect(() => new EtcdClient(options as object)).toThrow(text);
  });

  it("knows what was meant with an option of a call", () => {
    return expect(cli.etcd.setNode("/a", "1", { tll: 1 } as object)).rejects.toThrow(
      "tll: is not an option of this call (did you mean ttl?); it takes ttl, ",
    );
  });
});

describe("rm --recursive", () => {
  const question = /Remove \/asked with 2 nodes below it, not counting hidden ones\? \[y\/N\] /;
  beforeAll(() => cli.etcd.setNode("/asked/sub/b", "1"));

  it.skipIf(!hasTerminal)("asks on a terminal", async () => {
    const env = { ETCDNET_ENDPOINTS: cli.url };
    const no = onTerminal(["rm", "-r", "/asked"], env);
    await expect.poll(no.printed).toMatch(question);
    no.type("\n");
    expect(await no.ended).toMatchObject({ code: 1 });
    expect(no.printed()).toContain("nothing was removed");
    expect(await cli.etcd.getNodeValue("/asked/sub/b")).toBe("1");

    const interrupted = onTerminal(["rm", "-r", "/asked"], env);
    await expect.poll(interrupted.printed).toMatch(question);
    interrupted.type("\u0003");
    expect(await interrupted.ended).toMatchObject({ code: 1 });

    const yes = onTerminal(["rm", "-r", "/asked"], env);
    await expect.poll(yes.printed).toMatch(question);
    yes.type("y\n");
    expect(await yes.ended).toMatchObject({ code: 0 });
    expect(await cli.etcd.getNode("/asked", { ignoreKeyNotFound: true })).toBeNull();
  });

  it.skipIf(!hasTerminal)("does not ask with --yes, nor for a file", async () => {
    const env = { ETCDNET_ENDPOINTS: cli.url };
    await cli.etcd.setNode("/asked/again", "1");
    await cli.etcd.setNode("/asked-file", "1");
    for (const args of [
      ["rm", "-r", "--yes", "/asked"],
      ["rm", "-r", "/asked-file"],
    ]) {
      const { ended, printed } = onTerminal(args, env);
      expect([(await ended).code, printed()]).toEqual([0, expect.not.stringContaining("[y/N]")]);
    }
  });

  it("does not ask without a terminal", async () => {
    await cli.etcd.setNode("/asked/again", "1");
    expect(await cli.run(["rm", "-r", "/asked"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});
