import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isPipe, readPassword } from "./option-files.js";

const directory = mkdtempSync(join(tmpdir(), "etcdnet-option-files-"));

afterAll(() => rmSync(directory, { recursive: true }));

test("a file is read again, without the newline at its end", async () => {
  const named = { option: "--password-file", file: join(directory, "file") };
  for (const [text, password] of [
    ["one\n", "one"],
    ["two\r\n", "two"],
    [" three \n\n", " three \n"],
  ] as const) {
    await writeFile(named.file, text);
    expect(await readPassword(named)).toBe(password);
  }
  expect(isPipe(named)).toBe(false);
});

test.skipIf(process.platform === "win32")("a pipe is read once", async () => {
  const named = { option: "--password-file", file: join(directory, "pipe") };
  expect(spawnSync("mkfifo", [named.file]).status).toBe(0);
  const [first] = await Promise.all([readPassword(named), writeFile(named.file, "secret\n")]);
  expect([first, await readPassword(named), isPipe(named)]).toEqual(["secret", "secret", true]);
});
