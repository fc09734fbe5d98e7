import { expect, it, test } from "vitest";
import { readBasicCredentials } from "./basic-credentials.js";

const base64 = (text: string, encoding: BufferEncoding = "utf8"): string =>
  Buffer.from(text, encoding).toString("base64");

test.each([
  [`Basic ${base64("user:pass")}`, "user", "pass"],
  [`bAsIc ${base64("user:pass")}`, "user", "pass"],
  [`Basic ${base64("user:a:b:")}`, "user", "a:b:"],
  [`Basic ${base64(":")}`, "", ""],
  [`Basic ${base64("ü:é")}`, "ü", "é"],
  ["Basic cm9vdDp0b3B=", "root", "top"],
])("%s is %s with %s", (header, user, password) => {
  expect(readBasicCredentials(header)).toEqual({ user, password: Buffer.from(password) });
});

test.each([
  "",
  "Basic",
  "Basic ",
  "Basic =",
  `Basic ${base64("no colon")}`,
  `Basic  ${base64("user:pass")}`,
  `Basic${base64("user:pass")}`,
  `Bearer ${base64("user:pass")}`,
  "Basic cm9vdDp0b3A",
  "Basic cm9vdDp0b3A==",
  "Basic cm9vdDp0b3A-",
  "Basic cm9v dDp0b3A",
  `Basic ${base64("\xff:pass", "latin1")}`,
])("%s is malformed", (header) => {
  expect(readBasicCredentials(header)).toBeUndefined();
});

it("keeps the bytes of a password unchanged", () => {
  const header = `Basic ${base64("user:\xff\xfe", "latin1")}`;
  expect(readBasicCredentials(header)?.password).toEqual(Buffer.from([0xff, 0xfe]));
});
