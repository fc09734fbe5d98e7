/** Requests about roles, in order, for the comparison with etcd. */

import type { AuthRow } from "./auth-row.js";

export const ROLES: readonly AuthRow[] = [
  ["root is always there", "GET /auth/roles"],
  ["root", "GET /auth/roles/root"],
  ["a bad query for roles", "GET /auth/roles?a=%zz"],
  ["a bad query for a role", "GET /auth/roles/root?a=%zz"],
  ["an empty role", "PUT /auth/roles/r1", { body: { role: "r1" } }],
  ["an empty role again", "PUT /auth/roles/r1", { body: { role: "r1" } }],
  ["as it is", "GET /auth/roles/r1"],
  [
    "an empty grant",
    "PUT /auth/roles/r2",
    {
      body: {
        revoke: { kv: { read: [] } },
        grant: {},
        permissions: { kv: { write: ["/b", "/a", "/a"] } },
        role: "r2",
      },
    },
  ],
  ["is kept", "GET /auth/roles/r2"],
  [
    "revoke nothing, which tidies",
    "PUT /auth/roles/r2",
    { body: { role: "r2", revoke: { kv: { read: ["/x"] } } } },
  ],
  [
    "revoke nothing again",
    "PUT /auth/roles/r2",
    { body: { role: "r2", revoke: { kv: { read: ["/x"] } } } },
  ],
  ["tidy", "GET /auth/roles/r2"],
  [
    "grant and revoke",
    "PUT /auth/roles/r2",
    {
      body: {
        role: "r2",
        grant: { kv: { read: ["/z*", "/c"] } },
        revoke: { kv: { write: ["/a"], read: ["/none"] } },
      },
    },
  ],
  [
    "granted already",
    "PUT /auth/roles/r2",
    { body: { role: "r2", grant: { kv: { read: ["/c"] } } } },
  ],
  [
    "twice",
    "PUT /auth/roles/r2",
    { body: { role: "r2", grant: { kv: { write: ["/%s<", "/%s<"] } } } },
  ],
  [
    "granted and revoked",
    "PUT /auth/roles/r2",
    { body: { role: "r2", grant: { kv: { write: ["/d"] } }, revoke: { kv: { write: ["/d"] } } } },
  ],
  [
    "permissions with a grant",
    "PUT /auth/roles/r2",
    {
      body: { role: "r2", permissions: { kv: { read: ["/"] } }, grant: { kv: { write: ["/d"] } } },
    },
  ],
  [
    "a grant for no role",
    "PUT /auth/roles/no",
    { body: { role: "no", grant: { kv: { read: ["/"] } } } },
  ],
  ["no such role", "GET /auth/roles/no%20%25"],
  ["another name", "PUT /auth/roles/r2", { body: { role: "r3" } }],
  ["no name", "PUT /auth/roles/r2", { body: {} }],
  ["bad JSON", "PUT /auth/roles/r2", { body: "{" }],
  ["no body", "PUT /auth/roles/r2"],
  ["a list for permissions", "PUT /auth/roles/r5", { body: { role: "r5", permissions: [] } }],
  [
    "text for patterns",
    "PUT /auth/roles/r5",
    { body: { role: "r5", permissions: { kv: { read: "/" } } } },
  ],
  ["nulls", "PUT /auth/roles/r5", { body: { role: "r5", permissions: { kv: null }, grant: null } }],
  [
    "a null pattern",
    "PUT /auth/roles/r6",
    { body: { role: "r6", permissions: { KV: { read: ["/a", null] } } } },
  ],
  ["root cannot be created", "PUT /auth/roles/root", { body: { role: "root" } }],
  [
    "nor changed",
    "PUT /auth/roles/root",
    { body: { role: "root", grant: { kv: { read: ["/"] } } } },
  ],
  [
    "nor both",
    "PUT /auth/roles/root",
    {
      body: { role: "root", permissions: { kv: { read: ["/"] } }, grant: { kv: { read: ["/"] } } },
    },
  ],
  ["nor deleted", "DELETE /auth/roles/root"],
  ["a role with a percent sign", "PUT /auth/roles/5%25%20<", { body: { role: "5% <" } }],
  ["all roles", "GET /auth/roles"],
  ["delete", "DELETE /auth/roles/r6"],
  ["delete again", "DELETE /auth/roles/r6"],
  ["delete one with a percent sign", "DELETE /auth/roles/6%25"],
  [
    "a user with roles",
    "PUT /auth/users/roly",
    { body: { user: "roly", password: "x", roles: ["r2", "r1"] } },
  ],
  ["is shown with them", "GET /auth/users/roly"],
  ["as all are", "GET /auth/users"],
];
