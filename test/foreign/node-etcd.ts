import { createRequire } from "node:module";
import { join } from "node:path";
import { installed, type Missing, must } from "./install.js";

/** What is used of the npm package node-etcd, which has no types. */
export interface NodeEtcd {
  set(key: string, value: string, ...rest: Rest): unknown;
  get(key: string, ...rest: Rest): Cancellable;
  create(directory: string, value: string, ...rest: Rest): unknown;
  del(key: string, ...rest: Rest): unknown;
  mkdir(key: string, ...rest: Rest): unknown;
  rmdir(key: string, ...rest: Rest): unknown;
  compareAndSwap(key: string, value: string, expected: string, ...rest: Rest): unknown;
  compareAndDelete(key: string, expected: string, ...rest: Rest): unknown;
  raw(method: string, path: string, value: string | null, ...rest: Rest): unknown;
  watch(key: string, ...rest: Rest): Cancellable;
  watchIndex(key: string, index: number, ...rest: Rest): Cancellable;
  watcher(key: string, index?: number | null, options?: object): NodeEtcdWatcher;
  machines(callback: Callback): unknown;
  leader(callback: Callback): unknown;
  leaderStats(callback: Callback): unknown;
  selfStats(callback: Callback): unknown;
  version(callback: Callback): unknown;
}

interface Cancellable {
  cancel(): void;
}

export interface NodeEtcdWatcher extends NodeJS.EventEmitter {
  stop(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies are what the server says, for `expect` to judge
export type Body = any;
type Headers = Readonly<Record<string, string | undefined>>;
type Callback = (error: Error | null, body: Body, headers: Headers) => void;
type Rest = [callback: Callback] | [options: object, callback: Callback];

/** The package: how to make a client, and where it is. */
export interface NodeEtcdPackage {
  readonly directory: string;
  readonly NodeEtcd: new (hosts: readonly string[]) => NodeEtcd;
}

export function findNodeEtcd(): NodeEtcdPackage | Missing {
  const directory = installed("node-etcd-7.0.0", (work) => {
    must("npm", ["install", "--no-audit", "--no-fund", "--prefix", ".", "node-etcd@7.0.0"], {
      cwd: work,
    });
  });
  if (typeof directory !== "string") return directory;
  try {
    return { directory, NodeEtcd: createRequire(join(directory, "index.js"))("node-etcd") };
  } catch (error) {
    return { missing: `node-etcd does not load: ${error}` };
  }
}

type Call = (done: Callback) => unknown;

/** Of a call that is to succeed. */
export function answer(call: Call): Promise<{ readonly body: Body; readonly headers: Headers }> {
  return new Promise((resolve, reject) => {
    call((error, body, headers) => (error ? reject(error) : resolve({ body, headers })));
  });
}

/** The error of what is to fail, as plain data. */
export async function refusal(call: Call): Promise<unknown> {
  const error = await answer(call).then(
    ({ body }) => {
      throw new Error(`not refused, but answered ${JSON.stringify(body)}`);
    },
    (reason: Error & { errorCode?: number; error?: unknown }) => reason,
  );
  const { errorCode, error: body, message } = error;
  return { errorCode, error: body, message };
}
