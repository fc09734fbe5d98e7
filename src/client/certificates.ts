import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import type {
  CertificateAuthorities,
  EtcdClientOptions,
  PemCertificate,
  Pkcs12Certificate,
} from "./options.js";

interface Certificates {
  readonly ca: CertificateAuthorities | undefined;
  readonly x509Certificate: PemCertificate | Pkcs12Certificate | undefined;
}

/**
 * The certificates for the next connection, opened again only when they have changed: that is costly.
 *
 * @throws TypeError naming the option, if the certificates of the beginning cannot be used
 */
export function certificatesOf(
  options: Pick<EtcdClientOptions, "ca" | "x509Certificate">,
): () => SecureContext | undefined {
  const { ca, x509Certificate } = options;
  let certificates = currentOf(options);
  let context = secureContextOf(certificates);
  if (typeof ca !== "function" && typeof x509Certificate !== "function") return () => context;
  return () => {
    try {
      const current = currentOf(options);
      if (isDeepStrictEqual(current, certificates)) return context;
      context = secureContextOf(current);
      certificates = current;
    } catch {
      // For example, only one of two files has been replaced yet. The last good ones stay.
    }
    return context;
  };
}

/** @throws what the functions throw, and TypeError for a result of another type */
function currentOf(options: Pick<EtcdClientOptions, "ca" | "x509Certificate">): Certificates {
  const ca = typeof options.ca === "function" ? options.ca() : options.ca;
  const given = options.x509Certificate;
  const x509Certificate = typeof given === "function" ? given() : given;
  if (ca !== undefined && !isAuthorities(ca)) {
    throw new TypeError("ca: the function must return a PEM text or a list of them");
  }
  if (x509Certificate !== undefined && !isCertificate(x509Certificate)) {
    throw new TypeError("x509Certificate: the function must return { cert, key } or { pfx }");
  }
  return { ca, x509Certificate };
}

/** @throws TypeError naming the option that cannot be used */
function secureContextOf({ ca, x509Certificate }: Certificates): SecureContext | undefined {
  if (ca === undefined && x509Certificate === undefined) return undefined;
  const authorities = ca === undefined ? {} : { ca: [ca].flat() as (string | Buffer)[] };
  // OpenSSL passes over authorities that it cannot read.
  for (const pem of authorities.ca ?? []) {
    orRefuse("ca: holds no certificate in PEM", () => new X509Certificate(pem));
  }
  return orRefuse(
    "x509Certificate: cannot be opened; check its passphrase and that key and cert belong together",
    () => createSecureContext({ ...authorities, ...x509Certificate }),
  );
}

function orRefuse<T>(problem: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw new TypeError(`${problem} (${(cause as Error).message})`, { cause });
  }
}

export function isAuthorities(value: unknown): value is CertificateAuthorities {
  return [value].flat().every(isText);
}

export function isCertificate(value: unknown): value is PemCertificate | Pkcs12Certificate {
  if (typeof value !== "object" || value === null) return false;
  const { cert, key, pfx } = value as Partial<PemCertificate & Pkcs12Certificate>;
  return pfx === undefined
    ? isText(cert) && isText(key)
    : Buffer.isBuffer(pfx) && cert === undefined && key === undefined;
}

function isText(value: unknown): boolean {
  return typeof value === "string" || Buffer.isBuffer(value);
}
