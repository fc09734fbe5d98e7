import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { requestOf } from "../../../test/support/auth-server.js";
import { AuthStore } from "../../auth/auth-store.js";
import { hashPassword } from "../../auth/password.js";
import { DamagedRecordError } from "../../errors/v3-errors.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { AuthGuard } from "./auth-guard.js";
import { enforceAuth } from "./enforce-auth.js";

/** Records of one user with many passwords would take long to hash. */
const HASH = await hashPassword("secret");
const EVERYTHING = { kv: { read: ["/*"], write: ["/*"] } };
const SWITCHES = ["/enabled", "/enabled-copy"];

let keySpace: MemoryKeySpace;
let store: AuthStore;
beforeEach(() => {
  keySpace = new MemoryKeySpace();
  store = new AuthStore(keySpace);
});

const set = (key: string, value: string) => keySpace.execute({ action: "set", key, value });
const remove = (key: string) => keySpace.execute({ action: "delete", key, recursive: true });

describe("auth that is enabled", () => {
  beforeEach(() => store.setEnabled(true));

  test.each(SWITCHES)("stays on for everyone when %s is gone", async (key) => {
    await remove(key);
    expect(await new AuthStore(keySpace).isEnabled()).toBe(true);
  });

  test.each(SWITCHES)("stays on for everyone when %s is damaged", async (key) => {
    for (const value of ["", "False", "false ", "0", "\0", "{}"]) {
      await set(key, value);
      await remove(SWITCHES.find((other) => other !== key) ?? "");
      expect(await new AuthStore(keySpace).isEnabled()).toBe(true);
      await store.setEnabled(true);
    }
    await remove(key);
    await set(`${key}/below`, "false");
    expect(await new AuthStore(keySpace).isEnabled()).toBe(true);
  });

  it("stays on for servers that have seen it on, when all its records are gone", async () => {
    expect(await store.isEnabled()).toBe(true);
    for (const key of SWITCHES) await remove(key);
    expect(await store.isEnabled()).toBe(true);
    // After a restart, it cannot be distinguished from auth that was never enabled.
    expect(await new AuthStore(keySpace).isEnabled()).toBe(false);
  });

  it("is off after it is disabled, even if its records were damaged", async () => {
    for (const key of SWITCHES) {
      await remove(key);
      await set(`${key}/below`, "");
    }
    await store.setEnabled(false);
    expect(await store.isEnabled()).toBe(false);
    for (const key of SWITCHES) await remove(key);
    expect(await store.isEnabled()).toBe(false);
  });
});

describe("auth that is off", () => {
  it("is read once while the key space does not change", async () => {
    const execute = vi.spyOn(keySpace, "execute");
    for (let n = 0; n < 3; n++) expect(await store.isEnabled()).toBe(false);
    expect(execute).toHaveBeenCalledTimes(1);
    expect(store.isKnownOff).toBe(true);
  });

  test.each(SWITCHES)("is on as soon as another program sets %s", async (key) => {
    expect(await store.isEnabled()).toBe(false);
    const reading = store.isEnabled();
    await set(key, "true");
    await reading;
    expect(store.isKnownOff).toBe(false);
    expect(await store.isEnabled()).toBe(true);
    expect(store.isKnownOff).toBe(false);
  });

  it("is not known for a key space that does not say whether it has changed", async () => {
    const remote = { execute: keySpace.execute.bind(keySpace) } as unknown as KeySpace;
    const other = new AuthStore(remote);
    expect(await other.isEnabled()).toBe(false);
    expect(other.isKnownOff).toBe(false);
    await set("/enabled", "true");
    expect(await other.isEnabled()).toBe(true);
  });
});

describe("a damaged record", () => {
  const user = (fields: object): string =>
    JSON.stringify({ user: "alice", passwordHash: HASH, roles: ["dev"], ...fields });
  const role = (fields: object): string =>
    JSON.stringify({ role: "dev", permissions: EVERYTHING, ...fields });

  test.each<[string, string]>([
    ["text that is not JSON", "not json"],
    ["half of it", user({}).slice(0, -1)],
    ["another type of value", "[]"],
    ["nothing", ""],
    ["null", "null"],
    ["another name", user({ user: "root" })],
    ["no hash", user({ passwordHash: undefined })],
    ["a hash of another length", user({ passwordHash: "scrypt:AAAA:AAAA" })],
    ["roles that are not a list", user({ roles: "root" })],
    ["roles that are not strings", user({ roles: [["root"]] })],
  ])("of a user, with %s, accepts no password", async (_what, value) => {
    await store.setEnabled(true);
    await store.createRole({ role: "guest", permissions: EVERYTHING });
    await set("/users/=alice", value);
    await set("/users/=bob", JSON.stringify({ user: "bob", passwordHash: HASH, roles: null }));
    const guard = new AuthGuard(store);
    const may = async (shown: object) => {
      const request = requestOf({ method: "GET", target: "/keys/a", ...shown });
      return await guard.permit(request, "GET", "/a", { action: "get", key: "/a" });
    };
    expect(await may({ as: "alice:secret" })).toBeUndefined();
    expect(await may({ certificateName: "alice" })).toBeUndefined();
    expect(await guard.isRoot(requestOf({ method: "GET", target: "/", as: "alice:secret" }))).toBe(
      false,
    );
    expect((await store.users()).map((each) => each.user)).toEqual(["bob"]);
    await expect(store.user("alice")).rejects.toThrow(DamagedRecordError);
  });

  test.each<[string, string]>([
    ["text that is not JSON", "{"],
    ["another name", role({ role: "root" })],
    ["no permissions", role({ permissions: undefined })],
    ["permissions that are not lists", role({ permissions: { kv: { read: "/*", write: "/*" } } })],
    ["patterns that are not strings", role({ permissions: { kv: { read: [1], write: null } } })],
  ])("of a role, with %s, grants nothing", async (_what, value) => {
    await store.setEnabled(true);
    await set("/roles/=dev", value);
    await store.createUser({ user: "alice", passwordHash: HASH, roles: ["dev"] });
    const request = requestOf({ method: "GET", target: "/keys/a", certificateName: "alice" });
    const asked = { action: "get", key: "/a" } as const;
    expect(await new AuthGuard(store).permit(request, "GET", "/a", asked)).toBeUndefined();
    expect((await store.roles()).map((each) => each.role)).toEqual(["root"]);
  });

  it("is traced with its key, and without its content", async () => {
    const traced: DamagedRecordError[] = [];
    const listen = (message: unknown): void => void traced.push(message as DamagedRecordError);
    subscribe("etcdnet:damage", listen);
    await set("/users/=alice", '{"passwordHash": "a secret"');
    await set("/users/stray", "a secret");
    await store.users();
    await store.user("alice").catch(() => {});
    unsubscribe("etcdnet:damage", listen);
    const keys = traced.map(({ key }) => key);
    expect(keys).toEqual(["/users/=alice", "/users/stray", "/users/=alice"]);
    for (const { message, key } of traced) {
      expect(message).toContain(key);
      expect(message).not.toContain("a secret");
    }
  });

  it("can be removed and created again", async () => {
    await set("/users/=alice/below", "1");
    expect(await store.removeUser("alice")).toBe(true);
    expect(await store.user("alice")).toBeUndefined();
  });

  test.each(["/users/=root", "/users/=root/below"])(
    "at %s does not keep a server from enforcing auth",
    async (key) => {
      await set(key, "not json");
      await enforceAuth(store, "secret");
      expect(await store.user("root")).toMatchObject({ roles: ["root"] });
      expect(await store.isEnabled()).toBe(true);
    },
  );
});
