// @ts-check
// Options: every option of the client, with its default where it has one.
import { EtcdClient } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({
  // Where the cluster is: one of these three.
  urls, // all members, so that the client can go on when one fails
  // discoverySrv: "example.com", // or its SRV records
  // keySpace: yourOwn, clusterApi: yourOwn, // or an implementation of the contract

  api: "v2", // "v3" where etcd 3.4 or later keeps the data in its v3 store
  // keyPrefix: "/apps", // with "v3": what stands before every key there

  // Who you are, where auth is on. Both or neither.
  username: "reader",
  password: "open sesame",

  // `endpoints`, `proxy` and the fields of `tls` are second names: give one of the two.
  // TLS, for https URLs; see tls.mjs.
  // tls: { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }, // Node's names
  // ca: readFileSync("ca.pem"), // instead of the authorities that the system trusts
  // x509Certificate: { cert: readFileSync("client.pem"), key: readFileSync("client.key") },
  // x509Certificate: { pfx: readFileSync("client.p12"), passphrase: "…" }, // the same, in one file
  ignoreCertificateError: false, // true trusts anybody on the network path

  useProxy: false, // true: HTTP_PROXY, HTTPS_PROXY, NO_PROXY; or a URL: "http://proxy:3128"

  // Milliseconds.
  connectTimeout: 2_000, // one connection, TLS included
  requestTimeout: 5_000, // one attempt at a local read
  writeTimeout: 10_000, // one attempt at a write or a quorum read
  timeout: 30_000, // a whole call, with all its attempts

  // Which member is asked, and what a read means.
  consistency: "local", // "quorum": reads are linearizable unless they say otherwise
  endpointSelection: "random", // "leader" saves a hop for writes and quorum reads
  autoSync: false, // true, or milliseconds: also use the URLs that the members advertise
  hedgeReadsAfter: 0, // milliseconds after which a local read is asked elsewhere too; 0: never

  retryUnknownWrites: false, // true: a write may happen twice; see unknown-outcome.mjs

  // Limits.
  maxResponseSize: 64 * 1024 * 1024, // bytes
  maxConnections: 256, // to one endpoint; watches do not count

  jsonDeserializer: JSON.parse, // see json-deserializer.mjs
  // clock: simulated, // by which time-outs and TTLs are measured: for tests that do not wait
});

const { etcdserver } = await etcd.version();
console.log("connected to etcd", etcdserver);
await etcd.close();

// A mistake is told at once, by name, before anything is sent.
try {
  new EtcdClient({ urls, timeout: 0.5 });
} catch (error) {
  console.log(String(error));
}
