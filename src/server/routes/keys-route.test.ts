import { setImmediate } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { KeyGuard, Permit } from "../auth/key-guard.js";
import type { ServerReply } from "../http/message.js";
import { Router } from "../http/router.js";
import { KeysRoute } from "./keys-route.js";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const DENIED = expect.objectContaining({ status: 401 });

/** A route with given permissions, which records its steps. */
async function serve(
  method: string,
  allowed: boolean,
  query: string,
  body?: string,
  still = allowed,
): Promise<[ServerReply, string[]]> {
  const steps: string[] = [];
  const permit: Permit = { isValid: async () => still, guard: () => () => {} };
  const guard: KeyGuard = {
    permit: async () => {
      steps.push("credentials");
      return allowed ? permit : undefined;
    },
  };
  const keySpace = new MemoryKeySpace();
  const route = new KeysRoute(
    () => keySpace,
    guard,
    async () => "abc",
  );
  const request = {
    method,
    target: `/v2/keys/a?${query}`,
    headers: body === undefined ? {} : FORM,
    body: async () => {
      steps.push("body");
      return body ?? "";
    },
    signal: new AbortController().signal,
  };
  const reply = await new Router([route.route]).serve(request, "/v2/keys/a", query);
  return [reply, steps];
}

it.each(["PUT", "POST"])("%s with a form checks credentials before the body", async (method) => {
  expect(await serve(method, false, "", "value=1")).toEqual([DENIED, ["credentials"]]);
  expect(await serve(method, true, "", "value=1")).toEqual([
    expect.objectContaining({ status: 201 }),
    ["credentials", "body"],
  ]);
});

it("refuses a form whose sender may no longer write when it has arrived", async () => {
  const [reply] = await serve("PUT", true, "", "value=1", false);
  expect(reply).toEqual(DENIED);
});

it("does not report form errors to a client without permission", async () => {
  expect(await serve("PUT", false, "prevExist=x", "ttl=x")).toEqual([DENIED, ["credentials"]]);
  expect(await serve("PUT", true, "", "ttl=x")).toEqual([
    expect.objectContaining({ status: 400 }),
    ["credentials", "body"],
  ]);
});

it.each(["GET", "DELETE", "PUT"])("%s without a form checks parameters first", async (method) => {
  const [reply, steps] = await serve(method, false, "recursive=x");
  expect([reply.status, steps]).toEqual([400, []]);
});

it("executes one recursive listing in each turn of the event loop", async () => {
  const executed: string[] = [];
  class Recorded extends MemoryKeySpace {
    override readonly execute: MemoryKeySpace["execute"] = (request: KeyRequest) => {
      executed.push(request.key);
      return super.execute(request);
    };
  }
  const permit: Permit = { isValid: async () => true, guard: () => () => {} };
  const keySpace = new Recorded();
  const keys = new KeysRoute(
    () => keySpace,
    { permit: async () => permit },
    async () => "abc",
  );
  const router = new Router([keys.route]);
  const ask = (path: string, query: string): Promise<ServerReply> => {
    const target = `/v2/keys${path}?${query}`;
    const { signal } = new AbortController();
    const request = { method: "GET", target, headers: {}, body: async () => "", signal };
    return router.serve(request, `/v2/keys${path}`, query);
  };
  const listings = Array.from({ length: 5 }, () => ask("/", "recursive=true"));
  await setImmediate();
  await ask("/small", "");
  expect(executed.indexOf("/small")).toBeLessThan(4);
  await Promise.all(listings);
  expect(executed).toHaveLength(6);
});

it("finds out no stack for a missing key, which would take as long as the response", async () => {
  const execute = vi.spyOn(MemoryKeySpace.prototype, "execute");
  const [reply] = await serve("GET", true, "");
  expect(reply.status).toBe(404);
  const error: Error = await execute.mock.results[0]?.value.catch((refusal: unknown) => refusal);
  execute.mockRestore();
  expect(error.stack).not.toContain("\n    at ");
});
