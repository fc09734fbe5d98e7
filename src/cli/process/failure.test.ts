import { expect, test, vi } from "vitest";
import { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdClientOptions } from "../../client/options.js";
import { V2DisabledError } from "../../errors/cluster-errors.js";
import { failureMessage, reportFailure } from "./failure.js";
import { eitherFlagOf, flagNames, sideFlagOf } from "./flag-names.js";

function errorFor(options: EtcdClientOptions): unknown {
  try {
    return new EtcdClient(options);
  } catch (error) {
    return error;
  }
}

const credentials = errorFor({ urls: ["http://user:hunter2@host"] });
const path = errorFor({ urls: ["http://host/v2"] });
const urls = ["http://host"];
const longTimeout = errorFor({ urls, connectTimeout: 0 });
const disabled = new V2DisabledError("GET /a", urls);

test.each([
  ["--endpoints: contains credentials; pass them as --username and --password-file", credentials],
  [/^--endpoints: must end after the port, .*; use --prefix for a prefix$/, path],
  [/^--timeout: must be a whole number of milliseconds/, longTimeout],
  [
    /; if the data is in the v3 store, set --api to "v3", or connect to an etcdnet gateway$/,
    disabled,
  ],
  [/^--username, --password-file: one requires the other$/, errorFor({ urls, username: "a" })],
  [/^maxConnections: must be/, errorFor({ urls, maxConnections: 0 })],
  ["as it is", new Error("as it is")],
  [
    /^listen EADDRINUSE.*; choose another port with --port$/,
    Object.assign(new Error("listen EADDRINUSE: address already in use 127.0.0.1:2379"), {
      code: "EADDRINUSE",
    }),
  ],
  ["a text", "a text"],
])("is reported as %s", (message, error) => {
  expect(failureMessage(error, flagNames())).toMatch(message);
});

test("an option of one of two clusters has the flag of that cluster", () => {
  expect(failureMessage(credentials, flagNames(sideFlagOf("to")))).toBe(
    "--to: contains credentials; pass them as --to-username and --to-password-file",
  );
  expect(failureMessage(disabled, flagNames(eitherFlagOf))).toContain("--from-api or --to-api");
});

test("a key cannot control the terminal to which an error is written", () => {
  const { exitCode } = process;
  const error = vi.spyOn(console, "error").mockReturnValue();
  try {
    reportFailure(new Error("no key /a\u001b[31m\u009b\u0007"));
    expect(error).toHaveBeenCalledWith("Error:  no key /a\\u001b[31m\\u009b\\u0007");
  } finally {
    error.mockRestore();
    process.exitCode = exitCode;
  }
});
