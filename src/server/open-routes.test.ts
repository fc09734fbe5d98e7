import { describe, expect, test } from "vitest";
import { AuthStore } from "../auth/auth-store.js";
import { MemoryClusterApi } from "../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { createV2Handler } from "./create-v2-handler.js";
import type { V2Handler } from "./http/message.js";

/** Routes without auth, as in `docs/running-the-gateway.md`. */
const OPEN = [
  ["GET", "/version"],
  ["GET", "/health"],
  ["GET", "/metrics"],
  ["GET", "/livez"],
  ["HEAD", "/livez"],
  ["GET", "/readyz"],
  ["HEAD", "/readyz"],
  ["GET", "/v2/machines"],
  ["GET", "/v2/members"],
  ["GET", "/v2/members/leader"],
  ["GET", "/v2/stats/self"],
  ["GET", "/v2/stats/store"],
  ["GET", "/v2/stats/leader"],
  ["GET", "/v2/auth/enable"],
  ["PUT", "/config/local/log"],
  ["OPTIONS", "/v2/keys/a"],
] as const;

/** Refused without credentials while auth is on. */
const GUARDED = [
  ["GET", "/v2/keys/a"],
  ["HEAD", "/v2/keys/a"],
  ["GET", "/v2/keys/a?wait=true"],
  ["PUT", "/v2/keys/a"],
  ["POST", "/v2/keys/a"],
  ["DELETE", "/v2/keys/a"],
  ["POST", "/v2/members"],
  ["PUT", "/v2/members/1"],
  ["DELETE", "/v2/members/1"],
  ["PUT", "/v2/auth/enable"],
  ["DELETE", "/v2/auth/enable"],
  ["GET", "/v2/auth/users"],
  ["GET", "/v2/auth/users/root"],
  ["PUT", "/v2/auth/users/root"],
  ["DELETE", "/v2/auth/users/root"],
  ["GET", "/v2/auth/roles"],
  ["GET", "/v2/auth/roles/root"],
  ["PUT", "/v2/auth/roles/a"],
  ["DELETE", "/v2/auth/roles/a"],
] as const;

async function server(rootPassword?: string): Promise<V2Handler> {
  const keySpace = new MemoryKeySpace();
  const authKeySpace = new MemoryKeySpace();
  if (rootPassword !== undefined) await enforceAuth(new AuthStore(authKeySpace), rootPassword);
  return createV2Handler({
    keySpace,
    authKeySpace,
    clusterApi: new MemoryClusterApi(keySpace),
    clusterId: async () => keySpace.clusterId,
  });
}

async function statusOf(handler: V2Handler, method: string, target: string): Promise<number> {
  const body = async () => (target === "/config/local/log" ? '{"Level":"INFO"}' : "");
  const { signal } = new AbortController();
  return (await handler({ method, target, headers: {}, body, signal })).status;
}

const open = await server();
const guarded = await server("secret");

describe("without credentials", () => {
  test.each(OPEN)("%s %s is served whether auth is on or off", async (method, target) => {
    for (const handler of [open, guarded]) {
      expect(await statusOf(handler, method, target)).toBeLessThan(300);
    }
  });

  test.each(GUARDED)("%s %s is refused while auth is on only", async (method, target) => {
    expect(await statusOf(guarded, method, target)).toBe(401);
    expect(await statusOf(open, method, target)).not.toBe(401);
  });
});
