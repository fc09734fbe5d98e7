// @ts-check
/** Start-up and memory: of the command, of each entry, and of an idle client, gateway and embedded server. */
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";
import { figure, median, mode, publish } from "./measured.mjs";
import { table } from "./report.mjs";

const ROOT = new URL("..", import.meta.url);
const LESS = /** @type {const} */ ({ better: "less", digits: 1 });
const rounds = { long: 15, quick: 5, check: 1 }[mode()];
const run = promisify(execFile);

/** What an idle process has done; `""` is Node alone. @type {Readonly<Record<string, (url: string) => Promise<unknown>>>} */
const IDLE = {
  "Node alone": async () => {},
  client: async (url) => {
    const { EtcdClient } = await import("../dist/index.js");
    await new EtcdClient({ urls: [url], api: "v3" }).setNode("/a", "1");
  },
  gateway: async (url) => {
    const { createGateway } = await import("../dist/server/index.js");
    const gateway = await createGateway({ etcd: { urls: [url] } });
    await (await fetch(`${gateway.url}/v2/keys/a`)).text();
  },
  "embedded server": async () => {
    const { startEmbeddedEtcd } = await import("../dist/server/index.js");
    const server = await startEmbeddedEtcd();
    await (await fetch(`${server.url}/v2/keys/`)).text();
  },
};

const [, , what = "", url = ""] = process.argv;
if (what === "") await measure();
else await idle(what);

/** @param {string} kind */
async function idle(kind) {
  await IDLE[kind]?.(url);
  globalThis.gc?.();
  process.on("disconnect", () => process.exit());
  process.send?.({ rss: process.memoryUsage.rss() });
}

async function measure() {
  const binary = ensureEtcd("3.7");
  if ("missing" in binary) throw new Error(binary.missing);
  const etcd = await startEtcdProcess({ binary: binary.path });
  try {
    await memory(etcd.url);
    await starts(etcd.url);
  } finally {
    await etcd.remove();
  }
}

/** @param {string} url of etcd */
async function memory(url) {
  const rows = [];
  for (const kind of Object.keys(IDLE)) {
    const sizes = [];
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      const child = fork(fileURLToPath(import.meta.url), [kind, url], {
        execArgv: ["--expose-gc"],
      });
      sizes.push((await once(child, "message"))[0].rss / 2 ** 20);
      child.disconnect();
      await once(child, "exit");
    }
    const size = median(sizes);
    figure(`memory of an idle process: ${kind}`, size, { unit: "MiB", ...LESS });
    rows.push([kind, size.toFixed(0)]);
  }
  publish("memory", table(["idle process", "MiB RSS"], rows));
}

/** @param {string} url of etcd */
async function starts(url) {
  const file = (/** @type {string} */ name) => fileURLToPath(new URL(name, ROOT));
  const imported = (/** @type {string} */ name) => ["-e", `import(${JSON.stringify(name)})`];
  /** @type {Readonly<Record<string, readonly string[]>>} */
  const programs = {
    "Node alone": ["-e", ""],
    "import of undici": imported("undici"),
    "import of etcdnet": imported(file("dist/index.js")),
    "import of etcdnet/server": imported(file("dist/server/index.js")),
    "etcdnet get": [file("dist/cli/main.js"), "--api", "v3", "--endpoints", url, "get", "/a"],
  };
  /** @type {Map<string, number[]>} */
  const times = new Map(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(programs)) {
      const begun = performance.now();
      await run(process.execPath, [...args], { cwd: fileURLToPath(ROOT) });
      times.get(name)?.push(performance.now() - begun);
    }
  }
  const rows = [];
  const base = median(times.get("import of undici") ?? []);
  for (const [name, all] of times) {
    const time = median(all);
    figure(`start: ${name}`, time, { unit: "ms", ...LESS });
    figure(`start: ${name} ÷ import of undici`, time / base, { better: "less" });
    rows.push([name, time.toFixed(0), (time / base).toFixed(2)]);
  }
  publish("start", table(["process, from its start to its end", "ms", "÷ import of undici"], rows));
}
