/** Faults between callers and servers: clients, gateways and members. */

import type { Fault } from "../../support/fault-proxy.js";
import type { Link } from "../system.js";
import { ALL_SYSTEMS, type FaultEnvironment, type Nemesis, release, take } from "./nemesis.js";

const FAULTS: Readonly<Record<string, Fault>> = {
  "link-hang": "hang",
  "link-hold": "hold",
  "link-refuse": "refuse",
  "link-cut-in-response": "cut in response",
  "link-cut-after-request": "cut after request",
  "link-slow": "late",
};

export const linkFaults: readonly Nemesis[] = Object.entries(FAULTS).map(([name, fault]) => ({
  name,
  systems: ALL_SYSTEMS,
  lastsMs: [3_000, 8_000],
  async start(environment, random) {
    const links = take(environment, chooseLinks(environment, random), random, Infinity);
    if (links.length === 0) return undefined;
    environment.note(`${fault}: ${links.map(({ from, to }) => `${from}-${to}`).join(", ")}`);
    await Promise.all(links.map(({ proxy }) => proxy.become(fault)));
    return async () => {
      await Promise.all(links.map(({ proxy }) => proxy.become("pass")));
      release(environment, links);
    };
  },
}));

/** The links of one caller, those to one server, or about half of all. */
export function chooseLinks({ system }: FaultEnvironment, random: () => number): readonly Link[] {
  const { links } = system;
  const dice = random();
  const one = links[Math.floor(random() * links.length)];
  if (dice < 0.35) return links.filter(({ from }) => from === one?.from);
  if (dice < 0.7) return links.filter(({ to }) => to === one?.to);
  return links.filter(() => random() < 0.5);
}
