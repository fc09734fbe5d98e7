import { it } from "vitest";
import { kv, message, ROOT_ROLE, walk } from "../../../test/support/auth-walk.js";

it("creates, returns and deletes roles", () => {
  const r1 = { role: "r1", permissions: kv(null, null) };
  const r2 = { role: "r2", permissions: kv(["/b", "/a"], null), grant: kv([], null) };
  return walk([
    ["GET /roles", 200, { roles: [ROOT_ROLE] }],
    ["GET /roles/r1", 404, message("auth: Role r1 does not exist.")],
    ["PUT /roles/r1", { role: "r1" }, 201, r1],
    ["PUT /roles/r1", { role: "r1" }, 409, message("auth: Role r1 already exists.")],
    ["PUT /roles/r2", r2, 201, r2],
    ["GET /roles/r2", 200, r2],
    ["GET /roles/", 200, { roles: [r1, r2, ROOT_ROLE] }],
    ["DELETE /roles/r1", 200, ""],
    ["DELETE /roles/r1", 404, message("auth: Role r1 doesn't exist.")],
    ["GET /roles/root", 200, ROOT_ROLE],
  ]);
});

it("changes roles", () => {
  const unchanged = message("auth: Role not updated. Use grant/revoke to update the role.");
  const r1 = (change: object) => ({ role: "r1", ...change });
  return walk([
    ["PUT /roles/r1", r1({}), 201, r1({ permissions: kv(null, null) })],
    [
      "PUT /roles/r1",
      r1({ grant: kv(["/b", "/a"], null) }),
      200,
      r1({ permissions: kv(["/a", "/b"], []) }),
    ],
    [
      "PUT /roles/r1",
      r1({ grant: kv(null, ["/w"]), revoke: kv(["/b", "/none"], null) }),
      200,
      r1({ permissions: kv(["/a"], ["/w"]) }),
    ],
    [
      "PUT /roles/r1",
      r1({ grant: kv(null, ["/w"]) }),
      409,
      message("auth: Granting duplicate write permission /w"),
    ],
    [
      "PUT /roles/r1",
      r1({ grant: kv(["/a"], null) }),
      409,
      message("auth: Granting duplicate read permission /a"),
    ],
    ["PUT /roles/r1", r1({ revoke: kv(["/none"], null) }), 400, unchanged],
    [
      "PUT /roles/r1",
      r1({ permissions: kv(["/x"], null), grant: kv(["/y"], null) }),
      400,
      message("Role JSON contains both permissions and grant/revoke"),
    ],
    [
      "PUT /roles/r9",
      { role: "r9", grant: kv(["/y"], null) },
      404,
      message("auth: Role r9 does not exist."),
    ],
    ["PUT /roles/r9", r1({}), 400, message("Role JSON name does not match the name in the URL")],
    ["PUT /roles/r1", "[]", 400, message("Invalid JSON in request body.")],
  ]);
});

it("does not change the role root", () => {
  const refused = message("auth: Cannot modify role root: is root role.");
  return walk([
    ["PUT /roles/root", { role: "root" }, 403, refused],
    ["PUT /roles/root", { role: "root", grant: kv(["/y"], null) }, 403, refused],
    ["DELETE /roles/root", 403, refused],
  ]);
});
