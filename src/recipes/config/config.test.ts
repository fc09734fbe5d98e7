import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import {
  change,
  directory,
  file,
  removal,
  resync,
  ScriptedClient,
  settled,
} from "../../../test/support/scripted-client.js";
import type { EtcdNode } from "../../model/node.js";
import type { WatchItem } from "../../model/watch-item.js";
import { Mirror } from "../mirror/mirror.js";
import { type Config, type ConfigOptions, config } from "./config.js";
import type { ConfigSchema, SchemaResult } from "./config-schema.js";

const port = (text: string, index: number): EtcdNode => file("/app/db/port", text, index);
const STATE = directory("/app", 4, [
  file("/app/name", "shop", 5),
  directory("/app/db", 6, [port("5432", 6)]),
]);
const schema = z.object({
  name: z.string(),
  db: z.object({ port: z.coerce.number().int().min(1) }),
});
const anything = z.unknown();

function follow<T>(schema: ConfigSchema<T>, options?: ConfigOptions, key = "/app") {
  const etcd = new ScriptedClient();
  const mirror = new Mirror(etcd, key);
  mirror.on("error", () => {});
  onTestFinished(() => mirror.close());
  const settings = config(mirror, schema, options);
  const told = record(settings);
  const deliver = async (...items: readonly WatchItem[]): Promise<void> => {
    etcd.watcher.deliver(...items);
    await settled();
  };
  return { etcd, mirror, settings, told, deliver };
}

/** All events of the settings, in order. */
function record<T>(settings: Config<T>): unknown[] {
  const told: unknown[] = [];
  settings.on("change", ({ current, previous }) => told.push({ current, previous }));
  settings.on("error", ({ message }) => told.push(message));
  return told;
}

async function loaded<T>(schema: ConfigSchema<T>, options?: ConfigOptions, state = STATE) {
  const all = follow(schema, options);
  await all.deliver(resync(state, 10));
  return all;
}

describe("settings", () => {
  test("are nested like the directories, typed by the schema, and emit no first change", async () => {
    const { settings, told } = await loaded(schema);
    const { current } = settings;
    expect(current.db.port satisfies number).toBe(5432);
    expect(current).toEqual({ name: "shop", db: { port: 5432 } });
    expect(await settings.ready).toBe(current);
    expect(told).toEqual([]);
  });

  test("follow each write", async () => {
    const { settings, told, deliver } = await loaded(schema);
    const previous = settings.current;
    await deliver(change("set", port("6432", 11)));
    expect(told).toEqual([{ current: { name: "shop", db: { port: 6432 } }, previous }]);
  });

  test("are available from a mirror that was loaded before", async () => {
    const { mirror } = await loaded(schema);
    expect(await config(mirror, schema).ready).toEqual({ name: "shop", db: { port: 5432 } });
  });

  test("are available from a mirror that loaded after a failed first attempt", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/app");
    mirror.on("error", () => {});
    onTestFinished(() => mirror.close());
    etcd.watcher.fail(new Error("no leave to read"));
    await settled();
    etcd.clock.advance(500);
    await settled();
    etcd.watcher.deliver(resync(STATE, 10));
    await settled();
    expect(await config(mirror, schema).ready).toEqual({ name: "shop", db: { port: 5432 } });
  });

  test("can be a part of the mirror, or a single file", async () => {
    const { mirror, told, settings, deliver } = await loaded(anything, { key: "/app/db" });
    const name = config(mirror, z.string(), { key: "/app/name" });
    expect([settings.current, await name.ready]).toEqual([{ port: "5432" }, "shop"]);
    await deliver(change("set", file("/app/name", "store", 11)));
    expect([told, name.current]).toEqual([[], "store"]);
  });

  test("contain the result of parse for each file", async () => {
    const json = directory("/app", 4, [
      file("/app/db", '{"port":1}', 5),
      file("/app/on", "true", 5),
    ]);
    const { settings } = await loaded(anything, { parse: JSON.parse }, json);
    expect(settings.current).toEqual({ db: { port: 1 }, on: true });
  });

  test("of a key that does not exist are undefined, and the schema decides", async () => {
    const { settings, deliver } = follow(schema.optional());
    await deliver(resync(null, 10));
    expect(await settings.ready).toBeUndefined();
    await deliver(change("create", directory("/app", 11)));
    expect(settings.current).toBeUndefined();
  });

  test("are validated once for one event that removes many nodes", async () => {
    const validate = vi.fn((value: unknown) => ({ value }));
    const { settings, deliver } = await loaded(schemaOf(validate));
    validate.mockClear();
    await deliver(removal("delete", directory("/app/db", 6), 11));
    expect(validate).toHaveBeenCalledOnce();
    expect(settings.current).toEqual({ name: "shop" });
  });

  test("are the same object while they are equal", async () => {
    const { settings, told, deliver } = await loaded(schema);
    const { current } = settings;
    await deliver(change("set", port("05432", 11)), resync(STATE, 20, "history-cleared"));
    expect(settings.current).toBe(current);
    expect(told).toEqual([]);
  });

  test("are the state after a resync", async () => {
    const { settings, deliver } = await loaded(schema);
    await deliver(
      resync(directory("/app", 4, [file("/app/name", "x", 15)]), 20, "history-cleared"),
    );
    expect(settings.current.name).toBe("shop");
    await deliver(change("set", port("1", 21)));
    expect(settings.current).toEqual({ name: "x", db: { port: 1 } });
  });
});

