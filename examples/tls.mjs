// @ts-check
// TLS: your own certificate authority and a client certificate.
//
// It needs an etcd with https URLs, and PEM files: ETCD_CA is the certificate of the authority. If the
// server requires a client certificate (--client-cert-auth), ETCD_CERT and ETCD_KEY are that certificate and its key.
import { readFileSync } from "node:fs";
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "https://127.0.0.1:2379").split(",");
const { ETCD_CA, ETCD_CERT, ETCD_KEY } = process.env;
if (ETCD_CA === undefined || !endpoints.every((url) => url.startsWith("https:"))) {
  console.error("set ETCD_URLS to https URLs and ETCD_CA to the certificate file of the authority");
  process.exit(1);
}

const ca = readFileSync(ETCD_CA);
/** @param {string | undefined} file */
const read = (file) => (file === undefined ? undefined : readFileSync(file));

// Or as PKCS#12: { ca, pfx: readFileSync("client.p12"), passphrase: "…" }
const tls = { ca, cert: read(ETCD_CERT), key: read(ETCD_KEY) };
const etcd = new EtcdClient({ endpoints, tls });
await etcd.setNode("/example-tls", "private");
console.log("over TLS:", await etcd.getNodeValue("/example-tls"));
await etcd.deleteNode("/example-tls");
await etcd.close();

// Without `ca`, the client trusts the authorities of the system, and refuses this server before it sends
// anything. Do not use `rejectUnauthorized: false`: the client would then accept every server.
const withoutCa = new EtcdClient({ endpoints });
try {
  await withoutCa.setNode("/example-tls", "private");
} catch (error) {
  if (!isEtcdError(error, "ClusterUnavailable")) throw error;
  console.log("without ca:", error.attempts[0]?.cause.message);
}
await withoutCa.close();
