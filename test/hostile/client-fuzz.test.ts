import { expect, test } from "vitest";
import { SEED } from "../support/seed.js";
import { fuzzClient } from "./client-fuzz.js";

/** `npm run fuzz:client` sets these for a long run; see `scripts/fuzz-client.mjs`. */
const { FUZZ_SEED, FUZZ_EXCHANGES, FUZZ_ONLY, FUZZ_PROTOCOL, FUZZ_NODE, FUZZ_FLAGS } = process.env;
const isLong = FUZZ_EXCHANGES !== undefined;
const protocols = (["http1", "http2"] as const).filter(
  (protocol) => !FUZZ_PROTOCOL || protocol === FUZZ_PROTOCOL,
);

test.each(protocols)(
  "no server of %s ends a client's process or keeps a call",
  {
    timeout: isLong ? 86_400_000 : 60_000,
  },
  async (protocol) => {
    const { outcomes, failures } = await fuzzClient({
      protocol,
      seed: Number(FUZZ_SEED ?? SEED),
      exchanges: Number(FUZZ_EXCHANGES ?? 150),
      only: FUZZ_ONLY ? Number(FUZZ_ONLY) : undefined,
      node: FUZZ_NODE,
      flags: FUZZ_FLAGS ? FUZZ_FLAGS.split(" ") : [],
      progress: (done) => {
        if (isLong) process.stdout.write(`${protocol}: ${done} exchanges\n`);
      },
    });
    const counts = [...outcomes].sort(([, a], [, b]) => b - a);
    const lines = counts.map(([outcome, count]) => `${String(count).padStart(8)}  ${outcome}\n`);
    if (isLong) process.stdout.write(lines.join(""));
    expect(failures).toEqual([]);
  },
);
