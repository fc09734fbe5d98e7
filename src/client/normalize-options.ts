import { BasicAuth } from "../cluster/routing/basic-auth.js";
import type { ClusterSettings } from "../cluster/routing/cluster-settings.js";
import { OptionError } from "../errors/option-error.js";
import { similarName } from "../errors/similar-name.js";
import type { V3Credentials } from "../etcd3/remote-v3-api.js";
import { isReservedPrefix } from "../key-space/v3/schema/key-schema.js";
import { systemClock } from "../time/clock.js";
import { type JsonDeserializer, readJson } from "../wire/json.js";
import { certificatesOf } from "./certificates.js";
import { isAuthorities, isCertificate } from "./is-certificate.js";
import type { EtcdClientOptions } from "./options.js";
import { passwordSourceOf } from "./password-source.js";
import { checkTlsOptions } from "./tls-options.js";
import { type UnifiedOptions, unifyOptions } from "./unify-options.js";

/** Complete settings of a client on a remote key space. */
export interface ClientSettings {
  readonly api: "v2" | "v3";
  readonly cluster: ClusterSettings;
  /** Whether unknown outcomes of writes are resolved. */
  readonly resolvesUnknownWrites: boolean;
  /** Without a trailing slash. */
  readonly keyPrefix: string;
  /** For the v3 API, which has no Basic auth. */
  readonly credentials: V3Credentials | undefined;
  readonly deserialize: JsonDeserializer;
}

type OptionName = keyof EtcdClientOptions;
type Check = (value: unknown) => string | undefined;

const AUTO_SYNC_INTERVAL_MS = 60_000;

const type =
  (name: "string" | "boolean" | "function" | "object"): Check =>
  (value) =>
    typeof value === name && value !== null ? undefined : `must be a ${name}`;

const oneOf =
  (...choices: readonly string[]): Check =>
  (value) =>
    choices.some((choice) => choice === value)
      ? undefined
      : `must be ${choices.map(quoted).join(" or ")}`;

/** Environment variables with the URLs of proxies. */
const PROXY_VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];

const integerFrom =
  (min: number, unit: string): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) < 2 ** 31
      ? undefined
      : `must be a whole number of ${unit}, at least ${min}`;

const proxy: Check = (value) => {
  if (value === true) return problemOfProxyVariables();
  return value === false || isProxyUrl(value) ? undefined : "must be true, false or an http(s) URL";
};

const CHECKS: Readonly<Record<OptionName, Check>> = {
  urls: (value) =>
    Array.isArray(value) && value.length > 0 ? undefined : "must be a list of at least one URL",
  endpoints: (value) =>
    typeof value === "string" || (Array.isArray(value) && value.length > 0)
      ? undefined
      : "must be a URL, or a list of at least one URL",
  discoverySrv: type("string"),
  api: oneOf("v2", "v3"),
  keyPrefix: (value) => {
    if (typeof value !== "string" || !value.isWellFormed() || value.includes("\0")) {
      return "must be a well-formed string without zero characters";
    }
    return isReservedPrefix(value)
      ? 'must not begin with "etcdnet_", which is reserved'
      : undefined;
  },
  keySpace: type("object"),
  clusterApi: type("object"),
  username: type("string"),
  password: (value) =>
    typeof value === "string" || typeof value === "function"
      ? undefined
      : "must be a string, or a function that returns one or a promise of one",
  ca: (value) =>
    typeof value === "function" || isAuthorities(value)
      ? undefined
      : "must be a PEM text, a list of them, or a function that returns them",
  x509Certificate: (value) =>
    typeof value === "function" || isCertificate(value)
      ? undefined
      : "must be { cert, key } as PEM texts, { pfx } as a Buffer, or a function that returns them",
  ignoreCertificateError: type("boolean"),
  tls: type("object"),
  useProxy: proxy,
  proxy,
  connectTimeout: integerFrom(1, "milliseconds"),
  requestTimeout: integerFrom(1, "milliseconds"),
  writeTimeout: integerFrom(1, "milliseconds"),
  timeout: integerFrom(1, "milliseconds"),
  consistency: oneOf("local", "quorum"),
  endpointSelection: oneOf("random", "leader"),
  autoSync: (value) =>
    typeof value === "boolean" ? undefined : integerFrom(1, "milliseconds, or true")(value),
  hedgeReadsAfter: integerFrom(0, "milliseconds"),
  retryUnknownWrites: (value) =>
    typeof value === "boolean" || value === "safe" ? undefined : 'must be true, false or "safe"',
  maxResponseSize: integerFrom(1, "bytes"),
  maxConnections: integerFrom(1, "connections"),
  jsonDeserializer: type("function"),
  clock: type("object"),
};

/** Options that have an effect together with `keySpace`. */
const OPTIONS_WITH_KEY_SPACE: ReadonlySet<OptionName> = new Set([
  "keySpace",
  "clusterApi",
  "consistency",
  "clock",
]);

/** Names that other clients give to options, in lower case. */
const OTHER_NAMES: ReadonlyMap<string, OptionName> = new Map([
  ...["host", "hosts", "server", "servers", "node", "nodes", "url"].map(
    (name) => [name, "urls"] as const,
  ),
  ["user", "username"],
  ["pass", "password"],
  ["auth", "username"],
  ["prefix", "keyPrefix"],
  ["cert", "tls"],
  ["key", "tls"],
  ["sslopts", "tls"],
  ["ssl", "tls"],
]);

