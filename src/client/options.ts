import type { ClusterApi } from "../key-space/cluster-api.js";
import type { KeySpace } from "../key-space/key-space.js";
import type { Clock } from "../time/clock.js";
import type { JsonDeserializer } from "../wire/json.js";

/** A client certificate with its key, as PEM texts. */
export interface PemCertificate {
  /** The certificate, followed by intermediate ones if there are any. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Of the key, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** Certificates of authorities, each as PEM. */
export type CertificateAuthorities = string | Buffer | readonly (string | Buffer)[];

/** A client certificate with its key in one PKCS#12 file (`.p12`, `.pfx`). */
export interface Pkcs12Certificate {
  readonly pfx: Buffer;
  readonly passphrase?: string | undefined;
}

/** TLS options, with the names of Node's `tls.connect`. */
export interface TlsOptions {
  /** Certificates of the authorities to trust, as PEM. The option `ca` of the client. */
  readonly ca?: CertificateAuthorities | (() => CertificateAuthorities) | undefined;
  /** The client certificate, as PEM; needs {@link key}. The option `x509Certificate` of the client. */
  readonly cert?: string | Buffer | undefined;
  /** The key of {@link cert}, as PEM. */
  readonly key?: string | Buffer | undefined;
  /** The client certificate and its key in one PKCS#12 file, in place of {@link cert} and {@link key}. */
  readonly pfx?: Buffer | undefined;
  /** Passphrase of {@link key} or {@link pfx}. */
  readonly passphrase?: string | undefined;
  /**
   * Refuse server certificates that no trusted authority has signed. `false` is the option
   * `ignoreCertificateError` of the client.
   *
   * @default true
   */
  readonly rejectUnauthorized?: boolean | undefined;
  /**
   * The host name that the certificates of all endpoints must have, and that is sent as SNI. For endpoints
   * whose URLs have another host, such as an address or the end of a tunnel.
   *
   * @default the host of each URL
   */
  readonly servername?: string | undefined;
}

/**
 * Options of {@link EtcdClient}. All times are in milliseconds. An unknown option, a value out of
 * range and options that contradict each other are refused with a `TypeError` that names them.
 */
export interface EtcdClientOptions {
  /**
   * Endpoints of the cluster, e.g. `["http://10.0.0.1:2379", "http://10.0.0.2:2379"]`: `http` or
   * `https`, without path and credentials. One of `urls`, `discoverySrv` and `keySpace` is needed.
   * `endpoints` is a second name of this option; give only one of them.
   */
  readonly urls?: readonly string[] | undefined;

  /** Second name of {@link urls}, which also takes a single URL. */
  readonly endpoints?: string | readonly string[] | undefined;

  /**
   * A domain whose SRV records name the endpoints: `_etcd-client-ssl._tcp.DOMAIN` (TLS) if there
   * are any, else `_etcd-client._tcp.DOMAIN`. Looked up before the first call, and again, at most once
   * a second, while none of the endpoints answers.
   */
  readonly discoverySrv?: string | undefined;

  /**
   * Which API of etcd holds the data: `"v2"`, as etcd 2.3 to 3.5 and gateways serve it, or `"v3"`,
   * as etcd 3.4 and later do. Never guessed: the v2 and the v3 store of one etcd hold different
   * data.
   *
   * @default "v2"
   */
  readonly api?: "v2" | "v3" | undefined;

  /**
   * With `api: "v3"`: what stands before every key of the tree in v3's key space. With `/apps`, the
   * node `/a` is the v3 key `/apps/a`.
   *
   * @default "", so that `/a` is the v3 key `/a`
   */
  readonly keyPrefix?: string | undefined;

  /** Use this key space instead of a remote one. It is closed with the client. */
  readonly keySpace?: KeySpace | undefined;

  /** With {@link keySpace}: what `members`, `stats`, `version` and their like ask. */
  readonly clusterApi?: ClusterApi | undefined;

  /**
   * User of v2 auth or, with `api: "v3"`, of v3's; needs {@link password}. Without it the client is
   * `guest`, or on v3 nobody. A v2 user's name cannot contain a colon, since Basic auth ends it there.
   */
  readonly username?: string | undefined;
  readonly password?: string | undefined;

  /**
   * Certificates of the authorities to trust, as PEM, instead of the system's. A function is called for
   * each new connection, as of {@link x509Certificate}. `tls.ca` is a second name of this option.
   */
  readonly ca?: CertificateAuthorities | (() => CertificateAuthorities) | undefined;

