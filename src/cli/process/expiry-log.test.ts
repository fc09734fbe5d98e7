import forge from "node-forge";
import { expect, test } from "vitest";
import { ExpiryLog, validityProblem } from "./expiry-log.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const END = Date.UTC(2030, 0, 31);

function certificateUntil(end: number): string {
  const { publicKey, privateKey } = forge.pki.rsa.generateKeyPair(1024);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = "01";
  certificate.validity.notBefore = new Date(end - 100 * DAY_MS);
  certificate.validity.notAfter = new Date(end);
  certificate.sign(privateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

const PEM = certificateUntil(END);

test.each([
  [-15, undefined],
  [-13, { isValid: true, text: "expires on 2030-01-31 00:00 UTC" }],
  [0, { isValid: false, text: "expired on 2030-01-31 00:00 UTC" }],
  [-101, { isValid: false, text: "is not valid before 2029-10-23 00:00 UTC" }],
])("%i days from its end", (days, problem) => {
  expect(validityProblem(PEM, END + days * DAY_MS)).toEqual(problem);
});

test("each problem is logged once, and again for the next certificate", () => {
  const lines: string[] = [];
  const log = new ExpiryLog((line) => lines.push(line));
  for (const days of [-20, -10, -9, 1, 2]) log.check("a.pem", PEM, END + days * DAY_MS);
  expect(lines).toEqual([
    "warning: a.pem expires on 2030-01-31 00:00 UTC",
    "warning: a.pem expired on 2030-01-31 00:00 UTC",
  ]);
  log.check("a.pem", certificateUntil(END + 5 * DAY_MS), END + 2 * DAY_MS);
  expect(lines.at(-1)).toBe("warning: a.pem expires on 2030-02-05 00:00 UTC");
});
