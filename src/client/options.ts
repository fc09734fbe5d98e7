import type { ClusterApi } from "../key-space/cluster-api.js";
import type { KeySpace } from "../key-space/key-space.js";
import type { Clock } from "../time/clock.js";
import type { JsonDeserializer } from "../wire/json.js";

/** A client certificate and its private key, as PEM. */
export interface PemCertificate {
  /** The certificate, followed by its intermediate certificates, if any. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Passphrase of the private key, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** Certificates of certificate authorities (CAs), each as PEM. */
export type CertificateAuthorities = string | Buffer | readonly (string | Buffer)[];

/** A client certificate and its private key in one PKCS#12 file (`.p12`, `.pfx`). */
export interface Pkcs12Certificate {
  readonly pfx: Buffer;
  readonly passphrase?: string | undefined;
}

/** TLS options with the names that Node's `tls.connect` uses. */
export interface TlsOptions {
  /** Certificates of the trusted authorities, as PEM. Second name of the client's option `ca`. */
  readonly ca?: CertificateAuthorities | (() => CertificateAuthorities) | undefined;
  /**
   * File with the certificates of the trusted authorities, as PEM, instead of {@link ca}. It is read by
   * the constructor, which throws if that fails, and again for a new connection when it has changed. If
   * the changed file is unreadable or invalid, the last valid certificates are used.
   *
   * @example "/etc/etcd/ca.pem"
   */
  readonly caFile?: string | undefined;
  /**
   * File with the client certificate, as PEM, instead of {@link cert}; requires {@link keyFile}. It is
   * read like {@link caFile}. While certificate and key do not match, because only one of the files has
   * been replaced, the last valid pair is used.
   */
  readonly certFile?: string | undefined;
  /** File with the private key of {@link certFile}, as PEM. */
  readonly keyFile?: string | undefined;
  /** The client certificate, as PEM; requires {@link key}. See the client's option `x509Certificate`. */
  readonly cert?: string | Buffer | undefined;
  /** The private key of {@link cert}, as PEM. */
  readonly key?: string | Buffer | undefined;
  /** The client certificate and its private key as PKCS#12, instead of {@link cert} and {@link key}. */
  readonly pfx?: Buffer | undefined;
  /** Passphrase of {@link key}, {@link keyFile} or {@link pfx}. */
  readonly passphrase?: string | undefined;
  /**
   * Refuse server certificates that are not signed by a trusted authority. `false` has the same
   * effect as `ignoreCertificateError: true`.
   *
   * @default true
   */
  readonly rejectUnauthorized?: boolean | undefined;
  /**
   * Host name that is sent as SNI and that the certificate of every endpoint must contain. Use it
   * when the URLs have another host, such as an IP address or the local end of a tunnel.
   *
   * @default the host of each URL
   */
  readonly servername?: string | undefined;
}

/**
 * Options of {@link EtcdClient}. All times are in milliseconds. The constructor throws a `TypeError`
 * that names the option if it is unknown, out of range, or contradicts another option.
 */
export interface EtcdClientOptions {
  /**
   * Endpoints of the cluster, e.g. `["http://10.0.0.1:2379", "http://10.0.0.2:2379"]`. A URL has the
   * scheme `http` or `https`, and no path and no credentials. Exactly one of `urls`, `discoverySrv`
   * and `keySpace` is required. `endpoints` is a second name of this option; use only one of the two.
   */
  readonly urls?: readonly string[] | undefined;

  /** Second name of {@link urls}. It also accepts a single URL. */
  readonly endpoints?: string | readonly string[] | undefined;

  /**
   * Domain whose SRV records name the endpoints: `_etcd-client-ssl._tcp.DOMAIN` (TLS) if such records
   * exist, otherwise `_etcd-client._tcp.DOMAIN`. The records are queried before the first call. While
   * no endpoint responds, they are queried again, at most once a second.
   */
  readonly discoverySrv?: string | undefined;

