// @ts-check
// Authentication: users, roles, and what a client without permission meets.
//
// It needs an etcd whose v2 auth is on, and the password of its user `root`, in ETCD_PASSWORD.
import { EtcdClient, UnauthorizedError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const password = process.env.ETCD_PASSWORD ?? "";
const root = new EtcdClient({ urls, username: "root", password });

if (!(await root.auth.isEnabled())) {
  console.error("auth is off: make a user root with root.auth.users.create, then root.auth.enable");
  process.exit(1);
}

const directory = "/example-authentication";
const { users, roles } = root.auth;

await root.setNode(`${directory}/greeting`, "hello");
await roles.create("example-reader", { read: [`${directory}/*`] });
await users.create("example-alice", { password: "wonderland", roles: ["example-reader"] });
console.log("users:", (await users.list()).map(({ user }) => user).join(", "));

const alice = new EtcdClient({ urls, username: "example-alice", password: "wonderland" });
console.log("alice reads:", await alice.getNodeValue(`${directory}/greeting`));

/** @param {string} who @param {Promise<unknown>} call */
async function expectRefusal(who, call) {
  try {
    await call;
    console.log(`${who} is let in`);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    console.log(`${who} is refused: ${error.detail}`);
  }
}

await expectRefusal("alice, who writes,", alice.setNode(`${directory}/greeting`, "bye"));
await roles.update("example-reader", { grant: { write: [`${directory}/*`] } });
await expectRefusal("alice, with leave to write,", alice.setNode(`${directory}/greeting`, "bye"));

const mallory = new EtcdClient({ urls, username: "example-alice", password: "guessed" });
await expectRefusal("a wrong password", mallory.getNode(`${directory}/greeting`));

// Without credentials a client is `guest`, who may do everything until you restrict that role.
console.log("guest may:", JSON.stringify((await roles.get("guest")).permissions.kv));

await users.remove("example-alice");
await roles.remove("example-reader");
await root.deleteNode(directory, { recursive: true });
await Promise.all([root, alice, mallory].map((client) => client.close()));
