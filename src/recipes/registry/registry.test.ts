import { beforeEach, describe, expect, test } from "vitest";
import { Stage, type StageProcess, settle } from "../../../test/recipes/stage.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import type { MalformedInstance } from "./instance.js";
import { Registry, type RegistryOptions } from "./registry.js";

interface Address {
  readonly port: number;
}

let stage: Stage;
let server: StageProcess;
let client: StageProcess;

beforeEach(() => {
  stage = new Stage();
  server = stage.process();
  client = stage.process();
});

const registryOf = ({ etcd }: StageProcess): Registry => new Registry(etcd, "/services");

function parseAddress(metadata: unknown): Address {
  if (typeof metadata === "object" && metadata !== null && "port" in metadata) {
    if (typeof metadata.port === "number") return { port: metadata.port };
  }
  throw new TypeError("port: must be a number");
}

/** The events of a watcher of the service "mail". */
function watching(options: RegistryOptions<unknown> = {}, signal?: AbortSignal) {
  const events: string[] = [];
  const registry = new Registry(client.etcd, "/services", options);
  const done = (async () => {
    for await (const { type, instance } of registry.watch("mail", { signal })) {
      events.push(`${type} ${instance.id} ${JSON.stringify(instance.metadata)}`);
    }
  })();
  return { events, done };
}

async function expectNothingLeft(): Promise<void> {
  await settle();
  expect(stage.leftovers).toBe(0);
}

describe("an instance", () => {
  test("is found while it is registered, with its metadata", async () => {
    const registry = registryOf(server);
    const first = await registry.register("mail", { id: "a", metadata: { port: 1 } });
    const second = await registry.register("mail", { id: "b", metadata: null });
    await stage.pass(60_000);
    expect(await registryOf(client).discover("mail")).toEqual([
      { id: "a", metadata: { port: 1 } },
      { id: "b", metadata: null },
    ]);
    await first.close();
    await second.close();
    expect(await registryOf(client).discover("mail")).toEqual([]);
    expect(await registryOf(client).discover("unheard-of")).toEqual([]);
    await expectNothingLeft();
  });

  test("that died is removed after its TTL", async () => {
    await registryOf(server).register("mail", { id: "a", metadata: 1 }, { ttl: 5 });
    await server.etcd.close();
    await stage.pass(4_000);
    expect(await registryOf(client).discover("mail")).toHaveLength(1);
    await stage.pass(2_000);
    expect(await registryOf(client).discover("mail")).toEqual([]);
  });

  test("changes its metadata", async () => {
    const registration = await registryOf(server).register("mail", { id: "a", metadata: 1 });
    await registration.update({ draining: true });
    await stage.pass(60_000);
    expect(await registryOf(client).discover("mail")).toEqual([
      { id: "a", metadata: { draining: true } },
    ]);
    await registration.close();
    await expectNothingLeft();
  });

  test("registers again when its key was deleted, or expired while etcd was down", async () => {
    const registration = await registryOf(server).register("mail", { id: "a", metadata: 1 });
    await stage.memory.execute({ action: "delete", key: "/services", recursive: true });
    await stage.pass(4_000);
    expect(await registryOf(client).discover("mail")).toHaveLength(1);
    server.way.fate = () => ({ fail: new ClusterUnavailableError("…", []) });
    await stage.pass(60_000);
    expect(await registryOf(client).discover("mail")).toEqual([]);
    server.way.fate = () => undefined;
    await stage.pass(31_000);
    expect(await registryOf(client).discover("mail")).toHaveLength(1);
    await registration.close();
    await expectNothingLeft();
  });
});

describe("an id that two processes use", () => {
  test("belongs to the later one: the earlier one gets lost and does not take it back", async () => {
    const before = await registryOf(server).register("mail", { id: "a", metadata: "old" });
    const after = await registryOf(client).register("mail", { id: "a", metadata: "new" });
    await stage.pass(60_000);
    expect(before.keepAlive.lost?.reason).toBe("taken-over");
    await before.close();
    expect(await registryOf(client).discover("mail")).toEqual([{ id: "a", metadata: "new" }]);
    after.keepAlive.assertHeld();
    await after.close();
    await expectNothingLeft();
  });

  test("belongs to the first one with ifExists fail", async () => {
    const registration = await registryOf(server).register("mail", { id: "a", metadata: 1 });
    const second = registryOf(client).register(
      "mail",
      { id: "a", metadata: 1 },
      { ifExists: "fail" },
    );
    await expect(second).rejects.toMatchObject({ code: "ETCD_NODE_EXIST" });
    await registration.close();
    await expectNothingLeft();
  });
});

