import { expect, it } from "vitest";
import { describeWithEtcd } from "../support/etcd.js";
import { type CampaignResult, runCampaign } from "./campaign.js";
import { DEVIATIONS } from "./deviations.js";

/** `npm run fuzz` sets these for a long run; see `scripts/fuzz.mjs`. */
const { FUZZ_SEED, FUZZ_REQUESTS, FUZZ_EXPIRIES, FUZZ_PATH } = process.env;
const isLong = FUZZ_REQUESTS !== undefined;
const requests = Number(FUZZ_REQUESTS ?? 4_000);

describeWithEtcd("3.4", "differential fuzz", () => {
  it(`answers ${requests} random requests as etcd 3.4 does`, { timeout: 86_400_000 }, async () => {
    const started = Date.now();
    const result = await runCampaign({
      seed: Number(FUZZ_SEED ?? 20_261_122),
      requests,
      expiries: Number(FUZZ_EXPIRIES ?? 2),
      ...(FUZZ_PATH && { path: FUZZ_PATH }),
      progress(sent) {
        const seconds = Math.round((Date.now() - started) / 1000);
        if (isLong) process.stdout.write(`${sent} requests after ${seconds} s\n`);
      },
    });
    if (isLong) process.stdout.write(summary(result));
    expect(result.failure).toBeUndefined();
    if (!FUZZ_PATH) expect(result.requests).toBeGreaterThanOrEqual(requests);
  });
});

function summary({ outcomes, requests: sent, sequences, unsteady }: CampaignResult): string {
  const counts = [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = counts.map(([kind, count]) => `${String(count).padStart(8)}  ${kind}`);
  const total = `${sent} requests in ${sequences} sequences`;
  const left = Object.entries(DEVIATIONS).map(([ours, theirs]) => `  ${ours}; ${theirs}`);
  const once = unsteady.map((difference) => `Differed once and not again: ${difference}`);
  return `${[...lines, total, ...once, "Left out, since we mean to differ:", ...left].join("\n")}\n`;
}
