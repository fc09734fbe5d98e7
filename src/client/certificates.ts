import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { OptionError } from "../errors/option-error.js";
import { isAuthorities, isCertificate } from "./is-certificate.js";
import type { CertificateAuthorities, PemCertificate, Pkcs12Certificate } from "./options.js";
import type { UnifiedOptions } from "./unify-options.js";

type CertificateOptions = Pick<UnifiedOptions, "ca" | "x509Certificate" | "names">;

interface Certificates {
  readonly ca: CertificateAuthorities | undefined;
  readonly x509Certificate: PemCertificate | Pkcs12Certificate | undefined;
}

/**
 * Returns a function that returns the TLS context for the next connection. The context is created
 * again only after the certificates have changed, because that is expensive.
 *
 * @throws TypeError naming the option, if the first certificates are invalid
 */
export function certificatesOf(options: CertificateOptions): () => SecureContext | undefined {
  const { ca, x509Certificate, names } = options;
  let certificates = currentOf(options);
  let context = secureContextOf(certificates, names);
  if (typeof ca !== "function" && typeof x509Certificate !== "function") return () => context;
  return () => {
    try {
      const current = currentOf(options);
      if (isDeepStrictEqual(current, certificates)) return context;
      context = secureContextOf(current, names);
      certificates = current;
    } catch {
      // For example, only one of two files has been replaced so far. Keep the last valid certificates.
    }
    return context;
  };
}

/** @throws OptionError when a function fails or returns another type */
function currentOf(options: CertificateOptions): Certificates {
  const { names } = options;
  const ca = resultOf(names.ca, options.ca);
  const x509Certificate = resultOf(names.x509Certificate, options.x509Certificate);
  if (ca !== undefined && !isAuthorities(ca)) {
    throw new OptionError(names.ca, "the function must return a PEM text or a list of them");
  }
  if (x509Certificate !== undefined && !isCertificate(x509Certificate)) {
    const problem = "the function must return { cert, key } or { pfx }";
    throw new OptionError(names.x509Certificate, problem);
  }
  return { ca, x509Certificate };
}

function resultOf<T>(option: string, given: T | (() => T)): T {
  // PEM texts, Buffers and pairs of them are no functions.
  return given instanceof Function ? orOptionError(option, "cannot be read", given) : given;
}

/** @throws TypeError naming the invalid option */
function secureContextOf(
  { ca, x509Certificate }: Certificates,
  names: CertificateOptions["names"],
): SecureContext | undefined {
  if (ca === undefined && x509Certificate === undefined) return undefined;
  const authorities = ca === undefined ? {} : { ca: [ca].flat() as (string | Buffer)[] };
  // OpenSSL silently ignores authorities that it cannot parse.
  for (const pem of authorities.ca ?? []) {
    orOptionError(
      names.ca,
      "contains no certificate in PEM format",
      () => new X509Certificate(pem),
    );
  }
  return orOptionError(
    names.x509Certificate,
    "cannot be loaded",
    () => createSecureContext({ ...authorities, ...x509Certificate }),
    "check the passphrase, and that key and cert match",
  );
}

function orOptionError<T>(option: string, problem: string, create: () => T, hint?: string): T {
  try {
    return create();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "no reason";
    throw new OptionError(option, `${problem} (${reason})`, hint, cause);
  }
}
