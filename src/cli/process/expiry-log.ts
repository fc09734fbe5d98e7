import { X509Certificate } from "node:crypto";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate that expires sooner is reported. */
const WARNING_MS = 14 * DAY_MS;

/** Warns when a certificate expires soon, and when it has expired: once each. */
export class ExpiryLog {
  readonly #log: (line: string) => void;
  /** The last warning of each certificate, by name. */
  readonly #said = new Map<string, string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** @param pem the certificate, perhaps followed by intermediate ones */
  check(name: string, pem: string | Buffer, now: number): void {
    const text = validityProblem(pem, now)?.text;
    if (text === undefined || this.#said.get(name) === text) return;
    this.#said.set(name, text);
    this.#log(`warning: ${name} ${text}`);
  }
}

/** What is wrong with the validity of a certificate, now or soon. */
export function validityProblem(
  pem: string | Buffer,
  now: number,
): { readonly isValid: boolean; readonly text: string } | undefined {
  const { validTo, validFrom } = new X509Certificate(pem);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (now < from) return { isValid: false, text: `is not valid before ${dateOf(from)}` };
  if (now >= to) return { isValid: false, text: `expired on ${dateOf(to)}` };
  return to - now < WARNING_MS ? { isValid: true, text: `expires on ${dateOf(to)}` } : undefined;
}

/** Identifies a certificate in a log. */
export function describeCertificate(pem: string | Buffer): string {
  const { fingerprint256, validTo } = new X509Certificate(pem);
  return `certificate with SHA-256 ${fingerprint256}, expires on ${dateOf(Date.parse(validTo))}`;
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ").concat(" UTC");
}
