// @ts-check
/** Recipes, migrations and comparisons. Each call closes what it has opened. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ignoreDocumented, limited, readSome } from "./call-context.mjs";
import * as check from "./check-result.mjs";

/** @typedef {import("./call-context.mjs").Context} Context */

/** A schema that accepts everything. @type {import("../../src/index.js").ConfigSchema<unknown>} */
const ANY_SETTINGS = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};

/** @type {Record<string, (context: Context) => Promise<unknown>>} */
export const RECIPES = {
  "keep a key alive": (context) =>
    limited(context, async (signal) => {
      const { client } = context;
      const alive = await client.keepAlive("/alive", "me", { ttl: 1, ifExists: "replace", signal });
      check.index(alive.createdIndex, "createdIndex");
      await delay(30);
      await alive.update("still me").catch(ignoreDocumented(context));
      await alive.close();
    }),
  lock: (context) =>
    limited(context, async (signal) => {
      const handle = await context.client
        .lock("/lock", { ttl: 1 })
        .acquire({ timeout: 200, signal });
      check.index(handle.fencingToken, "fencingToken");
      await handle.release();
    }),
  "try to lock": (context) =>
    limited(context, async (signal) => {
      const handle = await context.client.lock("/lock", { ttl: 1 }).tryAcquire({ signal });
      await handle?.release();
    }),
  campaign: (context) =>
    limited(context, async (signal) => {
      const leadership = await context.client
        .election("/election", { ttl: 1 })
        .campaign("me", { signal });
      check.index(leadership.fencingToken, "fencingToken");
      await leadership.proclaim("still me").catch(ignoreDocumented(context));
      await leadership.resign();
    }),
  "leader of an election": (context) =>
    limited(context, async (signal) =>
      checkLeader(await context.client.election("/election").leader({ signal })),
    ),
  "observe an election": (context) =>
    limited(context, (signal) =>
      readSome(context.client.election("/election").observe({ signal }), checkLeader),
    ),
  enqueue: async ({ client, signal }) =>
    check.text(await client.queue("/queue").enqueue("1", { signal }), "key"),
  take: (context) =>
    limited(context, async (signal) => {
      const queue = context.client.queue("/queue", { visibilityTimeout: 1 });
      try {
        const item = await queue.take({ timeout: 200, signal });
        check.text(item.value, "value");
        await item.acknowledge();
      } finally {
        await queue.close();
      }
    }),
  register: (context) =>
    limited(context, async (signal) => {
      const registration = await context.client
        .registry("/registry")
        .register("service", { id: "1", metadata: { port: 1 } }, { ttl: 1, signal });
      await registration.update({ port: 2 }).catch(ignoreDocumented(context));
      await registration.close();
    }),
  discover: async ({ client, signal }) =>
    check.listOf(checkInstance)(await client.registry("/d").discover("registered", { signal })),
  "watch a registry": (context) =>
    limited(context, (signal) =>
      readSome(context.client.registry("/d").watch("registered", { signal }), ({ type }) =>
        check.text(type, "type"),
      ),
    ),
  mirror: (context) =>
    limited(context, (signal) => withMirror(context, "/d", signal, async () => {})),
  config: (context) =>
    limited(context, (signal) =>
      withMirror(context, "/d", signal, async (mirror) => {
        const settings = context.library.config(mirror, ANY_SETTINGS);
        settings.on("error", () => {});
        try {
          await settings.ready;
        } finally {
          settings.close();
        }
      }),
    ),
  migrate: (context) =>
    limited(context, async (signal) => {
      const to = new context.library.EtcdClient({ keySpace: new context.server.MemoryKeySpace() });
      try {
        await context.library.migrate({
          from: context.client,
          to,
          lossy: true,
          overwrite: true,
          signal,
        });
        check.response(await to.getNode("/", { recursive: true }));
      } finally {
        await to.close();
      }
    }),
  "compare trees": (context) =>
    limited(context, async () => {
      const to = new context.library.EtcdClient({ keySpace: new context.server.MemoryKeySpace() });
      try {
        await readSome(
          context.library.diffTrees({ from: context.client, to, prefix: "/d" }),
          ({ kind }) => check.text(kind, "kind"),
        );
      } finally {
        await to.close();
      }
    }),
};

/** @param {any} leader */
function checkLeader(leader) {
  if (leader === null) return;
  check.text(leader.key, "key");
  check.text(leader.value, "value");
  check.index(leader.fencingToken, "fencingToken");
}

/** @param {any} instance */
function checkInstance({ id }) {
  check.text(id, "id");
}

/**
 * @param {Context} context @param {string} key @param {AbortSignal} signal
 * @param {(mirror: import("../../src/index.js").Mirror) => Promise<void>} use
 */
async function withMirror({ client }, key, signal, use) {
  const mirror = client.mirror(key);
  const close = () => mirror.close();
  signal.addEventListener("abort", close);
  mirror.on("error", () => {});
  try {
    await mirror.ready;
    check.index(mirror.index, "index");
    for (const child of mirror.list(key)) assert.ok(child.key.startsWith(`${key}/`), child.key);
    await use(mirror);
  } finally {
    signal.removeEventListener("abort", close);
    mirror.close();
  }
}
