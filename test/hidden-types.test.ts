import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { declarationProgram, leaksOf, ownFiles } from "../scripts/hidden-types.mjs";

const folder = mkdtempSync(join(tmpdir(), "etcdnet-types-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("npm run check refuses declarations that show hidden types", () => {
  const program = declare({
    "index.d.ts": `
      export { Lock } from "./lock.js";
      export { type Options, retry } from "./options.js";
      export type { Named as Renamed } from "./named.js";`,
    "server/index.d.ts": 'export { serve } from "./serve.js";',
    "lock.d.ts": `
      import type { Hidden } from "./hidden.js";
      import type { Named } from "./named.js";
      export declare class Lock {
        constructor(hidden: Hidden);
        /** For tests. @internal */
        peek(): string;
        renamed(): Named;
        static limits: typeof import("./hidden.js").LIMITS;
      }`,
    "hidden.d.ts": `
      export interface Hidden { readonly deeper: Deeper }
      interface Deeper { readonly a: string }
      export declare const LIMITS: readonly number[];`,
    "named.d.ts": "export interface Named { readonly a: AbortSignal }",
    "options.d.ts": `
      interface Base { readonly a?: string }
      /** Not seen by anybody. */
      export interface Unseen { readonly hidden: import("./hidden.js").Hidden }
      export interface Options extends Base { readonly own: Options }
      export declare function retry<T>(task: (options: T) => Promise<T>): Promise<T>;`,
    "server/serve.d.ts":
      'export declare function serve(handle: (inner: import("../inner.js").Inner) => void): void;',
    "inner.d.ts": "export type Inner = { readonly a: string };",
    "unreached.d.ts": "/** @internal */ export type Unreached = string;",
  });

  expect(leaksOf(program.program, program.entries, folder).sort()).toEqual([
    "hidden.d.ts:2: refers to Deeper, which no entry exports",
    "lock.d.ts:5: refers to Hidden, which no entry exports",
    "lock.d.ts:6: is marked @internal",
    "lock.d.ts:9: refers to LIMITS, which no entry exports",
    "options.d.ts:5: refers to Base, which no entry exports",
    "server/serve.d.ts:1: refers to Inner, which no entry exports",
  ]);
  const published = ownFiles(program.program, folder).map(({ fileName }) => fileName);
  expect(published).toHaveLength(8);
  expect(published).not.toContain(join(folder, "unreached.d.ts"));
});

function declare(files: Readonly<Record<string, string>>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const entries = ["index.d.ts", "server/index.d.ts"].map((path) => join(folder, path));
  return { entries, program: declarationProgram(entries) };
}
