// @ts-check
// Settings: typed, validated, and up to date while the program runs.
import { once } from "node:events";
import { config, EtcdClient, Mirror } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const directory = "/example-config";

/**
 * @typedef {{ name: string, database: { host: string, port: number } }} Settings
 *
 * Any Standard Schema will do. With zod, for one:
 *
 *     z.object({
 *       name: z.string(),
 *       database: z.object({ host: z.string(), port: z.coerce.number().int().positive() }),
 *     })
 *
 * This one is made by hand, so that the example needs nothing else.
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

const mirror = new Mirror(etcd, directory);
mirror.on("error", (error) => console.error("the mirror:", error.message));

const settings = config(mirror, schema);
settings.on("change", ({ current, previous }) => {
  console.log(`the port was ${previous?.database.port}, is ${current.database.port}`);
});
settings.on("error", (error) => console.log("not taken:", error.message));

const { name, database } = await settings.ready;
console.log(`${name} uses ${database.host}:${database.port}`);

// Somebody mistypes: it is told, and the last good settings stay.
const refused = once(settings, "change").catch((error) => error);
await etcd.setNode(`${directory}/database/port`, "many");
await refused;
console.log("still", settings.current.database.port);

const taken = once(settings, "change");
await etcd.setNode(`${directory}/database/port`, "6432");
await taken;

settings.close();
await mirror.close();
await etcd.deleteNode(directory, { recursive: true });
await etcd.close();
