import type { Random } from "./random.js";

/** What the client does with a hostile server, once. The process of the client reads it as JSON. */
export interface ExchangePlan {
  readonly index: number;
  /** Of the client; undefined: that of the exchange before is used once more. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly call: (typeof CALLS)[number];
  /** Milliseconds after which the call is aborted. */
  readonly abortAfter: number | undefined;
  /** Milliseconds after which the client is closed. */
  readonly closeAfter: number | undefined;
}

const CALLS = [
  "get",
  "list",
  "set",
  "create in order",
  "compare and swap",
  "delete",
  "watch once",
  "watch",
  "open watch",
  "members",
  "version",
  "health",
  "stats",
] as const;

export function planExchange(
  random: Random,
  index: number,
  server: { readonly url: string; readonly api: "v2" | "v3"; readonly isOpen: boolean },
): ExchangePlan {
  const isFresh = !server.isOpen || random.chance(0.3);
  const after = () => random.pick(0, 1, 5, 20, 60, 100);
  return {
    index,
    options: isFresh ? optionsOf(random, server) : undefined,
    call: random.pick(...CALLS),
    abortAfter: random.chance(0.3) ? after() : undefined,
    closeAfter: random.chance(0.1) ? after() : undefined,
  };
}

function optionsOf(random: Random, { url, api }: { url: string; api: "v2" | "v3" }) {
  const twoEndpoints = [url, url.replace("127.0.0.1", "localhost")];
  return {
    urls: random.chance(0.2) ? twoEndpoints : [url],
    api,
    ignoreCertificateError: true,
    requestTimeout: random.pick(60, 150, 300),
    writeTimeout: random.pick(60, 150, 300),
    connectTimeout: random.pick(60, 300),
    timeout: 400,
    maxResponseSize: random.pick(500, 20_000, 200_000),
    maxConnections: random.pick(1, 4, 256),
    hedgeReadsAfter: random.pick(0, 0, 20),
    retryUnknownWrites: random.chance(0.2),
    endpointSelection: random.pick("random", "random", "leader"),
    // The server as a proxy that leads to itself.
    useProxy: random.chance(0.1) ? url.replace("https:", "http:") : false,
  };
}
