import { execFileSync } from "node:child_process";
import {
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { steppedFiles } from "../../test/support/stepped-files.mjs";
import { FileWriteError } from "./file-write-error.js";
import { replaceFile } from "./replace-file.js";

const OLD = "old\n".repeat(100);
const NEW = "new\n".repeat(3000);

let top = "";
let directory = "";
let file = "";

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), "etcdnet-files-"));
});
afterAll(() => rm(top, { recursive: true }));

beforeEach(async () => {
  directory = await mkdtemp(join(top, "d-"));
  file = join(directory, "file");
});

async function* piecesOf(text: string): AsyncGenerator<string, void, undefined> {
  for (let start = 0; start < text.length; start += 4000) yield text.slice(start, start + 4000);
}

const write = (text = NEW, options = {}): Promise<void> =>
  replaceFile(file, piecesOf(text), options);
const content = (): Promise<string> => readFile(file, "utf8");
const mode = async (): Promise<number> => (await stat(file)).mode & 0o777;

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: from the test`), { code });
}

/** The steps of a write, in order. */
async function stepsOf(act: (fs: ReturnType<typeof steppedFiles>) => Promise<void>) {
  const steps: string[] = [];
  await act(steppedFiles((step) => void steps.push(step)));
  return steps;
}

describe("the file", () => {
  it("has the new content, and only its owner can read it", async () => {
    await write();
    expect([await content(), await mode()]).toEqual([NEW, 0o600]);
    await writeFile(file, OLD, { mode: 0o644 });
    await write();
    expect([await content(), await mode()]).toEqual([NEW, 0o600]);
    expect(await readdir(directory)).toEqual(["file"]);
  });

  it("is synchronized to disk before the rename, and its directory after it", async () => {
    expect(await stepsOf((fs) => write("new", { fs }))).toEqual([
      ...["open", "write", "sync", "close", "rename"],
      ...["open directory", "sync directory", "close directory"],
    ]);
  });

  it.each(["EIO", "ENOSPC", "EDQUOT"])(
    "has the complete old or new content when a step fails with %s",
    async (code) => {
      const steps = await stepsOf((fs) => write(NEW, { fs }));
      expect(steps.length).toBeGreaterThan(8);
      for (const failing of steps.keys()) {
        await writeFile(file, OLD);
        let step = 0;
        const fs = steppedFiles(() => {
          if (step++ === failing) throw failure(code);
        });
        const written = write(NEW, { fs });
        await expect(written).rejects.toBeInstanceOf(FileWriteError);
        await expect(written).rejects.toMatchObject({ code });
        await expect(written).rejects.toThrow(`file ${file} cannot be written: ${code}`);
        const isInPlace = failing > steps.indexOf("rename");
        expect(await content()).toBe(isInPlace ? NEW : OLD);
        expect(await readdir(directory)).toEqual(["file"]);
      }
    },
  );

  it("has the new content if the system cannot synchronize directories", async () => {
    const fs = steppedFiles((step) => {
      if (step === "open directory") throw failure("EISDIR");
    });
    await write(NEW, { fs });
    expect(await content()).toBe(NEW);
  });

  it("is unchanged if its new content fails", async () => {
    await writeFile(file, OLD);
    const reason = new Error("no contact");
    const broken = async function* () {
      yield "new";
      throw reason;
    };
    await expect(replaceFile(file, broken())).rejects.toBe(reason);
    expect([await content(), await readdir(directory)]).toEqual([OLD, ["file"]]);
  });

  it("is unchanged if the write is aborted", async () => {
    await writeFile(file, OLD);
    const end = new AbortController();
    const aborting = async function* () {
      yield "new";
      end.abort("told to end");
    };
    const { signal } = end;
    await expect(replaceFile(file, aborting(), { signal })).rejects.toBe("told to end");
    expect([await content(), await readdir(directory)]).toEqual([OLD, ["file"]]);
  });

  it("is unchanged if the write is not confirmed at the end", async () => {
    await writeFile(file, OLD);
    const confirm = () => Promise.reject(new Error("somebody else has it"));
    await expect(write(NEW, { confirm })).rejects.toThrow("somebody else has it");
    expect([await content(), await readdir(directory)]).toEqual([OLD, ["file"]]);
  });

  it("is that of one of two concurrent writers", async () => {
    const texts = ["a".repeat(50_000), "b".repeat(80_000)];
    await Promise.all(texts.map((text) => write(text)));
    for (let round = 0; round < 20; round++) {
      await Promise.all([...texts.map((text) => write(text)), content()]);
      expect(texts).toContain(await content());
    }
    expect(await readdir(directory)).toEqual(["file"]);
  });
});

describe("the existing file", () => {
  it("if it is a symbolic link, is refused", async () => {
    const victim = join(directory, "victim");
    await writeFile(victim, OLD);
    await symlink(victim, file);
    await expect(write()).rejects.toThrow(
      `file ${file} cannot be written: it is a symbolic link; name the file that it points to`,
    );
    expect(await readFile(victim, "utf8")).toBe(OLD);
    await rm(victim);
    await expect(write()).rejects.toThrow("it is a symbolic link");
    expect(await readdir(directory)).toEqual(["file"]);
  });

  it("if it is a directory, is refused", async () => {
    await mkdir(file);
    await expect(write()).rejects.toThrow(
      `file ${file} cannot be written: it is a directory; name`,
    );
  });

  it("if it is a pipe, is written and stays a pipe", async () => {
    execFileSync("mkfifo", [file]);
    const [text] = await Promise.all([content(), write()]);
    expect(text).toBe(NEW);
    expect((await stat(file)).isFIFO()).toBe(true);
  });

  it("if it is a device or an open file of the process, is written", async () => {
    await replaceFile("/dev/null", piecesOf(NEW));
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
    await using open = await openFile(join(directory, "open"), "w");
    await replaceFile(`/dev/fd/${open.fd}`, piecesOf(NEW));
    expect(await readFile(join(directory, "open"), "utf8")).toBe(NEW);
  });

  it("causes an error that names a missing directory", async () => {
    file = join(directory, "none", "file");
    await expect(write()).rejects.toThrow(
      /cannot be written: ENOENT.*; it is unchanged: create the directory .*none$/,
    );
  });
});

describe("a temporary file of a killed process", () => {
  const leftover = (): string => `${file}.0123456789abcdef.tmp`;

  it("is removed when it is old; other files stay", async () => {
    await writeFile(leftover(), "half");
    await writeFile(`${file}.tmp`, "another");
    await write();
    expect((await readdir(directory)).length).toBe(3);
    await utimes(leftover(), new Date(0), new Date(0));
    await write();
    expect((await readdir(directory)).toSorted()).toEqual(["file", "file.tmp"]);
  });
});
