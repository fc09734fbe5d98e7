// @ts-check
// Config: typed and validated settings that follow etcd while the program runs.
import { once } from "node:events";
import { config, EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const directory = "/example-config";

/**
 * @typedef {{ name: string, database: { host: string, port: number } }} Settings
 *
 * Use any Standard Schema, for example from zod:
 *
 *     z.object({
 *       name: z.string(),
 *       database: z.object({ host: z.string(), port: z.coerce.number().int().positive() }),
 *     })
 *
 * This example has its own schema, so that it needs no other package.
 *
 * @type {import("etcdnet").ConfigSchema<Settings>}
 */
const schema = {
  "~standard": {
    version: 1,
    vendor: "example",
    validate(value) {
      const { name, database } = /** @type {any} */ (value ?? {});
      const port = Number(database?.port);
      if (name === undefined) return { issues: [{ message: "is missing", path: ["name"] }] };
      if (!Number.isInteger(port) || port < 1) {
        return { issues: [{ message: "must be a port", path: ["database", "port"] }] };
      }
      return { value: { name, database: { host: database.host ?? "localhost", port } } };
    },
  },
};

await etcd.setNode(`${directory}/name`, "shop");
await etcd.setNode(`${directory}/database/port`, "5432");

const mirror = etcd.mirror(directory);
mirror.on("error", (error) => console.error("the mirror:", error.message));

const settings = config(mirror, schema);
settings.on("change", ({ current, previous }) => {
  console.log(`the port was ${previous?.database.port}, is ${current.database.port}`);
});
settings.on("error", (error) => console.log("invalid:", error.message));

const { name, database } = await settings.ready;
console.log(`${name} uses ${database.host}:${database.port}`);

// Invalid settings are reported, and the last valid settings stay.
const rejected = once(settings, "change").catch((error) => error);
await etcd.setNode(`${directory}/database/port`, "many");
await rejected;
console.log("still", settings.current.database.port);

const accepted = once(settings, "change");
await etcd.setNode(`${directory}/database/port`, "6432");
await accepted;

settings.close();
await mirror.close();
await etcd.deleteNode(directory, { recursive: true });
await etcd.close();
