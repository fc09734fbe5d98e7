import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { SEED } from "../support/seed.js";
import { fuzzClient } from "./client-fuzz.js";
import type { Protocol } from "./exchange-plan.js";

/** `npm run fuzz:client` sets these for a long run; see `scripts/fuzz-client.mjs`. */
const {
  FUZZ_SEED,
  FUZZ_EXCHANGES,
  FUZZ_ONLY,
  FUZZ_PROTOCOL,
  FUZZ_LANES,
  FUZZ_NODE,
  FUZZ_FLAGS,
  FUZZ_GOES_ON,
} = process.env;
const isLong = FUZZ_EXCHANGES !== undefined;
const all: readonly Protocol[] = ["v2", "grpc", "json"];
const protocols = all.filter((protocol) => !FUZZ_PROTOCOL || protocol === FUZZ_PROTOCOL);

describeWithEtcd("3.5", "a hostile etcd", () => {
  let cluster: EtcdCluster;
  let stopChanging: () => Promise<void>;

  beforeAll(async () => {
    buildIfStale();
    cluster = await startEtcd({ release: "3.5" });
    stopChanging = await changeAllTheTime(new URL(cluster.urls[0]));
  });

  afterAll(async () => {
    await stopChanging?.();
    await cluster?.stop();
  });

  test.each(protocols)(
    "of %s cannot end, block or mislead a client",
    { timeout: isLong ? 86_400_000 : 60_000 },
    async (protocol) => {
      const { outcomes, failures, maxMemory, maxReceived } = await fuzzClient({
        protocol,
        etcd: new URL(cluster.urls[0]),
        seed: Number(FUZZ_SEED ?? SEED),
        exchanges: Number(FUZZ_EXCHANGES ?? 60),
        only: FUZZ_ONLY ? Number(FUZZ_ONLY) : undefined,
        lanes: FUZZ_LANES ? Number(FUZZ_LANES) : undefined,
        node: FUZZ_NODE,
        flags: FUZZ_FLAGS ? FUZZ_FLAGS.split(" ") : [],
        goesOn: FUZZ_GOES_ON === "1",
        progress: (done) => {
          if (isLong) process.stdout.write(`${protocol}: ${done} exchanges\n`);
        },
      });
      const counts = [...outcomes].sort(([, a], [, b]) => b - a);
      const lines = counts.map(([outcome, count]) => `${String(count).padStart(8)}  ${outcome}\n`);
      const used = `${Math.round(maxMemory / 2 ** 20)} MiB, ${maxReceived} connections and requests at most\n`;
      if (isLong) process.stdout.write(lines.join("") + used);
      expect(failures).toEqual([]);
    },
  );
});

/** Keeps both APIs changing, so that watches have events. @returns ends it */
async function changeAllTheTime(etcd: URL): Promise<() => Promise<void>> {
  const put = (path: string, body: string, type: string, method = "POST") =>
    fetch(new URL(path, etcd), { method, body, headers: { "content-type": type } });
  const form = "application/x-www-form-urlencoded";
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const change = async (key: string, value: string) => {
    await put(`/v2/keys${key}`, `value=${encodeURIComponent(value)}`, form, "PUT");
    const body = JSON.stringify({ key: base64(key), value: base64(value) });
    await put("/v3/kv/put", body, "application/json");
  };
  const instance = JSON.stringify({ owner: "x", metadata: { port: 1 } });
  for (const key of ["/a", "/d/1", "/d/2/3", "/registry/service/1"]) await change(key, "1");
  await change("/d/registered/1", instance);
  let isOver = false;
  const changing = (async () => {
    for (let count = 0; !isOver; count++) {
      await change(count % 2 === 0 ? "/a" : "/d/1", `${count}`).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return async () => {
    isOver = true;
    await changing;
  };
}
