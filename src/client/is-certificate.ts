import type { CertificateAuthorities, PemCertificate, Pkcs12Certificate } from "./options.js";

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

export function isText(value: unknown): boolean {
  return typeof value === "string" || Buffer.isBuffer(value);
}