/** Checks each option and their combination. @throws TypeError naming the option */
export function checkOptions(options: EtcdClientOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(
      "options",
      'must be an object such as { urls: ["http://127.0.0.1:2379"] }',
    );
  }
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as OptionName] : undefined;
    if (check === undefined) throw unknownOption(name);
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) throw new OptionError(name, problem);
  }
  if (options.tls !== undefined) checkTlsOptions(options.tls);
  unifyOptions(options);
  checkTogether(options);
}

function unknownOption(name: string): TypeError {
  const known = Object.keys(CHECKS);
  const meant = OTHER_NAMES.get(name.toLowerCase()) ?? similarName(name, known);
  const question = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  const problem = `is not an option of EtcdClient${question}`;
  return new OptionError(name, problem, `it takes ${known.join(", ")}`);
}

function checkTogether(options: EtcdClientOptions): void {
  const given = (name: OptionName): boolean => options[name] !== undefined;
  const sources = (["urls", "endpoints", "discoverySrv", "keySpace"] as const).filter(given);
  if (sources.length === 0) {
    throw new OptionError(
      "urls",
      "is missing",
      'pass at least one, e.g. ["http://127.0.0.1:2379"]',
    );
  }
  if (sources.length > 1) throw new OptionError(sources.join(", "), "pass only one of them");
  if (given("username") !== given("password")) {
    throw new OptionError("username, password", "one requires the other");
  }
  if (options.api !== "v3" && options.username?.includes(":")) {
    throw new OptionError(
      "username",
      "must not contain a colon, because Basic auth ends the name there",
    );
  }
  if (given("clusterApi") && !given("keySpace")) {
    throw new OptionError("clusterApi", "is only valid with keySpace");
  }
  if (given("keyPrefix") && options.api !== "v3") {
    throw new OptionError(
      "keyPrefix",
      'is only valid with api: "v3"',
      "use namespace() for a subtree",
    );
  }
  if (given("jsonDeserializer") && options.api === "v3") {
    throw new OptionError("jsonDeserializer", 'has no effect with api: "v3"', "omit it");
  }
  const names = Object.keys(options) as OptionName[];
  const unused = names.find((name) => given(name) && !OPTIONS_WITH_KEY_SPACE.has(name));
  if (given("keySpace") && unused !== undefined) {
    throw new OptionError(unused, "has no effect together with keySpace", "omit it");
  }
}

/** Adds the defaults to checked options. @throws TypeError for an invalid URL */
export function completeOptions(given: EtcdClientOptions): ClientSettings {
  const options = unifyOptions(given);
  const { api = "v2", username, password = "", autoSync = false, keyPrefix = "" } = options;
  const credentials =
    username === undefined ? undefined : { username, password: passwordSourceOf(password) };
  return {
    api,
    keyPrefix: keyPrefix.replace(/\/$/, ""),
    credentials: api === "v3" ? credentials : undefined,
    deserialize: options.jsonDeserializer ?? readJson,
    resolvesUnknownWrites: options.retryUnknownWrites === "safe",
    cluster: Object.freeze({
      urls: originsOf(options),
      discoverySrv: options.discoverySrv,
      authorization:
        api === "v2" && credentials
          ? new BasicAuth(credentials.username, credentials.password)
          : undefined,
      secureContext: certificatesOf(options),
      ignoreCertificateError: options.ignoreCertificateError ?? false,
      servername: options.servername,
      useProxy: options.useProxy ?? false,
      connectTimeout: options.connectTimeout ?? 2_000,
      requestTimeout: options.requestTimeout ?? 5_000,
      writeTimeout: options.writeTimeout ?? 10_000,
      timeout: options.timeout ?? 30_000,
      endpointSelection: options.endpointSelection ?? "random",
      autoSync: autoSync === true ? AUTO_SYNC_INTERVAL_MS : Number(autoSync),
      hedgeReadsAfter: options.hedgeReadsAfter ?? 0,
      retryUnknownWrites: options.retryUnknownWrites === true,
      maxResponseSize: options.maxResponseSize ?? 64 * 1024 * 1024,
      maxConnections: options.maxConnections ?? 256,
      clock: options.clock ?? systemClock,
    }),
  };
}

/** The origins of all endpoints, without duplicates. */
function originsOf({ urls = [], names }: UnifiedOptions): readonly string[] {
  return [...new Set(urls.map((text, index) => originOf(text, names.url(index))))];
}

/** The origin of an endpoint's URL. Errors do not contain the text, because it may contain a secret. */
function originOf(text: string, field: string): string {
  if (typeof text !== "string" || !URL.canParse(text)) {
    throw new OptionError(field, "is not a URL", "write it as http://host:port");
  }
  // The URL parser would drop these characters silently.
  if (/[\s\\]/.test(text)) {
    throw new OptionError(field, "contains a space, line break or backslash", "remove it");
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new OptionError(
      field,
      "contains credentials",
      (nameOf) => `pass them as ${nameOf("username")} and ${nameOf("password")}`,
    );
  }
  if (!/^https?:\/\/[^/]/i.test(text)) {
    throw new OptionError(field, "must begin with http:// or https://, then the host");
  }
  if (url.pathname !== "/" || /[?#]/.test(text)) {
    throw new OptionError(
      field,
      `must end after the port, as in ${url.origin}`,
      (nameOf) => `use ${nameOf("namespace()")} for a prefix`,
    );
  }
  return url.origin;
}

/** Returns a problem of a proxy variable. It omits the value, which may contain a password. */
function problemOfProxyVariables(): string | undefined {
  const wrong = PROXY_VARIABLES.find((name) => process.env[name] && !isProxyUrl(process.env[name]));
  return (
    wrong && `the environment variable ${wrong} must be an http(s) URL such as http://proxy:3128`
  );
}

function isProxyUrl(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && /^https?:/.test(value);
}

function quoted(text: string): string {
  return `"${text}"`;
}