  /**
   * Client certificate, for a cluster with `--client-cert-auth`. Give a function to renew it while the
   * client runs: it is called for each new connection. If it throws then, or what it returns cannot be
   * used, the last good certificate stays. Connections that are open keep theirs. `tls.cert` with
   * `tls.key`, or `tls.pfx`, are second names of this option.
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
   * Accept any server certificate, for this client only: anybody on the network path can then read
   * and change what is sent. Prefer {@link ca}. `tls.rejectUnauthorized`, with the opposite value, is a
   * second name of this option.
   *
   * @default false
   */
  readonly ignoreCertificateError?: boolean | undefined;

  /** TLS by Node's names. Each field is a second name of another option; give only one of the two. */
  readonly tls?: TlsOptions | undefined;

  /**
   * Connect through an HTTP proxy: `true` for the one that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (or
   * their lower-case forms) name, or a proxy's URL, which may contain credentials. `proxy` is a second name
   * of this option; give only one of them.
   *
   * @default false
   */
  readonly useProxy?: boolean | string | undefined;

  /** Second name of {@link useProxy}. */
  readonly proxy?: boolean | string | undefined;

  /**
   * Milliseconds to establish a connection, TLS included.
   *
   * @default 2000
   */
  readonly connectTimeout?: number | undefined;

  /**
   * Milliseconds for one attempt at a read that a member answers by itself, and for the head of a
   * watch.
   *
   * @default 5000
   */
  readonly requestTimeout?: number | undefined;

  /**
   * Milliseconds for one attempt at a write or a quorum read. A member without a leader itself
   * gives up after 7 s: less than that trades its answer for `TimeoutError`.
   *
   * @default 10000
   */
  readonly writeTimeout?: number | undefined;

  /**
   * Milliseconds for a whole call with all its attempts; a watch that stands is not bounded.
   *
   * Of this and the other time-outs: a response that arrived while the event loop was blocked is in time.
   * When a time-out fires late for that reason, the response has up to 500 ms more to arrive.
   *
   * @default 30000
   */
  readonly timeout?: number | undefined;

  /**
   * What reads mean that do not say `quorum` themselves: `"local"`, the member's own state, which
   * may be stale (etcd's default), or `"quorum"`, linearizable, through the leader.
   *
   * @default "local"
   */
  readonly consistency?: "local" | "quorum" | undefined;

  /**
   * Which endpoint is used while all are well: one at `"random"`, or the `"leader"`, which saves a
   * hop for writes and quorum reads.
   *
   * @default "random"
   */
  readonly endpointSelection?: "random" | "leader" | undefined;

  /**
   * Also use the client URLs that the members advertise, and ask for them every so many
   * milliseconds (`true`: 60 000). Off by default, because advertised URLs are often not reachable
   * through NAT or a tunnel. `urls` stay in use; `https` is never given up for `http`. The members
   * are trusted: requests and credentials go to the addresses that they advertise. An address is taken
   * only after the same cluster has answered there.
   *
   * @default false
   */
  readonly autoSync?: boolean | number | undefined;

  /**
   * Ask a second endpoint as well when a local read is not answered after so many milliseconds.
   * 0: never.
   *
   * @default 0
   */
  readonly hedgeReadsAfter?: number | undefined;

  /**
   * Send a write to the next endpoint even when the one before may have carried it out, instead of
   * throwing `OutcomeUnknownError`. Only for writes that may happen twice without harm.
   *
   * @default false
   */
  readonly retryUnknownWrites?: boolean | undefined;

  /**
   * Bytes of an answer, or of one event of a watch, above which it is refused. A stream of events
   * also ends when more than this waits to be read and the connection (HTTP/1) cannot be paused.
   *
   * @default 67108864
   */
  readonly maxResponseSize?: number | undefined;

  /**
   * Connections to one endpoint for calls; further calls wait for a free one. Watches do not count:
   * each has a connection to itself.
   *
   * @default 256
   */
  readonly maxConnections?: number | undefined;

  /**
   * Reads the JSON of answers of the key space, in place of `JSON.parse`. Its result is checked.
   *
   * @default JSON.parse, refusing the key `__proto__`
   */
  readonly jsonDeserializer?: JsonDeserializer | undefined;

  /**
   * The time by which time-outs, back-offs and TTLs are measured: for tests that do not wait.
   *
   * @default this process's clock, as it was when the package was loaded: fake timers do not change it
   */
  readonly clock?: Clock | undefined;
}
