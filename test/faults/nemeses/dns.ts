/** Names that point to other addresses. */

import { chooseLinks } from "./links.js";
import { type Nemesis, release, SINGLE_CLUSTERS, take } from "./nemesis.js";

/**
 * Servers move to another address, and nothing responds at the old one. Their names point to the new one. Old
 * connections are closed, or stay open and nothing passes on them.
 */
export const dns: Nemesis = {
  name: "dns",
  systems: SINGLE_CLUSTERS,
  lastsMs: [11_000, 13_000],
  successWithinMs: 10_000,
  isLong: true,
  async start(environment, random) {
    // Other systems than Linux have only one loopback address.
    if (process.platform !== "linux") return undefined;
    const { names } = environment.system;
    const links = take(environment, chooseLinks(environment, random), random, Infinity);
    if (links.length === 0) return undefined;
    const address = names.nextAddress();
    const connections = random() < 0.5 ? "cut" : "freeze";
    const moved = links.map(({ name }) => name).join(", ");
    environment.note(`moves ${moved} to ${address}, old connections: ${connections}`);
    for (const { name, proxy } of links) {
      await proxy.moveTo(address, connections);
      names.point(name, address);
    }
    // They stay there.
    return () => release(environment, links);
  },
};
