import { OptionError } from "../errors/option-error.js";
import type { EtcdClientOptions, TlsOptions } from "./options.js";
import { authoritiesIn, certificateIn } from "./tls-options.js";

/** The client's options, each under its first name. */
export interface UnifiedOptions extends Omit<EtcdClientOptions, "endpoints" | "proxy" | "tls"> {
  readonly servername: string | undefined;
  /** The names that the caller used, for error messages. */
  readonly names: {
    readonly url: (index: number) => string;
    readonly ca: string;
    readonly x509Certificate: string;
  };
}

/** Replaces second names of options by first names. @throws TypeError when both are given */
export function unifyOptions(options: EtcdClientOptions): UnifiedOptions {
  const { endpoints, proxy, tls, ...others } = options;
  const { urls, useProxy, ca, x509Certificate, ignoreCertificateError } = others;
  const certificate = certificateIn(tls);
  const caName = tls?.caFile === undefined ? "tls.ca" : "tls.caFile";
  const certificateName = certificateNameOf(tls);
  const trust = tls?.rejectUnauthorized;
  return {
    ...others,
    urls: oneOf("urls", urls, "endpoints", listOf(endpoints)),
    useProxy: oneOf("useProxy", useProxy, "proxy", proxy),
    ca: oneOf("ca", ca, caName, authoritiesIn(tls)),
    x509Certificate: oneOf("x509Certificate", x509Certificate, certificateName, certificate),
    ignoreCertificateError: oneOf(
      ...(["ignoreCertificateError", ignoreCertificateError] as const),
      ...(["tls.rejectUnauthorized", trust === undefined ? undefined : !trust] as const),
    ),
    servername: tls?.servername,
    names: {
      url: (index) => urlName(endpoints, index),
      ca: ca === undefined ? caName : "ca",
      x509Certificate: certificate === undefined ? "x509Certificate" : certificateName,
    },
  };
}

function certificateNameOf(tls: TlsOptions | undefined): string {
  if (tls?.certFile !== undefined) return "tls.certFile, tls.keyFile";
  return tls?.pfx === undefined ? "tls.cert" : "tls.pfx";
}

function oneOf<T>(
  name: string,
  value: T | undefined,
  otherName: string,
  other: T | undefined,
): T | undefined {
  if (value !== undefined && other !== undefined) {
    throw new OptionError(`${name}, ${otherName}`, "are two names of one option", "pass only one");
  }
  return value ?? other;
}

function listOf(endpoints: EtcdClientOptions["endpoints"]): readonly string[] | undefined {
  return typeof endpoints === "string" ? [endpoints] : endpoints;
}

function urlName(endpoints: EtcdClientOptions["endpoints"], index: number): string {
  if (typeof endpoints === "string") return "endpoints";
  return `${endpoints === undefined ? "urls" : "endpoints"}[${index}]`;
}
