import { afterAll, beforeAll } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import type { Outcome, RunOptions, Started } from "../foreign/run.js";
import { etcdnet, startEtcdnet } from "./etcdnet.js";

/** `etcdnet` and a client on an embedded etcd for one test file. */
export interface CliSession {
  readonly url: string;
  readonly etcd: EtcdClient;
  /** Runs a command that must succeed. Returns its output. */
  print(...args: readonly string[]): Promise<string>;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  start(...args: readonly string[]): Started;
}

export function cliSession(): CliSession {
  let server: EmbeddedEtcd | undefined;
  let client: EtcdClient | undefined;
  beforeAll(async () => {
    buildIfStale();
    server = await startEmbeddedEtcd();
    client = new EtcdClient({ urls: [server.url] });
  });
  afterAll(async () => {
    await client?.close();
    await server?.close();
  });
  const env = (more: NodeJS.ProcessEnv = {}) => ({ ETCDCTL_ENDPOINTS: server?.url, ...more });
  const session: CliSession = {
    get url() {
      return server?.url ?? "";
    },
    get etcd() {
      if (client === undefined) throw new Error("the session runs during tests only");
      return client;
    },
    run: (args, options) => etcdnet(args, { ...options, env: env(options?.env) }),
    async print(...args) {
      const { code, stdout, stderr } = await session.run(args);
      if (code !== 0) throw new Error(`etcdnet ${args.join(" ")} ended with ${code}: ${stderr}`);
      return stdout;
    },
    start: (...args) => startEtcdnet(args, { env: env() }),
  };
  return session;
}
