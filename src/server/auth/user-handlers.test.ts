import { expect, it } from "vitest";
import { authServer } from "../../../test/support/auth-server.js";
import { message, ROOT_ROLE, root, walk } from "../../../test/support/auth-walk.js";

it("creates, returns and deletes users", () =>
  walk([
    ["GET /users", 200, { users: null }],
    ["GET /users/alice", 404, message("auth: User alice does not exist.")],
    ["PUT /users/alice", { user: "alice", password: "pw" }, 201, { user: "alice", roles: null }],
    ["GET /users/alice", 200, { user: "alice" }],
    [
      "PUT /users/bob",
      { user: "bob", password: "pw", roles: ["root", "r1"] },
      200,
      { user: "bob", roles: ["root", "r1"] },
    ],
    ["GET /users/bob", 404, message("auth: Role r1 does not exist.")],
    ["GET /users/", 200, { users: [{ user: "alice" }, { user: "bob", roles: [ROOT_ROLE] }] }],
    [
      "PUT /users/bob",
      { user: "bob", password: "pw", roles: ["r1"] },
      409,
      message("auth: User bob already exists."),
    ],
    [
      "PUT /users/carl",
      { user: "carl" },
      400,
      message("auth: Cannot create user carl with an empty password"),
    ],
    ["DELETE /users/alice", 200, ""],
    ["DELETE /users/alice", 404, message("auth: User alice does not exist")],
  ]));

it("changes users", () => {
  const unchanged = message(
    "auth: User not updated. Use grant/revoke/password to update the user.",
  );
  const bob = (change: object) => ({ user: "bob", ...change });
  return walk([
    ["PUT /users/bob", bob({ password: "pw", roles: ["r1"] }), 200, bob({ roles: ["r1"] })],
    ["PUT /users/bob", bob({ password: "2" }), 200, bob({ roles: ["r1"] })],
    ["PUT /users/bob", bob({}), 400, unchanged],
    [
      "PUT /users/bob",
      bob({ grant: ["zz", "aa"], revoke: ["r1"], password: "new" }),
      200,
      bob({ roles: ["aa", "zz"] }),
    ],
    [
      "PUT /users/bob",
      bob({ grant: ["aa"] }),
      409,
      message("auth: Granting duplicate role aa for user bob"),
    ],
    [
      "PUT /users/bob",
      bob({ revoke: ["r9"] }),
      409,
      message("auth: Revoking ungranted role r9 for user bob"),
    ],
    [
      "PUT /users/bob",
      bob({ roles: ["x"], grant: ["y"] }),
      400,
      message("User JSON contains both roles and grant/revoke"),
    ],
    ["PUT /users/no", { user: "no", grant: ["y"] }, 404, message("auth: User no does not exist.")],
    ["PUT /users/bob", {}, 400, message("User JSON name does not match the name in the URL")],
    ["PUT /users/bob", "{", 400, message("Invalid JSON in request body.")],
    ["PUT /users/bob", 400, message("Invalid JSON in request body.")],
  ]);
});

it("never revokes the role of root", () =>
  walk([
    ["PUT /users/root", root("top"), 201, { user: "root", roles: ["root"] }],
    ["PUT /users/root", { user: "root", revoke: ["root"] }, 200, { user: "root", roles: [] }],
    ["GET /users/root", 200, { user: "root", roles: [ROOT_ROLE] }],
  ]));

it("loses none of many concurrent changes", async () => {
  const server = authServer();
  const put = (body: object) => server.ask({ method: "PUT", target: "/auth/users/bob", body });
  await put({ user: "bob", password: "pw", roles: ["r"] });
  const roles = Array.from({ length: 20 }, (_, index) => `r${index}`);
  const replies = await Promise.all(roles.map((role) => put({ user: "bob", grant: [role] })));
  expect(replies.every(({ status }) => status === 200)).toBe(true);
  expect((await server.store.user("bob"))?.roles).toEqual(["r", ...roles].toSorted());
});

it("creates a user once, with several concurrent requests", async () => {
  const server = authServer();
  const body = { user: "bob", password: "pw", roles: ["r"] };
  const create = () => server.ask({ method: "PUT", target: "/auth/users/bob", body });
  const replies = await Promise.all([create(), create(), create()]);
  expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
});
