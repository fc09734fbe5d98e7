import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ReloadableFile } from "./reloadable-file.js";

const directory = mkdtempSync(join(tmpdir(), "etcdnet-reloadable-"));

afterAll(() => rmSync(directory, { recursive: true }));

const at = (name: string): string => join(directory, name);

test("a file is read again after every change, also right after the last one", () => {
  const file = new ReloadableFile(at("rewritten"));
  for (const text of ["one", "two", "three", "six"]) {
    writeFileSync(file.path, text);
    expect(file.read().toString()).toBe(text);
  }
});

test("a file that has not changed for a while is not read again", () => {
  const file = new ReloadableFile(at("old"));
  writeFileSync(file.path, "old");
  utimesSync(file.path, 1, 1);
  const content = file.read();
  expect(file.read()).toBe(content);
  writeFileSync(at("next"), "new");
  utimesSync(at("next"), 1, 1);
  renameSync(at("next"), file.path);
  expect(file.read().toString()).toBe("new");
});

test("links are followed, as in a Kubernetes volume, whose directory is a link that is replaced", () => {
  for (const [data, text] of [
    ["..1", "one"],
    ["..2", "two"],
  ] as const) {
    writeFileSync(at(data), text);
    symlinkSync(data, at("..new"));
    renameSync(at("..new"), at("..data"));
    if (data === "..1") symlinkSync("..data", at("password"));
    expect(new ReloadableFile(at("password")).read().toString()).toBe(text);
  }
});

test("a missing file is an error, also after it was read", () => {
  const file = new ReloadableFile(at("missing"));
  expect(() => file.read()).toThrow(/ENOENT/);
  writeFileSync(file.path, "a");
  expect(file.read().toString()).toBe("a");
  rmSync(file.path);
  expect(() => file.read()).toThrow(/ENOENT/);
});