  /**
   * The etcd API that stores the data. `"v2"`: etcd 2.3 to 3.5, and gateways. `"v3"`: etcd 3.4 and
   * later. The client does not detect the API, because the v2 and the v3 store of one etcd contain
   * different data.
   *
   * @default "v2"
   */
  readonly api?: "v2" | "v3" | undefined;

  /**
   * Prefix of all keys of the tree in the v3 key space, with `api: "v3"` only. With `/apps`, the node
   * `/a` is the v3 key `/apps/a`.
   *
   * @default "": the node `/a` is the v3 key `/a`
   */
  readonly keyPrefix?: string | undefined;

  /** Key space to use instead of a remote one. The client closes it. */
  readonly keySpace?: KeySpace | undefined;

  /** Implementation of `members`, `stats`, `version` and similar, with {@link keySpace} only. */
  readonly clusterApi?: ClusterApi | undefined;

  /**
   * User of v2 auth or, with `api: "v3"`, of v3 auth. Requires {@link password}. Without it, v2
   * requests have the permissions of the role `guest`, and v3 requests are not authenticated. The name
   * of a v2 user cannot contain a colon, because Basic auth separates name and password by a colon.
   */
  readonly username?: string | undefined;

  /**
   * Password of {@link username}. A function can change it while the client runs. It is called before
   * the first request, and after etcd has refused the password or the token; the request is then sent
   * again. If the function fails, the last password is used; if it has never returned one, the call
   * rejects with an `OptionError`. With `api: "v3"`, the password that etcd accepted last is tried when
   * etcd refuses a new one, so that the function may return a new password before etcd has it.
   *
   * @example
   * password: async () => (await readFile("/run/secrets/etcd", "utf8")).trimEnd()
   */
  readonly password?: string | (() => string | Promise<string>) | undefined;

  /**
   * Certificates of the trusted authorities, as PEM, instead of those that Node trusts. A function is
   * called for each new connection, like that of {@link x509Certificate}. `tls.ca` is a second name
   * of this option.
   */
  readonly ca?: CertificateAuthorities | (() => CertificateAuthorities) | undefined;

  /**
   * Client certificate, for a cluster with `--client-cert-auth`. A function can renew the certificate
   * while the client runs: it is called for each new connection. If the function throws or returns an
   * invalid certificate, the last valid one is used. Open connections keep their certificate.
   * `tls.cert` with `tls.key`, or `tls.pfx`, are second names of this option.
   *
   * @example
   * x509Certificate: () => ({ cert: readFileSync("client.crt"), key: readFileSync("client.key") })
   */
  readonly x509Certificate?:
    | PemCertificate
    | Pkcs12Certificate
    | (() => PemCertificate | Pkcs12Certificate)
    | undefined;

  /**
   * Accept any server certificate, for this client only. Anyone on the network path can then read and
   * change the traffic. Prefer {@link ca}. `tls.rejectUnauthorized`, with the opposite value, is a
   * second name of this option.
   *
   * @default false
   */
  readonly ignoreCertificateError?: boolean | undefined;

  /** TLS options with Node's names. Most are second names of other options; use one name of each. */
  readonly tls?: TlsOptions | undefined;

  /**
   * Connect through an HTTP proxy. `true`: the proxy in the environment variables `HTTP_PROXY`,
   * `HTTPS_PROXY` and `NO_PROXY`, or their lower-case forms. A string: the URL of a proxy, which may
   * contain credentials. `proxy` is a second name of this option; use only one of the two.
   *
   * @default false
   */
  readonly useProxy?: boolean | string | undefined;

  /** Second name of {@link useProxy}. */
  readonly proxy?: boolean | string | undefined;

  /**
   * Timeout of establishing a connection, including TLS, in milliseconds.
   *
   * @default 2000
   */
  readonly connectTimeout?: number | undefined;

  /**
   * Timeout of one attempt at a local read, and of the response headers of a watch, in milliseconds.
   *
   * @default 5000
   */
  readonly requestTimeout?: number | undefined;

