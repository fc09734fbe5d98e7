/**
 * Certificates for tests over TLS, created once per process: an authority, a server certificate for
 * localhost and 127.0.0.1, and client certificates with any name.
 */

import { generateKeyPairSync, randomBytes } from "node:crypto";
import forge from "node-forge";
import type { PemPair } from "../../scripts/etcd-process.mjs";

export interface ClientCertificate extends PemPair {
  /** Certificate and key as PKCS#12, in ciphers that OpenSSL 3 still reads. */
  pkcs12(passphrase: string): Buffer;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Longer than the time before the end at which a server warns. */
const VALID_MS = 30 * DAY_MS;

const AUTHORITY = [{ name: "commonName", value: "etcdnet tests" }];

const NEXT_AUTHORITY = [{ name: "commonName", value: "etcdnet tests, next authority" }];

const AUTHORITY_EXTENSIONS = [
  { name: "basicConstraints", cA: true, critical: true },
  { name: "keyUsage", keyCertSign: true, critical: true },
];

/** No common name: with client certificates, etcd would use it as the user of its own gateway. */
const SERVER = [{ name: "organizationName", value: "etcdnet test server" }];

const LOCALHOST = [
  { type: 2, value: "localhost" },
  { type: 7, ip: "127.0.0.1" },
];

/** The authority that signs all others; a client needs `cert` to trust the server. */
export function certificateAuthority(): PemPair {
  return once("authority", () => issue(AUTHORITY, AUTHORITY_EXTENSIONS));
}

/** An authority that replaces the other one. */
export function nextAuthority(): PemPair {
  return once("next authority", () => issue(NEXT_AUTHORITY, AUTHORITY_EXTENSIONS));
}

/** A server certificate of the authority that replaces the other one. */
export function nextServerCertificate(): PemPair {
  return once("next server", () => serverCertificateOf(nextAuthority(), NEXT_AUTHORITY));
}

/** A server certificate that has expired. */
export function expiredServerCertificate(): PemPair {
  return once("expired server", () =>
    serverCertificateOf(certificateAuthority(), AUTHORITY, Date.now() - 1000),
  );
}

/** Also valid for clients: etcd's JSON gateway presents it when it calls its own server. */
export function serverCertificate(): PemPair {
  return once("server", () => serverCertificateOf(certificateAuthority(), AUTHORITY));
}

function serverCertificateOf(
  authority: PemPair,
  issuer: forge.pki.CertificateField[],
  end?: number,
): PemPair {
  return issue(
    SERVER,
    [
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      { name: "subjectAltName", altNames: LOCALHOST },
    ],
    authority,
    issuer,
    end,
  );
}

/** A certificate whose common name etcd uses as the user name. */
export function clientCertificate(commonName: string): ClientCertificate {
  const pair = once(`client ${commonName}`, () =>
    issue(
      [{ name: "commonName", value: commonName }],
      [{ name: "extKeyUsage", clientAuth: true }],
      certificateAuthority(),
    ),
  );
  return { ...pair, pkcs12: (passphrase) => toPkcs12(pair, passphrase) };
}

const issued = new Map<string, PemPair>();

function once(name: string, make: () => PemPair): PemPair {
  const pair = issued.get(name) ?? make();
  issued.set(name, pair);
  return pair;
}

/** Issues a certificate that is signed by `issuer`. Without one, it is self-signed. */
function issue(
  subject: forge.pki.CertificateField[],
  extensions: object[],
  issuer?: PemPair,
  issuerName = issuer === undefined ? subject : AUTHORITY,
  end = Date.now() + VALID_MS,
): PemPair {
  const { publicKey, privateKey } = generateKeys();
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(end);
  certificate.setSubject(subject);
  certificate.setIssuer(issuerName);
  certificate.setExtensions(extensions);
  const signingKey = forge.pki.privateKeyFromPem(issuer?.key ?? privateKey);
  certificate.sign(signingKey, forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: privateKey };
}

/** Generates keys with Node, which is ten times as fast as forge. */
function generateKeys() {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function toPkcs12({ cert, key }: PemPair, passphrase: string): Buffer {
  const archive = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(key),
    forge.pki.certificateFromPem(cert),
    passphrase,
    { algorithm: "aes256" },
  );
  return Buffer.from(forge.asn1.toDer(archive).getBytes(), "latin1");
}
