// @ts-check
// Options: every option of the client. A value that is not commented out is the default, except
// `endpoints`, `username` and `password`.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({
  // The cluster: one of these three.
  endpoints, // a URL or a list; give all members, so that the client continues when one fails
  // discoverySrv: "example.com", // the domain whose SRV records name the endpoints
  // keySpace: yourOwn, clusterApi: yourOwn, // your own implementation, for example MemoryKeySpace

  api: "v2", // "v3" for clusters without the v2 API; the two APIs store different data
  // keyPrefix: "/apps", // with "v3": the prefix of all keys of this key space

  // Credentials, if auth is enabled. Both or none.
  username: "reader",
  password: "open sesame", // or a function that returns it, also as a promise, so that it can change

  // TLS, for https endpoints, with the names of Node's tls.connect. See tls.mjs.
  // tls: { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername },
  // tls: { caFile, certFile, keyFile }, // the names of files, which are read again when they change

  proxy: false, // true: HTTP_PROXY, HTTPS_PROXY and NO_PROXY; or a URL: "http://proxy:3128"

  // The names of these options in the C# client EtcdNet. Give only one name of each option.
  // urls: […], // `endpoints` as a list
  // ca: readFileSync("ca.pem"), // `tls.ca`
  // x509Certificate: { cert, key, passphrase }, // or { pfx, passphrase }, or a function that returns one of them
  // ignoreCertificateError: false, // the opposite of `tls.rejectUnauthorized`
  // useProxy: false, // `proxy`

  // Timeouts, in milliseconds.
  connectTimeout: 2_000, // one connection, with its TLS handshake
  requestTimeout: 5_000, // one attempt at a local read
  writeTimeout: 10_000, // one attempt at a write or a quorum read
  timeout: 30_000, // a whole call, with all its attempts

  // Endpoints and consistency.
  consistency: "local", // "quorum": reads are linearizable, unless a call says otherwise
  endpointSelection: "random", // "leader": saves a network hop for writes and quorum reads
  autoSync: false, // true or milliseconds: also use the client URLs that the members advertise
  hedgeReadsAfter: 0, // milliseconds after which a local read is also sent to a second endpoint; 0: never

  // "safe": finds out whether a write without a response was applied; true: repeats it; see unknown-outcome.mjs
  retryUnknownWrites: false,

  // Limits.
  maxResponseSize: 64 * 1024 * 1024, // bytes
  maxConnections: 256, // connections to one endpoint, without those of watches

  jsonDeserializer: JSON.parse, // the default also refuses `__proto__`; see json-deserializer.mjs
  // clock: simulatedClock, // the clock for timeouts, backoff and TTLs, for tests
});

const { etcdserver } = await etcd.version();
console.log("connected to etcd", etcdserver);
await etcd.close();

// An invalid option is refused before anything is sent. The error names the option.
try {
  new EtcdClient({ endpoints, timeout: 0.5 });
} catch (error) {
  console.log(String(error));
}
