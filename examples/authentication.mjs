// @ts-check
// Authentication: users, roles, and the error for a missing permission.
//
// It needs an etcd with v2 auth enabled. ETCD_PASSWORD is the password of the user `root`.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const password = process.env.ETCD_PASSWORD ?? "";
const root = new EtcdClient({ endpoints, username: "root", password });

if (!(await root.auth.isEnabled())) {
  console.error(
    "auth is off: create a user root with root.auth.users.create, then call root.auth.enable",
  );
  process.exit(1);
}

const directory = "/example-authentication";
const { users, roles } = root.auth;

await root.setNode(`${directory}/greeting`, "hello");
await roles.create("example-reader", { read: [`${directory}/*`] });
await users.create("example-alice", { password: "wonderland", roles: ["example-reader"] });
console.log("users:", (await users.list()).map(({ user }) => user).join(", "));

const alice = new EtcdClient({ endpoints, username: "example-alice", password: "wonderland" });
console.log("alice reads:", await alice.getNodeValue(`${directory}/greeting`));

/** @param {string} who @param {Promise<unknown>} call */
async function expectRefusal(who, call) {
  try {
    await call;
    console.log(`${who} is accepted`);
  } catch (error) {
    if (!isEtcdError(error, "Unauthorized")) throw error;
    console.log(`${who} is refused: ${error.detail}`);
  }
}

await expectRefusal(
  "alice's write without permission",
  alice.setNode(`${directory}/greeting`, "bye"),
);
await roles.update("example-reader", { grant: { write: [`${directory}/*`] } });
await expectRefusal("alice's write with permission", alice.setNode(`${directory}/greeting`, "bye"));

const mallory = new EtcdClient({ endpoints, username: "example-alice", password: "guessed" });
await expectRefusal("a wrong password", mallory.getNode(`${directory}/greeting`));

// A client without credentials has the role `guest`, which may do everything until you restrict it.
console.log("guest may:", JSON.stringify((await roles.get("guest")).permissions.kv));

await users.remove("example-alice");
await roles.remove("example-reader");
await root.deleteNode(directory, { recursive: true });
await Promise.all([root, alice, mallory].map((client) => client.close()));
