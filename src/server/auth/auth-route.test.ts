import { expect, it, test } from "vitest";
import { authServer, CLUSTER_ID, requestOf } from "../../../test/support/auth-server.js";
import { enable, kv, message, ROOT_ROLE, root, walk } from "../../../test/support/auth-walk.js";
import { AuthStore } from "../../auth/auth-store.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { BodyError } from "../http/message.js";
import { Router } from "../http/router.js";
import { AuthGuard } from "./auth-guard.js";
import { authRoutes } from "./auth-route.js";

const as = "root:top";
const REFUSED = message("Insufficient credentials");
const GUEST_ROLE = { ...ROOT_ROLE, role: "guest" };

it("is enabled and disabled once, and requires a user root", () =>
  walk([
    ["GET /enable", 200, { enabled: false }],
    ["DELETE /enable", 409, message("auth: already disabled")],
    ["PUT /enable", 409, message("auth: No root user available, please create one")],
    ["PUT /users/root", root("top"), 201, { user: "root", roles: ["root"] }],
    ["PUT /enable", 200, ""],
    ["GET /enable", 200, { enabled: true }],
    ["PUT /enable", 401, REFUSED],
    ["DELETE /enable", 401, REFUSED],
    ["GET /users", 401, REFUSED],
    ["GET /roles", 401, REFUSED],
  ]));

it("lets root do everything while auth is on", () =>
  walk(
    [
      ["PUT /enable", 409, message("auth: already enabled")],
      ["GET /roles", 200, { roles: [GUEST_ROLE, ROOT_ROLE] }],
      ["DELETE /roles/guest", 200, ""],
      ["DELETE /users/root", 403, message("auth: Cannot delete root user while auth is enabled.")],
      ["DELETE /enable", 200, ""],
      ["DELETE /users/root", 200, ""],
    ],
    "top",
  ));

it("does not replace an existing guest role", () =>
  walk([
    ["PUT /roles/guest", { role: "guest" }, 201, { role: "guest", permissions: kv(null, null) }],
    ["PUT /users/root", root("top"), 201, { user: "root", roles: ["root"] }],
    ["PUT /enable", 200, ""],
  ]));

test.each([
  ["POST /users", "GET"],
  ["PUT /roles/", "GET"],
  ["HEAD /users/alice", "GET,PUT,DELETE"],
  ["POST /roles/r1", "GET,PUT,DELETE"],
  ["PATCH /enable", "GET,PUT,DELETE"],
])("%s is not allowed, before credentials are checked", async (line, allow) => {
  const [method = "", path = ""] = line.split(" ");
  const server = await enabled();
  expect(await server.ask({ method, target: `/auth${path}` })).toEqual({
    status: 405,
    headers: [
      ...["Allow", allow],
      ...["Content-Type", "text/plain; charset=utf-8"],
      ...["X-Content-Type-Options", "nosniff"],
    ],
    body: "Method Not Allowed\n",
  });
});

test.each(["", "/", "/foo", "/enable/", "/usersfoo"])("there is no route %s", async (path) => {
  expect(await authServer().ask({ method: "GET", target: `/auth${path}` })).toMatchObject({
    status: 404,
    body: "404 page not found\n",
  });
});

it("responds with the cluster id, except when it refuses path or credentials", async () => {
  const server = await enabled();
  const headersOf = async (target: string, credentials: string) =>
    (await server.ask({ method: "GET", target, as: credentials })).headers;
  const json = ["Content-Type", "application/json"];
  const withId = [...json, "X-Etcd-Cluster-Id", CLUSTER_ID];
  expect(await headersOf("/auth/users", as)).toEqual(withId);
  expect(await headersOf("/auth/users/nope", as)).toEqual(withId);
  expect(await headersOf("/auth/users", "root:wrong")).toEqual(json);
  expect(await headersOf("/auth/users/a/b", as)).toEqual(json);
});

it("gives path and credentials precedence over the body", async () => {
  const server = await enabled();
  const ask = async (target: string) =>
    (await server.ask({ method: "PUT", target, body: "{" })).status;
  expect(await ask("/auth/users/a/b")).toBe(400);
  expect(await ask("/auth/users/a")).toBe(401);
});

it("never quotes a password", async () => {
  const server = authServer();
  const secret = "hunter2";
  const put = (path: string, body: object | string) =>
    server.ask({ method: "PUT", target: `/auth/users/${path}`, body });
  const replies = [
    await put("alice", { user: "alice", password: secret }),
    await put("alice", { user: "alice", password: secret, roles: ["r"] }),
    await put("alice", { user: "bob", password: secret }),
    await put("alice", `{"user":"alice","password":"${secret}`),
    await put("alice", { user: "alice", password: [secret] }),
    await server.ask({ method: "GET", target: "/auth/users" }),
  ];
  expect(JSON.stringify(replies)).not.toContain(secret);
  expect(JSON.stringify(await server.store.user("alice"))).not.toContain(secret);
});

it("treats an unreadable body as invalid JSON", async () => {
  const store = new AuthStore(new MemoryKeySpace());
  const request = {
    ...requestOf({ method: "PUT", target: "/auth/users/a" }),
    body: () => Promise.reject(new BodyError("http: request body too large")),
  };
  const reply = await routerOf(store).serve(request, "/v2/auth/users/a", "");
  expect([reply.status, reply.body]).toEqual([400, message("Invalid JSON in request body.")]);
});

it("responds with 500 and accepts no one when its store is unavailable", async () => {
  const keySpace = new MemoryKeySpace();
  keySpace.execute = () => Promise.reject(new ClusterUnavailableError("GET /enabled", []));
  const store = new AuthStore(keySpace);
  const request = requestOf({ method: "GET", target: "/auth/users" });
  expect(await routerOf(store).serve(request, "/v2/auth/users", "")).toMatchObject({
    status: 500,
    body: message("Internal Server Error"),
  });
  const get = { action: "get", key: "/a" } as const;
  await expect(new AuthGuard(store).permit(request, "GET", "/a", get)).rejects.toThrow(
    ClusterUnavailableError,
  );
});

function routerOf(store: AuthStore): Router {
  const guard = new AuthGuard(store);
  return new Router(
    authRoutes(
      store,
      (request) => guard.isRoot(request),
      async () => CLUSTER_ID,
    ),
  );
}

async function enabled() {
  const server = authServer();
  await enable(server, "top");
  return server;
}
