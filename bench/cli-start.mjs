// @ts-check
// How long `etcdnet get` takes from start to end, beside Node with nothing but undici loaded:
// `node bench/cli-start.mjs [ROUNDS]`, after `npm run build`.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startEmbeddedEtcd } from "../dist/server/index.js";

/** What the start may cost at most, in times of Node and undici. */
const LIMIT = 1.5;
const ROUNDS = Number(process.argv[2] ?? 20);
const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const cwd = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

const etcd = await startEmbeddedEtcd();
await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });

/** @type {Readonly<Record<string, readonly string[]>>} */
const contenders = {
  'node -e ""': ["-e", ""],
  "node -e \"import('undici')\"": ["-e", "import('undici')"],
  "etcdnet get /a": [program, "--endpoints", etcd.url, "get", "/a"],
};

/** @type {Map<string, number[]>} */
const times = new Map(Object.keys(contenders).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, args] of Object.entries(contenders)) {
    const start = performance.now();
    await run(process.execPath, [...args], { cwd });
    times.get(name)?.push(performance.now() - start);
  }
}
await etcd.close();

// The fastest run is the one that the rest of the machine disturbed least.
const fastest = [...times].map(([name, all]) => /** @type {const} */ ([name, Math.min(...all)]));
for (const [name, time] of fastest) console.log(`${name.padEnd(30)} ${time.toFixed(0)} ms`);
const [, [, undici = 0] = [], [, get = 0] = []] = fastest;
console.log(`${(get / undici).toFixed(2)} times Node and undici; at most ${LIMIT}`);
process.exitCode = get / undici > LIMIT ? 1 : 0;
