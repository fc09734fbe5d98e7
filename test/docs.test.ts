/** Runs every code block of README.md and docs/ that is a complete program, as a reader pastes it. */

import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildIfStale, root } from "../scripts/project.mjs";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../src/server/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "./support/etcd.js";

/** Its tests run processes. With more at a time on two cores, each would meet its timeouts. */
vi.setConfig({ maxConcurrency: 5 });

interface Program {
  /** File and line. */
  readonly place: string;
  readonly text: string;
  /** What the following block says that it prints. */
  readonly printed?: string | undefined;
}

const URL_OF_ETCD = "http://127.0.0.1:2379";
/** A fixed port in a program. The test replaces it with any free port. */
const OWN_PORT = /\bport: [1-9]\d*/;

const files = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const programs = files.filter((file) => file.endsWith(".md")).flatMap(programsIn);

/** Blocks that begin with an import and end with a close, or are a test file of Node. The others are fragments. */
function programsIn(file: string): readonly Program[] {
  const content = readFileSync(join(root, file), "utf8");
  const blocks = content.matchAll(/^```([jt]s)\n(import .*?)^```(?:\n\n```text\n(.*?)^```)?/gms);
  return [...blocks].flatMap(({ index, 1: language, 2: code = "", 3: printed }) => {
    const text = language === "ts" ? withoutTypes(code) : code;
    const ends = /\bclose\(\);$/.test(text.trimEnd()) || /from "node:test"/.test(text);
    const isWhole = ends && !text.includes("readFileSync");
    const place = `${file}:${content.slice(0, index).split("\n").length}`;
    return isWhole ? [{ place, text, printed }] : [];
  });
}

/** As a compiler writes it. Node 20 does not run TypeScript. */
function withoutTypes(text: string): string {
  const { ESNext } = ts.ModuleKind;
  return ts.transpile(text, { module: ESNext, target: ts.ScriptTarget.ES2022 });
}

async function run({ text }: Program, url: string): Promise<string> {
  const code = text.replaceAll(URL_OF_ETCD, url).replace(OWN_PORT, "port: 0");
  const args = ["--input-type=module", "--eval", code];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    timeout: 150_000,
  });
  return stdout;
}

beforeAll(buildIfStale);

test("the documentation contains programs", () => {
  expect(programs.length).toBeGreaterThan(10);
});

describeWithEtcd("3.4", "a program of the documentation", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.4" });
  });
  afterAll(() => etcd?.stop());

  test.concurrent.each(programs)(
    "$place runs unchanged, prints what the page says, and ends by itself",
    async (program) => {
      const printed = await run(program, etcd.urls[0]);
      if (program.printed !== undefined) expect(printed).toBe(program.printed);
    },
  );
});

test("the first program of the README works even if its watch arrives after its write", async () => {
  const [first = { place: "", text: "" }] = programs;
  await using etcd = await startEmbeddedEtcd();
  const late = await lateWatches(etcd);
  try {
    expect(await run(first, late.url)).toBe("hello\ngood evening\n");
  } finally {
    late.close();
  }
});

/** A proxy that delays watches until both writes of the program are done. */
async function lateWatches(etcd: EmbeddedEtcd): Promise<{ url: string; close(): void }> {
  const writes = new EventEmitter();
  let done = 0;
  const proxy = createServer(async (incoming, outgoing) => {
    const { method, headers, url = "/" } = incoming;
    if (url.includes("wait=true") && done < 2) await once(writes, "both done");
    const inner = request(new URL(url, etcd.url), { method, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(outgoing);
    });
    incoming.pipe(inner);
    if (method === "PUT") {
      outgoing.once("finish", () => ++done === 2 && writes.emit("both done"));
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => proxy.close().closeAllConnections(),
  };
}
