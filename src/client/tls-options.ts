import { isIP } from "node:net";
import { OptionError } from "../errors/option-error.js";
import { refuseUnknown } from "../model/option-names.js";
import { isAuthorities, isText } from "./is-certificate.js";
import type { PemCertificate, Pkcs12Certificate, TlsOptions } from "./options.js";

type Problem = string | undefined;

const text = (value: unknown): Problem =>
  isText(value) ? undefined : "must be a PEM text or a Buffer";

const CHECKS: Readonly<Record<keyof TlsOptions, (value: unknown) => Problem>> = {
  ca: (value) =>
    typeof value === "function" || isAuthorities(value)
      ? undefined
      : "must be a PEM text, a list of them, or a function that returns them",
  cert: text,
  key: text,
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
  const { cert, key, pfx, passphrase } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new OptionError("tls.cert, tls.key", "one requires the other");
  }
  if (cert !== undefined && pfx !== undefined) {
    throw new OptionError("tls.cert, tls.pfx", "pass only one of them");
  }
  if (passphrase !== undefined && cert === undefined && pfx === undefined) {
    throw new OptionError(
      "tls.passphrase",
      "is only valid with tls.key or tls.pfx",
      "pass one of them",
    );
  }
}

/** The client certificate of checked options. */
export function certificateIn({
  cert,
  key,
  pfx,
  passphrase,
}: TlsOptions = {}): PemCertificate | Pkcs12Certificate | undefined {
  if (pfx !== undefined) return { pfx, passphrase };
  return cert === undefined || key === undefined ? undefined : { cert, key, passphrase };
}
