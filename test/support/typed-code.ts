/** Compiles pieces of code of the documentation, as a reader would write them. */

import { join } from "node:path";
import ts from "typescript";
import { root } from "../../scripts/project.mjs";
import * as client from "../../src/index.js";

/** A piece of code in a file. */
export interface Code {
  /** File and line. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

/** Names that fragments use and that the reader has, or that come from an earlier fragment. */
const READERS_NAMES = `
import type { AsyncLocalStorage as Storage } from "node:async_hooks";
import type * as channels from "node:diagnostics_channel";
import type * as fs from "node:fs";
import type * as client from "etcdnet";
declare global {
  const etcd: client.EtcdClient;
  const node: client.EtcdNode;
  const error: any;
  const response: client.EtcdNodeResponse;
  const held: client.LockHandle;
  const kept: client.KeepAlive;
  const { readFileSync }: typeof fs;
  const { readFile }: typeof fs.promises;
  const AsyncLocalStorage: typeof Storage;
  const { subscribe }: typeof channels;
  const tracingChannel: (name: string) => any;
  const schema: client.ConfigSchema<unknown>;
  const [ca, cert, id, key, old, password, username, value]: [string, string, string, string, string, string, string, string];
  const endpoints: readonly string[];
  const [index, prevIndex, ttl]: number[];
  const [job, order, report]: string[];
  const [apply, nameOf, reconnect, replaceAll]: ((...args: any[]) => any)[];
  const [store, tracer, SpanStatusCode]: any[];
${declarationsOf(client, "client")}
}
`;

/** Declarations of everything that an entry exports, as if a fragment had imported it. */
function declarationsOf(entry: object, name: string): string {
  return Object.keys(entry)
    .map((each) => `  const ${each}: typeof ${name}.${each};`)
    .join("\n");
}

/** Node types the messages of all diagnostics channels as unknown. */
const UNTYPED_MESSAGE = /type 'ChannelListener'/;

/** What the compiler says about pieces of code that are each a module. */
export function problemsOf(codes: readonly Code[]): readonly string[] {
  const sources = new Map(
    codes.map(({ language, text }, number) => [
      join(root, "docs", `code-${number}.${language}`),
      // An ellipsis stands for code of the reader.
      `${text.replaceAll("…", "")}\nexport {};`,
    ]),
  );
  sources.set(join(root, "docs", "readers-names.d.ts"), READERS_NAMES);
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowJs: true,
    checkJs: true,
    // JavaScript has no place for these types.
    noImplicitAny: false,
    useUnknownInCatchVariables: false,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = sources.get(file);
    return text === undefined
      ? getSourceFile(file, ...rest)
      : ts.createSourceFile(file, text, ts.ScriptTarget.ES2023);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const places = [...codes.map((code) => code.place), "READERS_NAMES"];
  return [...sources.keys()].flatMap((file, number) => {
    const source = program.getSourceFile(file);
    const found = source === undefined ? [] : ts.getPreEmitDiagnostics(program, source);
    return found.flatMap(({ messageText, start = 0, length = 0 }) => {
      const message = ts.flattenDiagnosticMessageText(messageText, " ");
      const code = sources.get(file)?.slice(start, start + length);
      return UNTYPED_MESSAGE.test(message) ? [] : [`${places[number]}: ${message}: ${code}`];
    });
  });
}
