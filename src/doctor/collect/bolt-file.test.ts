import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BoltFile } from "./bolt-file.js";

const PAGE = 4096;
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "etcdnet-bolt-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function fnv64a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

function metaPage(number: number, root: number, transaction: number): Buffer {
  const page = Buffer.alloc(PAGE);
  page.writeUInt32LE(number, 0);
  page.writeUInt16LE(4, 8);
  const meta = page.subarray(16);
  meta.writeUInt32LE(0xed0cdaed, 0);
  meta.writeUInt32LE(2, 4);
  meta.writeUInt32LE(PAGE, 8);
  meta.writeBigUInt64LE(BigInt(root), 16);
  meta.writeBigUInt64LE(BigInt(transaction), 48);
  meta.writeBigUInt64LE(fnv64a(meta.subarray(0, 56)), 56);
  return page;
}

type Entry = readonly [flags: number, key: string, value: Buffer];

function leafPage(entries: readonly Entry[], size = PAGE): Buffer {
  const page = Buffer.alloc(size);
  page.writeUInt16LE(2, 8);
  page.writeUInt16LE(entries.length, 10);
  let data = 16 + entries.length * 16;
  for (const [at, [flags, key, value]] of entries.entries()) {
    const element = 16 + at * 16;
    page.writeUInt32LE(flags, element);
    page.writeUInt32LE(data - element, element + 4);
    page.writeUInt32LE(key.length, element + 8);
    page.writeUInt32LE(value.length, element + 12);
    page.write(key, data);
    value.copy(page, data + key.length);
    data += key.length + value.length;
  }
  return page;
}

function branchPage(pages: readonly number[]): Buffer {
  const page = Buffer.alloc(PAGE);
  page.writeUInt16LE(1, 8);
  page.writeUInt16LE(pages.length, 10);
  for (const [at, number] of pages.entries())
    page.writeBigUInt64LE(BigInt(number), 16 + at * 16 + 8);
  return page;
}

/** A bucket in a page of its own, or inside of its parent. */
function bucket(root: number, inline: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(BigInt(root), 0);
  return Buffer.concat([head, inline]);
}

function open(...pages: readonly Buffer[]): BoltFile {
  const path = join(directory, "db");
  writeFileSync(path, Buffer.concat(pages));
  return new BoltFile(path);
}

const value = (text: string): Buffer => Buffer.from(text);
const inline = bucket(0, leafPage([[0, "k", value("v")]], 64));

test("reads buckets in pages, below branches, and inside of their parent", () => {
  using file = open(
    ...[metaPage(0, 2, 7), metaPage(1, 9, 6)],
    leafPage([
      [1, "small", inline],
      [1, "large", bucket(3)],
    ]),
    ...[branchPage([4, 5]), leafPage([[0, "a", value("1")]]), leafPage([[0, "b", value("2")]])],
  );
  expect(file.bucket("small")).toEqual(new Map([["k", value("v")]]));
  expect(file.bucket("large")).toEqual(
    new Map([
      ["a", value("1")],
      ["b", value("2")],
    ]),
  );
  expect(file.bucket("other")).toEqual(new Map());
});

test("uses the other meta page if the newer one was not written completely", () => {
  const torn = metaPage(1, 9, 8);
  torn.fill(0, 60);
  using file = open(metaPage(0, 2, 7), torn, leafPage([[1, "small", inline]]));
  expect(file.bucket("small").size).toBe(1);
});

test.each<[string, () => readonly Buffer[]]>([
  ["an empty file", () => []],
  ["a file of another program", () => [Buffer.alloc(3 * PAGE, "x")]],
  ["a page behind the end", () => [metaPage(0, 7, 1), metaPage(1, 7, 1)]],
  ["a cycle of pages", () => [metaPage(0, 2, 1), metaPage(1, 2, 1), branchPage([2, 2])]],
  ["a page of an unknown type", () => [metaPage(0, 2, 1), metaPage(1, 2, 1), Buffer.alloc(PAGE)]],
  [
    "too many keys in a page",
    () => [metaPage(0, 2, 1), metaPage(1, 2, 1), Object.assign(leafPage([]), { 10: 255, 11: 255 })],
  ],
])("refuses %s", (_, pages) => {
  expect(() => {
    using file = open(...pages());
    file.bucket("any");
  }).toThrow(/is not a valid v3 store/);
});