describe("invalid settings", () => {
  test("are an error that names the key, and the last valid ones stay", async () => {
    const { settings, told, deliver } = await loaded(schema);
    await deliver(change("set", port("many", 11)));
    expect(settings.current.db.port).toBe(5432);
    await deliver(change("set", port("7", 12)));
    expect(settings.current.db.port).toBe(7);
    expect(told).toEqual([
      expect.stringMatching(/^\/app\/db\/port: .*number/),
      expect.objectContaining({ current: { name: "shop", db: { port: 7 } } }),
    ]);
  });

  test("the error lists all issues, with the paths inside a value", async () => {
    const nested = z.object({ db: z.object({ pool: z.array(z.number()) }), name: z.string() });
    const text = directory("/app", 4, [file("/app/db", '{"pool":[1,"x"]}', 5)]);
    const { settings } = await loaded(nested, { parse: JSON.parse }, text);
    await expect(settings.ready).rejects.toMatchObject({
      name: "InvalidValueError",
      code: "ETCD_INVALID_VALUE",
      key: "/app/db",
      issues: [
        { key: "/app/db", path: ["pool", "1"] },
        {
          key: "/app/name",
          path: [],
          message: expect.stringMatching(/ \(the key does not exist\)$/),
        },
      ],
      message: expect.stringMatching(/^\/app\/db, at pool\.1: .*; \/app\/name: .*/),
    });
  });

  test("at first reject ready; their correction is a change", async () => {
    const { settings, told, deliver } = await loaded(
      schema,
      {},
      directory("/app", 4, [directory("/app/db", 5, [port("0", 5)])]),
    );
    await expect(settings.ready).rejects.toThrow(/^\/app\/name: .* \(the key does not exist\)/);
    expect(() => settings.current).toThrow(
      expect.objectContaining({
        message: 'no valid settings at /app yet; await "ready"',
        cause: expect.objectContaining({ name: "InvalidValueError" }),
      }),
    );
    await deliver(change("set", file("/app/name", "shop", 11)), change("set", port("1", 12)));
    const current = { name: "shop", db: { port: 1 } };
    expect(told.at(-1)).toEqual({ current, previous: undefined });
  });

  test("a file that cannot be parsed is named", async () => {
    const { settings } = await loaded(anything, { parse: JSON.parse });
    await expect(settings.ready).rejects.toMatchObject({
      key: "/app/name",
      message: expect.stringMatching(/^\/app\/name: cannot be parsed: /),
      cause: expect.any(SyntaxError),
    });
  });

  test.each([
    ["throws", () => raise(new Error("broken"))],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("a schema that %s causes an error", async (_how, validate) => {
    const { settings } = await loaded(schemaOf(validate));
    await expect(settings.ready).rejects.toMatchObject({
      message: "/app: cannot be validated: broken",
      cause: new Error("broken"),
    });
  });

  test("a schema can refuse without an issue", async () => {
    const { settings } = await loaded(schemaOf(() => ({ issues: [] })));
    await expect(settings.ready).rejects.toThrow("/app: is not valid");
  });

  test.each(["/app/__proto__/isAdmin", "/app/db/__proto__"])("%s is refused", async (key) => {
    const { settings, told, deliver } = await loaded(anything);
    const before = settings.current;
    await deliver(change("set", file(key, "yes", 11)));
    expect(told).toEqual([
      expect.stringMatching(/__proto__: an object cannot safely have .*; delete the key$/),
    ]);
    expect(settings.current).toBe(before);
  });
});

describe("asynchronous schemas", () => {
  /** Settles each validation when the test says so. */
  async function slow() {
    const running: ((result: SchemaResult<unknown>) => void)[] = [];
    const validate = vi.fn(
      (_: unknown) => new Promise<SchemaResult<unknown>>((resolve) => running.push(resolve)),
    );
    const all = await loaded(schemaOf(validate), { key: "/app/db/port" });
    await all.deliver(change("set", port("2", 11)));
    await all.deliver(change("set", port("3", 12)));
    expect(validate.mock.calls).toEqual([["5432"], ["2"], ["3"]]);
    const settle = async (number: number, result: SchemaResult<unknown>): Promise<void> => {
      running[number]?.(result);
      await settled();
    };
    return { ...all, settle };
  }

  test("the result for older settings never replaces newer ones", async () => {
    const { settings, told, settle } = await slow();
    await settle(1, { value: "second" });
    await settle(0, { value: "first" });
    expect([await settings.ready, settings.current]).toEqual(["second", "second"]);
    await settle(2, { value: "third" });
    expect(told).toEqual([{ current: "third", previous: "second" }]);
  });

  test("an older issue is not emitted after newer settings took effect", async () => {
    const { settings, told, settle } = await slow();
    await settle(2, { value: "third" });
    await settle(1, { issues: [{ message: "bad" }] });
    expect([settings.current, told]).toEqual(["third", []]);
  });

  test("settings that are closed during a validation do not change", async () => {
    const { settings, told, settle } = await slow();
    await settle(0, { value: "first" });
    settings.close();
    await settle(2, { value: "third" });
    expect([settings.current, told]).toEqual(["first", []]);
  });
});

describe("the end", () => {
  test("a closed mirror rejects ready, unless it was loaded before", async () => {
    const { mirror, settings } = follow(schema);
    await mirror.close();
    await expect(settings.ready).rejects.toMatchObject({ name: "AbortError" });
  });

  test("close rejects ready and leaves no listener on the mirror", async () => {
    const { mirror, settings } = follow(schema);
    settings.close();
    await expect(settings.ready).rejects.toMatchObject({
      name: "AbortError",
      message: "loading the settings at /app was aborted",
    });
    expect([mirror.listenerCount("change"), mirror.listenerCount("resync")]).toEqual([0, 0]);
  });

  test("can be closed by using", async () => {
    const { mirror } = await loaded(schema);
    {
      using settings = config(mirror, schema);
      await settings.ready;
    }
    expect(mirror.listenerCount("change")).toBe(1);
  });
});

test("settings follow a mirror whose first load failed", async () => {
  const { etcd, settings, told } = follow(schema);
  etcd.watcher.fail(new Error("no leave to read"));
  await expect(settings.ready).rejects.toThrow("no leave to read");
  await settled();
  etcd.clock.advance(500);
  await settled();
  etcd.watcher.deliver(resync(STATE, 10));
  await settled();
  expect(told).toEqual([{ current: settings.current, previous: undefined }]);
});

test("a listener that throws does not affect other listeners or the settings", async () => {
  const { settings, told, deliver } = await loaded(schema);
  settings.prependListener("change", () => raise(new Error("mine")));
  await deliver(change("set", port("1", 11)));
  expect(told).toEqual(["mine", expect.anything()]);
  expect(settings.current.db.port).toBe(1);
});

describe("invalid arguments are refused at once", () => {
  const mirror = new Mirror(new ScriptedClient(), "/app");
  afterAll(() => mirror.close());

  test.each([
    [schema, { key: "/other" }, /^key: "\/other" is not within the mirrored key \/app$/],
    [schema, { key: "app" }, /^key: "app" must begin with/],
    [schema, { key: "/app/" }, /^key: "\/app\/" must not end with/],
    [
      schema,
      { key: "/app/_a/b" },
      /^key: "\/app\/_a\/b" is hidden, so the mirror of \/app does not/,
    ],
    [schema, { prefix: "/app" }, /^prefix: is not an option of this call; it takes key, parse/],
    [{}, {}, /^schema: must be a Standard Schema/],
    [null, {}, /^schema: must be a Standard Schema/],
  ])("%#", (schema, options, message) => {
    expect(() => config(mirror, schema as ConfigSchema<unknown>, options as ConfigOptions)).toThrow(
      message,
    );
  });
});

function schemaOf(
  validate: (value: unknown) => SchemaResult<unknown> | Promise<SchemaResult<unknown>>,
): ConfigSchema<unknown> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

function raise(error: Error): never {
  throw error;
}
