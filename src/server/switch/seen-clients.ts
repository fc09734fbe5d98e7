import type { ClientUse } from "../../cutover/client-use.js";
import type { ServerRequest } from "../http/message.js";
import { splitTarget } from "../http/target.js";

/** Clients that are told apart; the uses of others are counted together. */
const MAX_CLIENTS = 100;
const MAX_AGENT_LENGTH = 100;

type Counts = { -readonly [Name in keyof ClientUse]: ClientUse[Name] };

/** The clients of a gateway, so that the operator sees which programs would notice a switch. */
export class SeenClients {
  readonly #clients = new Map<string, Counts>();

  get list(): readonly ClientUse[] {
    return [...this.#clients.values()];
  }

  /** Counts a request for keys. */
  add({ method, target, headers, remoteAddress = "" }: ServerRequest): void {
    const { path, query } = splitTarget(target);
    if (!path.startsWith("/v2/keys")) return;
    const agent = (headers["user-agent"] ?? "").slice(0, MAX_AGENT_LENGTH);
    const counts = this.#countsOf(remoteAddress, agent);
    if (method !== "GET" && method !== "HEAD") counts.writes++;
    else if (!/(?:^|&)wait=(?:true|t|1)(?:&|$)/i.test(query)) counts.reads++;
    else {
      counts.watches++;
      if (/(?:^|&)waitIndex=[1-9]/.test(query)) counts.indexedWatches++;
    }
  }

  #countsOf(address: string, agent: string): Counts {
    const known = this.#clients.get(`${address} ${agent}`);
    if (known !== undefined) return known;
    const isFull = this.#clients.size >= MAX_CLIENTS;
    const id = isFull ? "" : `${address} ${agent}`;
    const name = isFull ? { address: "", agent: "other clients" } : { address, agent };
    const counts = this.#clients.get(id) ?? {
      ...name,
      ...{ reads: 0, writes: 0, watches: 0, indexedWatches: 0 },
    };
    this.#clients.set(id, counts);
    return counts;
  }
}
