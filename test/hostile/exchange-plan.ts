import { clientCertificate } from "../support/certificates.js";
import { CALLS } from "./client-calls.mjs";
import { GATEWAY_CALLS } from "./gateway-call.mjs";
import { AUTH_CALLS } from "./key-calls.mjs";
import type { Random } from "./random.js";

/** The API and the transport between client and server. */
export type Protocol = "v2" | "grpc" | "json";

/** A server that must not receive anything, and the server under test. */
export interface Addresses {
  readonly url: string;
  /** An origin that the client does not know. */
  readonly bystander: string;
}

/** What the client does with a hostile server, once. The process of the client reads it as JSON. */
export interface ExchangePlan {
  readonly index: number;
  /** Name of the lie that every response is; undefined: random lies. */
  readonly lie: string | undefined;
  /** Of the client; undefined: the client of the previous exchange is used again. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly call: string;
  /** Milliseconds after which the call is aborted. */
  readonly abortAfter: number | undefined;
  /** Milliseconds after which the client is closed. */
  readonly closeAfter: number | undefined;
  /** Texts that no error may contain. */
  readonly secrets: readonly string[];
}

/** The names of the calls of an API. */
export function callNames(protocol: Protocol): readonly string[] {
  const others = protocol === "v2" ? GATEWAY_CALLS : AUTH_CALLS;
  return Object.keys(CALLS).filter((name) => !(name in others));
}

/** The client's credentials. Only the server under test may receive them. */
const USERNAME = "user";
const PASSWORD = "the-secret-password";
export const BASIC = Buffer.from(`${USERNAME}:${PASSWORD}`).toString("base64");

export function planExchange(
  random: Random,
  index: number,
  context: {
    readonly addresses: Addresses;
    readonly protocol: Protocol;
    readonly isOpen: boolean;
    /** A lie and a call to begin with. */
    readonly known: { readonly lie: string; readonly call: string } | undefined;
  },
): ExchangePlan {
  const { known, isOpen } = context;
  const isFresh = !isOpen || known !== undefined || random.chance(0.3);
  const after = () => random.pick(0, 1, 5, 20, 60, 100);
  const isDisturbed = known === undefined;
  return {
    index,
    lie: known?.lie,
    options: isFresh ? optionsOf(random, context) : undefined,
    call: known?.call ?? random.pick("get", ...callNames(context.protocol)),
    abortAfter: isDisturbed && random.chance(0.2) ? after() : undefined,
    closeAfter: isDisturbed && random.chance(0.1) ? after() : undefined,
    secrets: [PASSWORD, BASIC],
  };
}

function optionsOf(
  random: Random,
  { addresses: { url }, protocol }: { addresses: Addresses; protocol: Protocol },
) {
  const twoEndpoints = [url, url.replace("127.0.0.1", "localhost")];
  const isSecure = url.startsWith("https:");
  const { cert, key } = clientCertificate("client");
  return {
    urls: random.chance(0.2) ? twoEndpoints : [url],
    api: protocol === "v2" ? "v2" : "v3",
    ...(random.chance(0.5) && { username: USERNAME, password: PASSWORD }),
    ...(isSecure && random.chance(0.5) && { x509Certificate: { cert, key } }),
    ignoreCertificateError: true,
    requestTimeout: random.pick(150, 300, 600),
    writeTimeout: random.pick(150, 300, 600),
    connectTimeout: random.pick(150, 300),
    timeout: 800,
    maxResponseSize: random.pick(500, 20_000, 200_000),
    maxConnections: random.pick(1, 4, 256),
    hedgeReadsAfter: random.pick(0, 0, 20),
    retryUnknownWrites: random.chance(0.2),
    endpointSelection: random.pick("random", "random", "leader"),
    autoSync: random.chance(0.2) ? 1_000 : false,
    // The server as a proxy that leads to itself.
    useProxy: protocol !== "grpc" && random.chance(0.05) ? url.replace("https:", "http:") : false,
  };
}
