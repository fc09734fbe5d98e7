import { isIP } from "node:net";
import { OptionError } from "../errors/option-error.js";
import { ReloadableFile } from "../files/reloadable-file.js";
import { refuseUnknown } from "../model/option-names.js";
import { isAuthorities, isText } from "./is-certificate.js";
import type {
  CertificateAuthorities,
  PemCertificate,
  Pkcs12Certificate,
  TlsOptions,
} from "./options.js";

type Problem = string | undefined;

const text = (value: unknown): Problem =>
  isText(value) ? undefined : "must be a PEM text or a Buffer";

const file = (value: unknown): Problem =>
  typeof value === "string" && value !== "" ? undefined : "must be the name of a file";

const CHECKS: Readonly<Record<keyof TlsOptions, (value: unknown) => Problem>> = {
  ca: (value) =>
    typeof value === "function" || isAuthorities(value)
      ? undefined
      : "must be a PEM text, a list of them, or a function that returns them",
  caFile: file,
  cert: text,
  key: text,
  certFile: file,
  keyFile: file,
  pfx: (value) => (Buffer.isBuffer(value) ? undefined : "must be a Buffer"),
  passphrase: (value) => (typeof value === "string" ? undefined : "must be a string"),
  rejectUnauthorized: (value) => (typeof value === "boolean" ? undefined : "must be a boolean"),
  servername: (value) =>
    typeof value === "string" && value !== "" && isIP(value) === 0
      ? undefined
      : "must be a host name, not an IP address",
};

/** Checks the option `tls`. @throws TypeError naming the field, never its value */
export function checkTlsOptions(tls: TlsOptions): void {
  refuseUnknown(tls, CHECKS, "tls");
  for (const [name, check] of Object.entries(CHECKS)) {
    const value = tls[name as keyof TlsOptions];
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) throw new OptionError(`tls.${name}`, problem);
  }
  const { cert, key, certFile, keyFile, passphrase } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new OptionError("tls.cert, tls.key", "one requires the other");
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new OptionError("tls.certFile, tls.keyFile", "one requires the other");
  }
  if (tls.ca !== undefined && tls.caFile !== undefined) {
    throw new OptionError("tls.ca, tls.caFile", "pass only one of them");
  }
  const given = (["cert", "certFile", "pfx"] as const).filter((name) => tls[name] !== undefined);
  if (given.length > 1) {
    throw new OptionError(given.map((name) => `tls.${name}`).join(", "), "pass only one of them");
  }
  if (passphrase !== undefined && given.length === 0) {
    throw new OptionError(
      "tls.passphrase",
      "is only valid with tls.key, tls.keyFile or tls.pfx",
      "pass one of them",
    );
  }
}

/** The authorities of checked options. */
export function authoritiesIn({
  ca,
  caFile,
}: TlsOptions = {}): CertificateAuthorities | (() => CertificateAuthorities) | undefined {
  if (caFile === undefined) return ca;
  const source = new ReloadableFile(caFile);
  return () => source.read();
}

/** The client certificate of checked options. */
export function certificateIn({
  cert,
  key,
  certFile,
  keyFile,
  pfx,
  passphrase,
}: TlsOptions = {}): PemCertificate | Pkcs12Certificate | (() => PemCertificate) | undefined {
  if (pfx !== undefined) return { pfx, passphrase };
  if (certFile !== undefined && keyFile !== undefined) {
    const files = { cert: new ReloadableFile(certFile), key: new ReloadableFile(keyFile) };
    return () => ({ cert: files.cert.read(), key: files.key.read(), passphrase });
  }
  return cert === undefined || key === undefined ? undefined : { cert, key, passphrase };
}
