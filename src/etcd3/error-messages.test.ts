import { expect, it } from "vitest";
import { V3RefusedError } from "../errors/v3-errors.js";
import {
  maxMessageSizeIn,
  refusalReasonOf,
  retryClassOf,
  watchDenialIn,
} from "./error-messages.js";

const refusal = (detail: string): V3RefusedError =>
  new V3RefusedError("GET /", "http://a", 8, detail);

it("tells what was never proposed from what was, though both are UNAVAILABLE", () => {
  expect(retryClassOf("etcdserver: no leader", 14)).toBe("elsewhere");
  expect(retryClassOf("etcdserver: request timed out", 14)).toBe("unknown");
  expect(retryClassOf("etcdserver: leader changed", 14)).toBe("unknown");
});

it("tells a member that is busy from a disk that is full, though both are RESOURCE_EXHAUSTED", () => {
  expect(retryClassOf("etcdserver: too many requests", 8)).toBe("elsewhere");
  expect(retryClassOf("etcdserver: mvcc: database space exceeded", 8)).toBe("refused-or-applied");
  expect(retryClassOf("grpc: received message larger than max (5 vs. 4)", 8)).toBe("refused");
});

it("takes a token that is not known, old or missing for one to renew", () => {
  expect(retryClassOf("etcdserver: invalid auth token", 16)).toBe("token");
  expect(retryClassOf("etcdserver: revision of auth store is old", 3)).toBe("token");
  expect(retryClassOf("etcdserver: user name is empty", 3)).toBe("token");
  expect(retryClassOf("etcdserver: permission denied", 7)).toBe("unauthorized");
});

it("knows that nothing went over a connection that could not be made", () => {
  const dialing = 'connection error: desc = "transport: Error while dialing dial tcp: refused"';
  expect(retryClassOf(`all SubConns are in TransientFailure, latest ${dialing}`, 14)).toBe(
    "elsewhere",
  );
  expect(retryClassOf("transport is closing", 14)).toBe("unknown");
});

it("takes words that it does not know by their code, and for unknown if that says nothing", () => {
  expect(retryClassOf("proto: syntax error", 3)).toBe("refused");
  expect(retryClassOf("etcdserver: requested lease not found", 5)).toBe("refused");
  expect(retryClassOf("something new", 14)).toBe("unknown");
  expect(retryClassOf("something new", 2)).toBe("unknown");
});

it("says why a request was refused, by the message alone", () => {
  expect(refusalReasonOf(refusal("etcdserver: lease already exists"))).toBe("lease-exists");
  expect(refusalReasonOf(refusal("etcdserver: request is too large"))).toBe("too-large");
  const message = "grpc: received message larger than max (9 vs. 8)";
  expect(refusalReasonOf(refusal(message))).toBe("too-large");
  expect(maxMessageSizeIn(refusal(message))).toBe(8);
  expect(refusalReasonOf(refusal("something new"))).toBeUndefined();
  expect(refusalReasonOf(new Error("etcdserver: lease already exists"))).toBeUndefined();
});

it("finds the message for which a watch was denied in etcd's longer reason", () => {
  const reason = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";
  expect(watchDenialIn(reason)).toBe("etcdserver: permission denied");
  expect(watchDenialIn("etcdserver: no leader")).toBeUndefined();
});
