import { expect, test } from "vitest";
import { adviceOn, causeText } from "./cause-text.js";
import { TransferFailedError } from "./migration-errors.js";

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });

test.each([
  [
    "a possible reason for a cut handshake",
    coded(
      "Client network socket disconnected before secure TLS connection was established",
      "ECONNRESET",
    ),
    /the server may speak http, not https$/,
  ],
  [
    "a possible reason for a response without TLS",
    Object.assign(new Error("80:error:0A:SSL routines:ssl3_get_record:wrong version number:"), {
      library: "SSL routines",
      reason: "wrong version number",
    }),
    /^TLS: wrong version number; the server may speak http, not https$/,
  ],
])("contains %s", (_, cause, text) => {
  expect(causeText(cause)).toMatch(text);
});

const refused = coded("connect ECONNREFUSED", "ECONNREFUSED");
const untrusted = coded("unable to verify the certificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE");

test.each([
  ["no attempt", [], undefined],
  ["an unknown cause", [new Error("a")], undefined],
  ["an untrusted certificate", [refused, untrusted], /certificate authority as --cacert$/],
  ["refused connections", [refused, refused], /^nothing listens there/],
  ["a refused connection among others", [refused, new Error("a")], undefined],
])("advises on %s", (_, causes, hint) => {
  const error = new TransferFailedError("failed", adviceOn(causes));
  const message = error.messageWith((option) => (option === "ca" ? "--cacert" : option));
  expect(message).toMatch(hint === undefined ? /^failed$/ : /^failed; /);
  if (hint !== undefined) expect(message.slice("failed; ".length)).toMatch(hint);
});
