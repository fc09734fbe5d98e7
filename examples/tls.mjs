// @ts-check
// TLS: an authority of one's own, and a client certificate.
//
// It needs an etcd at https URLs, and files: ETCD_CA, the authority's certificate, and where the
// server demands one (--client-cert-auth), ETCD_CERT and ETCD_KEY, the client's. All are PEM.
import { readFileSync } from "node:fs";
import { ClusterUnavailableError, EtcdClient } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "https://127.0.0.1:2379").split(",");
const { ETCD_CA, ETCD_CERT, ETCD_KEY } = process.env;
if (ETCD_CA === undefined || !urls.every((url) => url.startsWith("https:"))) {
  console.error("set ETCD_URLS to https URLs and ETCD_CA to the file of the authority");
  process.exit(1);
}

const ca = readFileSync(ETCD_CA);
/** @param {string | undefined} file */
const read = (file) => (file === undefined ? undefined : readFileSync(file));

// Or as PKCS#12: { ca, pfx: readFileSync("client.p12"), passphrase: "…" }
const tls = { ca, cert: read(ETCD_CERT), key: read(ETCD_KEY) };
const etcd = new EtcdClient({ urls, tls });
await etcd.setNode("/example-tls", "private");
console.log("over TLS:", await etcd.getNodeValue("/example-tls"));
await etcd.deleteNode("/example-tls");
await etcd.close();

// Without `ca` the system's authorities count, which do not know ours. Nothing was sent, so even a
// write ends in a certain failure. `ignoreCertificateError: true` would let anybody pass.
const trusting = new EtcdClient({ urls });
try {
  await trusting.setNode("/example-tls", "private");
} catch (error) {
  if (!(error instanceof ClusterUnavailableError)) throw error;
  console.log("without ca:", error.attempts[0]?.cause.message);
}
await trusting.close();