  /**
   * Timeout of one attempt at a write or a quorum read, in milliseconds. A member without a leader
   * responds with an error after 7 s. With a shorter timeout, the call fails with `TimeoutError`
   * before that response.
   *
   * @default 10000
   */
  readonly writeTimeout?: number | undefined;

  /**
   * Timeout of a whole call with all its attempts, redirects and, with `api: "v3"`, authentication and
   * pages of a listing, in milliseconds. An established watch has no timeout.
   *
   * For all timeouts: a response that arrives while the event loop is blocked is in time. If a timer
   * fires late because the event loop was blocked, the response has up to 500 ms more to arrive.
   *
   * @default 30000
   */
  readonly timeout?: number | undefined;

  /**
   * Consistency of reads without the option `quorum`. `"local"`: a read of the member's own state,
   * which may be stale (etcd's default). `"quorum"`: a linearizable read, through the leader.
   *
   * @default "local"
   */
  readonly consistency?: "local" | "quorum" | undefined;

  /**
   * The endpoint to use while all endpoints are healthy. `"random"`: any endpoint. `"leader"`: the
   * leader, which saves one hop for writes and quorum reads.
   *
   * @default "random"
   */
  readonly endpointSelection?: "random" | "leader" | undefined;

  /**
   * Also use the client URLs that the members advertise. They are read again after this interval, in
   * milliseconds; `true`: 60000. Off by default, because advertised URLs are often not reachable
   * through NAT or a tunnel. `urls` remain in use, and an `https` endpoint is never replaced by an
   * `http` one. The client trusts the members: it sends requests and credentials to the addresses that
   * they advertise, of which it asks at most 32. It uses an address only after the same cluster has
   * responded there.
   *
   * @default false
   */
  readonly autoSync?: boolean | number | undefined;

  /**
   * Also send a local read to a second endpoint if the first has not responded after this many
   * milliseconds. 0: never.
   *
   * @default 0
   */
  readonly hedgeReadsAfter?: number | undefined;

  /**
   * What to do with a write that was sent but got no response:
   *
   * - `false`: throw `OutcomeUnknownError`.
   * - `"safe"`: find out what became of it, and repeat it only if it was not applied. With
   *   `api: "v3"`, each write leaves a record in its transaction, so that it is applied at most once
   *   and ends with its response or with an error that says that nothing was changed. It throws
   *   `OutcomeUnknownError` only if the cluster cannot be reached within `timeout`. With
   *   `api: "v2"`, this is possible only for some writes with `prevIndex`; the others throw
   *   `OutcomeUnknownError`.
   * - `true`: repeat it on the next endpoint, although it may then be applied twice. Use it only if
   *   all writes of this client are idempotent.
   *
   * @default false
   */
  readonly retryUnknownWrites?: boolean | "safe" | undefined;

  /**
   * Maximum size of a response, or of one event of a watch, in bytes. A larger one fails with
   * `ResponseTooLargeError`. A stream of events also ends when more unread data than this has
   * arrived and the connection (HTTP/1) cannot be paused.
   *
   * @default 67108864
   */
  readonly maxResponseSize?: number | undefined;

  /**
   * Maximum number of connections to one endpoint for local reads, and as many for the other calls, which can take
   * seconds. Further calls wait for a free connection. Watches do not count: each has its own connection.
   *
   * @default 256
   */
  readonly maxConnections?: number | undefined;

  /**
   * Parses the JSON of responses of the key space, instead of `JSON.parse`. The client validates the
   * result.
   *
   * @default JSON.parse; an object with the key `__proto__` is refused
   */
  readonly jsonDeserializer?: JsonDeserializer | undefined;

  /**
   * Clock that measures timeouts, back-offs and TTLs. Pass a simulated clock in tests that must not
   * wait.
   *
   * @default the system clock. It is captured when the package is loaded, so fake timers that are
   * installed later do not change it.
   */
  readonly clock?: Clock | undefined;
}
