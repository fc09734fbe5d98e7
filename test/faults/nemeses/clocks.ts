/** Wall clocks that jump. */

import { ALL_SYSTEMS, GATEWAY_SYSTEMS, type Nemesis, namesOf, release, take } from "./nemesis.js";

const HOUR_MS = 3_600_000;
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS;
const SHIFTS_MS = [HOUR_MS, -HOUR_MS, TEN_YEARS_MS, -TEN_YEARS_MS];

export const clientClock: Nemesis = {
  name: "client-clock",
  systems: ALL_SYSTEMS,
  lastsMs: [3_000, 8_000],
  async start(environment, random) {
    const ms = shiftOf(random);
    const clients = environment.workers.flatMap((worker) =>
      worker.settings.clients.map(({ number }) => ({ worker, number })),
    );
    const chosen = clients.filter(() => random() < 0.4);
    environment.note(`${ms / HOUR_MS} h at clients ${chosen.map(({ number }) => number).join()}`);
    const shift = (to: number) =>
      chosen.map(({ worker, number: client }) =>
        worker.order({ kind: "shift-clock", client, ms: to }),
      );
    await Promise.all(shift(ms));
    return async () => {
      await Promise.all(shift(0));
    };
  },
};

export const gatewayClock: Nemesis = {
  name: "gateway-clock",
  systems: GATEWAY_SYSTEMS,
  lastsMs: [3_000, 8_000],
  async start(environment, random) {
    const ms = shiftOf(random);
    const gateways = take(environment, environment.system.gateways, random);
    if (gateways.length === 0) return undefined;
    environment.note(`${ms / HOUR_MS} h at ${namesOf(gateways)}`);
    for (const gateway of gateways) gateway.shiftClock(ms);
    return () => {
      for (const gateway of gateways) gateway.shiftClock(0);
      release(environment, gateways);
    };
  },
};

function shiftOf(random: () => number): number {
  return SHIFTS_MS[Math.floor(random() * SHIFTS_MS.length)] ?? 0;
}