describe("a watcher", () => {
  test("yields the registered instances, then up, changed and down", async () => {
    const stop = new AbortController();
    const first = await registryOf(server).register("mail", { id: "a", metadata: 1 });
    const { events, done } = watching({}, stop.signal);
    await settle();
    expect(events).toEqual(["up a 1"]);
    const second = await registryOf(server).register("mail", { id: "b", metadata: 2 });
    await first.update(3);
    await registryOf(server).register("news", { id: "c", metadata: 4 });
    await stage.pass(30_000);
    await second.close();
    await server.etcd.close();
    await stage.pass(11_000);
    expect(events).toEqual(["up a 1", "up b 2", "changed a 3", "down b 2", "down a 3"]);
    stop.abort();
    await done;
    await expectNothingLeft();
  });

  test("yields down for all when the directory of the service is deleted", async () => {
    const stop = new AbortController();
    for (const id of ["a", "b"]) {
      await stage.memory.execute({
        ...{ action: "set", key: `/services/mail/${id}`, value: '{"metadata":1}' },
      });
    }
    const { events, done } = watching({}, stop.signal);
    await settle();
    await stage.memory.execute({ action: "delete", key: "/services", recursive: true });
    await settle();
    expect(events).toEqual(["up a 1", "up b 1", "down a 1", "down b 1"]);
    stop.abort();
    await done;
    await expectNothingLeft();
  });

  test("yields no down when the directory of the service gets a TTL", async () => {
    await registryOf(server).register("mail", { id: "a", metadata: 1 });
    const { events, done } = watching();
    await settle();
    const directory = { key: "/services/mail", dir: true, ttl: 100 } as const;
    await stage.memory.execute({ action: "update", ...directory });
    await stage.pass(1_000);
    expect(events).toEqual(["up a 1"]);
    await client.etcd.close();
    await done;
  });

  test("yields only the differences after a long disconnection", async () => {
    const registry = registryOf(client).watch("mail");
    const put = (id: string, metadata: number): Promise<unknown> =>
      stage.memory.execute({
        ...{ action: "set", key: `/services/mail/${id}`, value: JSON.stringify({ metadata }) },
      });
    for (const id of ["a", "b", "c"]) await put(id, 1);
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      const { value } = await registry.next();
      if (value !== undefined) seen.push(`${value.type} ${value.instance.id}`);
    };
    for (let count = 0; count < 3; count++) await read();
    client.way.openWatch = () => Promise.reject(new ClusterUnavailableError("…", []));
    await client.way.cut();
    await stage.memory.execute({ action: "delete", key: "/services/mail/a" });
    await put("b", 2);
    await put("d", 1);
    for (let count = 0; count < 1_100; count++) await put("b", 2);
    Reflect.deleteProperty(client.way, "openWatch");
    await stage.pass(31_000);
    for (let count = 0; count < 3; count++) await read();
    expect(seen.slice(0, 3)).toEqual(["up a", "up b", "up c"]);
    expect(seen.slice(3).sort()).toEqual(["changed b", "down a", "up d"]);
    await registry.return();
    await expectNothingLeft();
  });

  test("is done when its client is closed", async () => {
    const { done } = watching();
    await settle();
    await client.etcd.close();
    await done;
    await expectNothingLeft();
  });
});

describe("an external key", () => {
  const malformed: [string, string][] = [
    ["text", "10.0.0.1:80"],
    ["a number", "7"],
    ["null", "null"],
    ["an object without metadata", "{}"],
    ["metadata of another kind", '{"metadata":{"port":"80"}}'],
  ];

  test.each(malformed)("%s is reported, and the instances are found", async (_what, value) => {
    const reports: MalformedInstance[] = [];
    const options = {
      parse: parseAddress,
      onMalformed: (report: MalformedInstance) => reports.push(report),
    };
    const typed = new Registry<Address>(
      client.etcd,
      "/services",
      options as RegistryOptions<Address>,
    );
    const good = await typed.register("mail", { id: "good", metadata: { port: 80 } });
    await stage.memory.execute({ action: "set", key: "/services/mail/bad", value });
    await stage.memory.execute({ action: "set", key: "/services/mail/folder", dir: true });
    const [found] = await typed.discover("mail");
    expect(found?.metadata.port).toBe(80);
    expect(reports).toEqual([{ key: "/services/mail/bad", value, problem: expect.any(Error) }]);
    await good.close();
  });

  test("an error of onMalformed ends the watch and rejects its reader", async () => {
    const onMalformed = (): never => {
      throw new Error("not to be borne");
    };
    await stage.memory.execute({ action: "set", key: "/services/mail/a", value: "oops" });
    const { done } = watching({ onMalformed });
    await expect(done).rejects.toThrow("not to be borne");
    await expectNothingLeft();
  });

  test("an instance that becomes malformed is down, and up when it is valid again", async () => {
    const stop = new AbortController();
    const reports: string[] = [];
    const onMalformed = ({ key }: MalformedInstance): unknown => reports.push(key);
    const { events, done } = watching({ onMalformed } as RegistryOptions<unknown>, stop.signal);
    for (const value of ['{"metadata":1}', "oops", '{"metadata":2}']) {
      await settle();
      await stage.memory.execute({ action: "set", key: "/services/mail/a", value });
    }
    await settle();
    expect(events).toEqual(["up a 1", "down a 1", "up a 2"]);
    expect(reports).toEqual(["/services/mail/a"]);
    stop.abort();
    await done;
  });
});

describe("bad input", () => {
  test.each([
    [{ id: "a/b", metadata: 1 }, /^id: must be a name without "\/"/],
    [{ id: "", metadata: 1 }, /^id: must be a name/],
    [{ id: "_hidden", metadata: 1 }, /^id: must be a name/],
    [{ id: "..", metadata: 1 }, /^key: /],
    [{ id: "a", metadata: undefined }, /^metadata: must be a value that JSON can represent/],
    [{ id: "a", metadata: () => 1 }, /^metadata: must be a value that JSON can represent/],
    [{ id: "a", metadata: 1n }, /BigInt/],
  ])("register(%o) is refused", async (instance, message) => {
    await expect(registryOf(server).register("mail", instance)).rejects.toThrow(message);
    expect(stage.leftovers).toBe(0);
  });

  test("the instance is a directory", async () => {
    await stage.memory.execute({ action: "set", key: "/services/mail/a", dir: true });
    const registering = registryOf(server).register("mail", { id: "a", metadata: 1 });
    await expect(registering).rejects.toMatchObject({ code: "ETCD_NOT_FILE" });
  });

  test("the service is a file", async () => {
    await stage.memory.execute({ action: "set", key: "/services/mail", value: "file" });
    const registering = registryOf(server).register("mail", { id: "a", metadata: 1 });
    await expect(registering).rejects.toMatchObject({ code: "ETCD_NOT_DIR" });
    expect(await registryOf(client).discover("mail")).toEqual([]);
  });
});
