/** Faults of HTTP/2, which carries gRPC. */

import { Http2Proxy, type StreamFault } from "./http2-proxy.js";
import { type Nemesis, release, take, V3_SYSTEMS } from "./nemesis.js";

/** Streams are refused or reset, and connections end with GOAWAY, between some callers and all members. */
export const http2Faults: Nemesis = {
  name: "http2-streams",
  systems: V3_SYSTEMS,
  lastsMs: [4_000, 8_000],
  async start(environment, random) {
    const { members, links } = environment.system;
    const toMembers = links.filter(({ to }) => members.some(({ name }) => name === to));
    const callers = [...new Set(toMembers.map(({ from }) => from))];
    const one = callers[Math.floor(random() * callers.length)];
    const some = callers.filter((caller) => caller === one || random() < 0.5);
    const possible = toMembers.filter(({ from }) => some.includes(from));
    const chosen = take(environment, possible, random, possible.length);
    if (chosen.length === 0) return undefined;
    environment.note(chosen.map(({ from, to }) => `${from}-${to}`).join(", "));
    const proxies = await Promise.all(
      chosen.map(({ proxy }) => Http2Proxy.before(proxy.target, () => faultOf(random()))),
    );
    for (const [index, { proxy }] of chosen.entries()) {
      proxy.target = proxies[index]?.url ?? proxy.target;
      await proxy.cut();
    }
    return async () => {
      for (const { to, proxy } of chosen) {
        proxy.target = members.find(({ name }) => name === to)?.url ?? proxy.target;
        await proxy.cut();
      }
      for (const proxy of proxies) proxy.close();
      release(environment, chosen);
    };
  },
};

function faultOf(dice: number): StreamFault {
  if (dice < 0.1) return "refuse";
  if (dice < 0.2) return "reset";
  return dice < 0.3 ? "goaway" : "pass";
}
