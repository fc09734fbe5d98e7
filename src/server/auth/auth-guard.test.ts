import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { type AuthServer, authServer, requestOf } from "../../../test/support/auth-server.js";
import type { StoredUser } from "../../auth/auth-store.js";
import { hashPassword, verifyPassword } from "../../auth/password.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import { AuthGuard } from "./auth-guard.js";
import { PasswordCheck } from "./password-check.js";

/** The credentials of a request. */
interface Shown {
  readonly as?: string;
  readonly authorization?: string;
  readonly certificateName?: string;
}

let server: AuthServer;
/** Users by password, made once because hashing is slow. */
const hashes = new Map<string, string>();

beforeEach(async () => {
  server = authServer();
  await server.store.ensureGuestRole();
  await user("root", "top");
  await server.store.setEnabled(true);
});

describe("while auth is off", () => {
  it("everyone may do everything, with any credentials", async () => {
    await server.store.setEnabled(false);
    expect(await may("DELETE", "/a", { authorization: "rubbish" })).toBe(true);
    expect(await isRoot({ as: "no:no" })).toBe(true);
  });
});

describe("isRoot", () => {
  beforeEach(async () => {
    await user("admin", "a", "root");
    await user("dev", "d", "dev");
  });

  test.each<[string, Shown, boolean]>([
    ["root", { as: "root:top" }, true],
    ["a user with root's role", { as: "admin:a" }, true],
    ["a user without", { as: "dev:d" }, false],
    ["nobody", {}, false],
    ["an unknown user", { as: "who:top" }, false],
    ["a user without a name", { as: ":top" }, false],
    ["a name that is a path", { as: "x/../root:top" }, false],
    ["a wrong password", { as: "root:tOp" }, false],
    ["a longer password", { as: "root:top2" }, false],
    ["a certificate", { certificateName: "admin" }, true],
    ["a certificate of another user", { certificateName: "dev" }, false],
    ["a certificate of no user", { certificateName: "who" }, false],
    ["a certificate without a name", { certificateName: "" }, false],
    ["a certificate, but wrong credentials", { as: "root:no", certificateName: "admin" }, false],
    ["a certificate, but other credentials", { as: "dev:d", certificateName: "admin" }, false],
    ["a certificate and an empty header", { authorization: "", certificateName: "admin" }, true],
  ])("%s: %o", async (_who, shown, expected) => {
    expect(await isRoot(shown)).toBe(expected);
  });

  it("uses the current password", async () => {
    expect(await isRoot({ as: "admin:a" })).toBe(true);
    const passwordHash = await hashPassword("b");
    await server.store.updateUser("admin", (old) => ({ ...old, passwordHash }));
    expect(await isRoot({ as: "admin:a" })).toBe(false);
    expect(await isRoot({ as: "admin:b" })).toBe(true);
  });
});

describe("a user who changes while the password is checked", () => {
  /** Password checks wait until the test continues them. */
  let letGo: () => void;
  let checks: number;
  let guard: AuthGuard;
  beforeEach(async () => {
    await role("dev", ["/*"], ["/*"]);
    await user("dev", "d", "dev");
    const queue = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    checks = 0;
    const verify = async (password: Buffer, hash: string): Promise<boolean> => {
      checks++;
      await queue;
      return verifyPassword(password, hash);
    };
    const passwords = new PasswordCheck({ verify });
    guard = new AuthGuard(server.store, passwords);
  });

  async function mayAfter(change: () => Promise<unknown>): Promise<boolean> {
    const request = requestOf({ method: "PUT", target: "/keys/a", as: "dev:d" });
    const asked = { action: "set", key: "/a", value: "" } as const;
    const permit = guard.permit(request, "PUT", "/a", asked);
    await vi.waitUntil(() => checks === 1, { timeout: 60_000 });
    await change();
    letGo();
    return (await permit) !== undefined;
  }

  it("is accepted if nothing has changed", async () => {
    expect(await mayAfter(async () => {})).toBe(true);
    expect(checks).toBe(1);
  });

  it("is refused if it was removed", async () => {
    expect(await mayAfter(() => server.store.removeUser("dev"))).toBe(false);
  });

  it("is refused if its right was revoked", async () => {
    const change = (old: StoredUser): StoredUser => ({ ...old, roles: [] });
    expect(await mayAfter(() => server.store.updateUser("dev", change))).toBe(false);
  });

  it("is refused if it has another password", async () => {
    const passwordHash = await hashPassword("other");
    const change = (old: StoredUser): StoredUser => ({ ...old, passwordHash });
    expect(await mayAfter(() => server.store.updateUser("dev", change))).toBe(false);
  });
});

