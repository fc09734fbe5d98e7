import { expect, test } from "vitest";
import { causeText } from "./cause-text.js";

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });

test.each([
  ["the error's own words", coded("connect ECONNREFUSED ::1:1", "ECONNREFUSED"), /^connect E.*1$/],
  ["each of several", new AggregateError([new Error("a"), new Error("b")]), /^a, b$/],
  [
    "what to do about a certificate that nobody vouches for",
    coded("unable to verify the first certificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    /^unable to verify the first certificate; pass its certificate authority as ca$/,
  ],
  [
    "what may be behind a handshake that was cut off",
    coded(
      "Client network socket disconnected before secure TLS connection was established",
      "ECONNRESET",
    ),
    /the server may speak http, not https$/,
  ],
])("tells %s", (_, cause, text) => {
  expect(causeText(cause)).toMatch(text);
});
