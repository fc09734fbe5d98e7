import type { AuthRow } from "./auth-row.js";

const LONG = "0123456789".repeat(7);

/** Deliberate differences from etcd: status and body of both, or no response. */
export interface Deviation {
  readonly row: AuthRow;
  readonly etcd: string;
  readonly ours: string;
}

const CLOSED = "connection closed";
const REFUSED = '401 {"message":"Insufficient credentials"}';

/** Sent to servers without users, in this order. */
export const DEVIATIONS: readonly Deviation[] = [
  {
    row: [
      "a name that begins like a hidden key",
      "PUT /auth/users/_x",
      { body: { user: "_x", password: "x" } },
    ],
    etcd: '201 {"user":"_x","roles":null}\n',
    ours: '201 {"user":"_x","roles":null}\n',
  },
  {
    row: ["is listed", "GET /auth/users"],
    etcd: '200 {"users":null}\n',
    ours: '200 {"users":[{"user":"_x"}]}\n',
  },
  {
    row: [
      "a percent sign in a message is one",
      "PUT /auth/users/_x",
      { body: { user: "_x", revoke: ["5%s"] } },
    ],
    etcd: '409 {"message":"auth: Revoking ungranted role 5%!s(MISSING) for user _x"}',
    ours: '409 {"message":"auth: Revoking ungranted role 5%s for user _x"}',
  },
  {
    row: ["a role without a name", "PUT /auth/users/_x", { body: { user: "_x", grant: [""] } }],
    etcd: '200 {"user":"_x","roles":[""]}\n',
    ours: '200 {"user":"_x","roles":[""]}\n',
  },
  {
    row: ["does not exist", "GET /auth/users/_x"],
    etcd: CLOSED,
    ours: '404 {"message":"auth: Role  does not exist."}',
  },
  {
    row: ["root", "PUT /auth/users/root", { body: { user: "root", password: "top" } }],
    etcd: '201 {"user":"root","roles":["root"]}\n',
    ours: '201 {"user":"root","roles":["root"]}\n',
  },
  { row: ["enable", "PUT /auth/enable"], etcd: "200 ", ours: "200 " },
  {
    row: ["credentials without a name", "GET /auth/users/nope", { as: ":top" }],
    etcd: CLOSED,
    ours: REFUSED,
  },
  {
    row: ["a name that is a path to another", "GET /auth/users/nope", { as: "x/../root:top" }],
    etcd: '404 {"message":"auth: User nope does not exist."}',
    ours: REFUSED,
  },
  {
    row: [
      "a password is taken whole",
      "PUT /auth/users/root",
      { as: "root:top", body: { user: "root", password: `${LONG}00tail` } },
    ],
    etcd: '200 {"user":"root","roles":["root"]}\n',
    ours: '200 {"user":"root","roles":["root"]}\n',
  },
  {
    row: ["beyond 72 bytes", "GET /auth/users/nope", { as: `root:${LONG}00other` }],
    etcd: '404 {"message":"auth: User nope does not exist."}',
    ours: REFUSED,
  },
  {
    row: [
      "an empty pattern",
      "PUT /auth/roles/empty",
      {
        as: `root:${LONG}00tail`,
        body: { role: "empty", permissions: { kv: { read: [""], write: ["/w"] } } },
      },
    ],
    etcd: '201 {"role":"empty","permissions":{"kv":{"read":[""],"write":["/w"]}}}\n',
    ours: '201 {"role":"empty","permissions":{"kv":{"read":[""],"write":["/w"]}}}\n',
  },
  {
    row: [
      "in a role",
      "PUT /auth/users/e",
      { as: `root:${LONG}00tail`, body: { user: "e", password: "p", roles: ["empty"] } },
    ],
    etcd: '200 {"user":"e","roles":["empty"]}\n',
    ours: '200 {"user":"e","roles":["empty"]}\n',
  },
  {
    row: ["matches no key", "GET /keys/x", { as: "e:p" }],
    etcd: CLOSED,
    ours: '401 {"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}\n',
  },
  {
    row: [
      "recursive counts only where it does something",
      "PUT /keys/w?value=1&recursive=true",
      { as: "e:p" },
    ],
    etcd: '401 {"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}\n',
    ours: '201 {"action":"set","node":{"key":"/w","value":"1","modifiedIndex":4,"createdIndex":4}}\n',
  },
];