describe("guests", () => {
  it("may do everything with the default role, except at the root itself", async () => {
    expect(await may("PUT", "/a")).toBe(true);
    expect(await may("GET", "/")).toBe(true);
    expect(await may("GET", "")).toBe(false);
  });

  it("may do nothing without their role", async () => {
    await server.store.removeRole("guest");
    expect(await may("GET", "/a")).toBe(false);
  });

  it("may use recursive on exact keys", async () => {
    await guestRole(["/pub"], ["/pub"]);
    expect(await may("GET", "/pub", {}, true)).toBe(true);
    expect(await may("DELETE", "/pub", {}, true)).toBe(true);
    expect(await may("GET", "/pub/", {}, true)).toBe(false);
  });

  test.each([
    ["wrong", { as: "root:no" }],
    ["of nobody", { as: "who:no" }],
    ["malformed", { authorization: "Basic !" }],
    ["of another scheme", { authorization: "Bearer cm9vdDp0b3A=" }],
  ])("are not clients with credentials that are %s", async (_kind, shown) => {
    expect(await may("GET", "/a", shown)).toBe(false);
  });

  it("are clients with a certificate of no user", async () => {
    expect(await may("GET", "/a", { certificateName: "who" })).toBe(true);
  });
});

describe("a user", () => {
  const dev = { as: "dev:d" };
  beforeEach(async () => {
    await role("dev", ["/dev/*", "/exact", "/beg*"], ["/dev/w", "/all/*"]);
    await user("dev", "d", "missing", "dev");
  });

  test.each<[KeyMethod, string, boolean]>([
    ["GET", "/dev/x", true],
    ["HEAD", "/dev/x/y", true],
    ["GET", "/dev", false],
    ["GET", "/dev/", true],
    ["GET", "/exact", true],
    ["GET", "/exact/", false],
    ["GET", "/exact/x", false],
    ["GET", "/beginning", true],
    ["GET", "/other", false],
    ["PUT", "/dev/x", false],
    ["PUT", "/dev/w", true],
    ["PUT", "/dev/w/", false],
    ["DELETE", "/dev/w", true],
    ["POST", "/dev/w", true],
    ["POST", "/dev", false],
    ["GET", "/all/x", false],
  ])("may %s %s: %s", async (method, key, expected) => {
    expect(await may(method, key, dev)).toBe(expected);
  });

  test.each<[KeyMethod, string, boolean]>([
    ["GET", "/dev/", true],
    ["GET", "/exact", false],
    ["DELETE", "/dev/w", false],
    ["DELETE", "/all/x", true],
  ])("may %s %s recursively: %s", async (method, key, expected) => {
    expect(await may(method, key, dev, true)).toBe(expected);
  });

  it("is recognized by certificate", async () => {
    expect(await may("GET", "/dev/x", { certificateName: "dev" })).toBe(true);
    expect(await may("GET", "/other", { certificateName: "dev" })).toBe(false);
  });

  it("without roles may not do what guests may do", async () => {
    await user("poor", "p");
    expect(await may("GET", "/dev/x", { as: "poor:p" })).toBe(false);
  });

  it("with several roles may do what any of them allows", async () => {
    await role("star", ["*"], []);
    await user("both", "b", "dev", "star");
    expect(await may("GET", "", { as: "both:b" })).toBe(true);
    expect(await may("PUT", "/dev/w", { as: "both:b" })).toBe(true);
    expect(await may("PUT", "/x", { as: "both:b" })).toBe(false);
  });

  it("with the role of root may do anything", async () => {
    await user("admin", "a", "root");
    expect(await may("GET", "", { as: "admin:a" })).toBe(true);
    expect(await may("DELETE", "/x", { as: "admin:a" }, true)).toBe(true);
  });

  it("gets only the empty key from an empty pattern", async () => {
    await role("empty", [""], []);
    await user("odd", "o", "empty");
    expect(await may("GET", "", { as: "odd:o" })).toBe(true);
    expect(await may("GET", "/", { as: "odd:o" })).toBe(false);
    expect(await may("GET", "/a", { as: "odd:o" }, true)).toBe(false);
  });
});

async function user(name: string, password: string, ...roles: readonly string[]): Promise<void> {
  const passwordHash = hashes.get(password) ?? (await hashPassword(password));
  hashes.set(password, passwordHash);
  await server.store.createUser({ user: name, passwordHash, roles });
}

async function role(name: string, read: readonly string[], write: readonly string[]) {
  await server.store.createRole({ role: name, permissions: { kv: { read, write } } });
}

async function guestRole(read: readonly string[], write: readonly string[]) {
  await server.store.removeRole("guest");
  await role("guest", read, write);
}

async function may(method: KeyMethod, key: string, shown: Shown = {}, recursive = false) {
  const request = requestOf({ method, target: `/keys${key}`, ...shown });
  const asked = { action: "get", key, recursive } as const;
  return (await server.guard.permit(request, method, key, asked)) !== undefined;
}

function isRoot(shown: Shown): Promise<boolean> {
  return server.guard.isRoot(requestOf({ method: "GET", target: "/members", ...shown }));
}
