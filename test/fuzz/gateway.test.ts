import { expect, it } from "vitest";
import { describeWithEtcd } from "../support/etcd.js";
import { runCampaign } from "./campaign.js";
import { startGatewayPair, startSourceGatewayPair } from "./gateway-pair.js";

/** `npm run fuzz -- --gateway` sets these for a long run. */
const { FUZZ_SEED, FUZZ_REQUESTS, FUZZ_PATH } = process.env;
const requests = Number(FUZZ_REQUESTS ?? 600);

const KINDS = [
  ["3.7", "differential fuzz of the gateway", startGatewayPair],
  ["3.4", "differential fuzz of the gateway for v2", startSourceGatewayPair],
] as const;

for (const [release, name, start] of KINDS) {
  describeWithEtcd(release, name, () => {
    it(`answers ${requests} random requests as etcd 3.4 does`, {
      timeout: 86_400_000,
    }, async () => {
      const result = await runCampaign({
        seed: Number(FUZZ_SEED ?? 20_261_122),
        requests,
        expiries: 0,
        start,
        ...(FUZZ_PATH && { path: FUZZ_PATH }),
        progress: (sent) => process.stdout.write(`${sent} requests\n`),
      });
      if (FUZZ_REQUESTS)
        process.stdout.write(`${result.requests} requests; once: ${result.unsteady.length}\n`);
      expect(result.failure).toBeUndefined();
    });
  });
}
