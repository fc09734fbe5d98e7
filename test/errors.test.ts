import { inspect } from "node:util";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { serverErrorOf } from "../src/errors/error-table.js";
import * as etcdnet from "../src/index.js";
import { EtcdClient, type EtcdErrorName, type EtcdServerError, isEtcdError } from "../src/index.js";
import type { HttpRequest } from "../src/wire/http.js";
import { requireSuccess } from "../src/wire/http-response.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "./support/etcd.js";

/** `code`, error code, class and group of each error of etcd. */
const CLASSES = [
  ["ETCD_KEY_NOT_FOUND", 100, etcdnet.KeyNotFoundError, etcdnet.EtcdCommonError],
  ["ETCD_TEST_FAILED", 101, etcdnet.TestFailedError, etcdnet.EtcdCommonError],
  ["ETCD_NOT_FILE", 102, etcdnet.NotFileError, etcdnet.EtcdCommonError],
  ["ETCD_NOT_DIR", 104, etcdnet.NotDirError, etcdnet.EtcdCommonError],
  ["ETCD_NODE_EXIST", 105, etcdnet.NodeExistError, etcdnet.EtcdCommonError],
  ["ETCD_ROOT_READ_ONLY", 107, etcdnet.RootReadOnlyError, etcdnet.EtcdCommonError],
  ["ETCD_DIR_NOT_EMPTY", 108, etcdnet.DirNotEmptyError, etcdnet.EtcdCommonError],
  ["ETCD_UNAUTHORIZED", 110, etcdnet.UnauthorizedError, etcdnet.EtcdCommonError],
  ["ETCD_PREV_VALUE_REQUIRED", 201, etcdnet.PrevValueRequiredError, etcdnet.EtcdPostFormError],
  ["ETCD_TTL_NAN", 202, etcdnet.TtlNaNError, etcdnet.EtcdPostFormError],
  ["ETCD_INDEX_NAN", 203, etcdnet.IndexNaNError, etcdnet.EtcdPostFormError],
  ["ETCD_INVALID_FIELD", 209, etcdnet.InvalidFieldError, etcdnet.EtcdPostFormError],
  ["ETCD_INVALID_FORM", 210, etcdnet.InvalidFormError, etcdnet.EtcdPostFormError],
  ["ETCD_REFRESH_VALUE", 211, etcdnet.RefreshValueError, etcdnet.EtcdPostFormError],
  ["ETCD_REFRESH_TTL_REQUIRED", 212, etcdnet.RefreshTtlRequiredError, etcdnet.EtcdPostFormError],
  ["ETCD_RAFT_INTERNAL", 300, etcdnet.RaftInternalError, etcdnet.EtcdRaftError],
  ["ETCD_LEADER_ELECT", 301, etcdnet.LeaderElectError, etcdnet.EtcdRaftError],
  ["ETCD_WATCHER_CLEARED", 400, etcdnet.WatcherClearedError, etcdnet.EtcdEventError],
  ["ETCD_EVENT_INDEX_CLEARED", 401, etcdnet.EventIndexClearedError, etcdnet.EtcdEventError],
] as const;

/** Every exported error class, by its name in `EtcdErrorMap`. */
const CLASS_BY_NAME = new Map(
  Object.entries(etcdnet).flatMap(([name, value]) =>
    name.endsWith("Error") &&
    name !== "EtcdError" &&
    typeof value === "function" &&
    isErrorClass(value)
      ? [[name.slice(0, -"Error".length) as EtcdErrorName, value] as const]
      : [],
  ),
);

function isErrorClass(value: object): value is new (...args: never[]) => Error {
  return "prototype" in value && value.prototype instanceof Error;
}

type Provocation = (client: EtcdClient) => Promise<unknown>;

/** The error of a rejected call. */
async function rejectionOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => expect.fail(`answered ${inspect(answer)}`),
    (error: unknown) => error,
  );
}

/** Checks the class, the group, `code` and the properties of an error. */
function expectRefusal(error: unknown, errorCode: number): asserts error is EtcdServerError {
  const [code, , Class, Group] = CLASSES.find((row) => row[1] === errorCode) ?? CLASSES[0];
  expect(error).toMatchObject({ name: Class.name, code, errorCode });
  for (const base of [Class, Group, etcdnet.EtcdServerError, etcdnet.EtcdError]) {
    expect(error).toBeInstanceOf(base);
  }
  expectGuards(error);
}

/** The `code` of a class's errors. */
function codeOf(Class: new (...args: never[]) => Error): { readonly code: string } {
  const args: unknown[] = [[{ key: "/k", path: [], message: "m" }], [], [], []];
  return Reflect.construct(Class, Class === etcdnet.NestedPrefixError ? ["/a", "/a/b"] : args);
}

/** `isEtcdError` accepts the names of the error's class and its base classes, and no other. */
function expectGuards(error: unknown): void {
  for (const [name, Class] of CLASS_BY_NAME) {
    expect([name, isEtcdError(error, name)]).toEqual([name, error instanceof Class]);
  }
  expect(isEtcdError(error)).toBe(error instanceof etcdnet.EtcdError);
}

describe("error codes of etcd", () => {
  const info = { reason: "r", detail: "d", index: 7, status: 400, key: "/a", endpoint: "http://e" };

  test.each(CLASSES)("%s for %i", (_code, errorCode) => {
    const error = serverErrorOf({ ...info, errorCode, operation: "GET /a" });
    expectRefusal(error, errorCode);
    expect(error).toMatchObject(info);
    expect(error.message).toBe(`GET /a at http://e: r (d) [etcd error ${errorCode}]`);
  });

  test.each([
    [[103, 106, 109, 199], etcdnet.EtcdCommonError],
    [[200, 204, 205, 206, 207, 208, 299], etcdnet.EtcdPostFormError],
    [[302, 399], etcdnet.EtcdRaftError],
    [[402, 403, 404, 499], etcdnet.EtcdEventError],
    [[0, 99, 500, 600], etcdnet.EtcdServerError],
  ])("a code without its own class becomes its group: %j", (codes, Group) => {
    for (const errorCode of codes) {
      const error = serverErrorOf({ ...info, errorCode, operation: "GET /a" });
      expect(error.constructor).toBe(Group);
      expect(error).toMatchObject({ name: Group.name, errorCode });
      expect(error.code).toMatch(/^ETCD_[A-Z_]+$/);
    }
  });

  test("isEtcdError recognizes every class of the package, also from another copy of it", () => {
    expect(CLASS_BY_NAME.size).toBeGreaterThan(35);
    for (const [name, Class] of CLASS_BY_NAME) {
      // The code of a class does not depend on the arguments of its constructor.
      const { code } = codeOf(Class);
      expect(code).toMatch(/^(ETCD_[A-Z0-9_]+|ABORT_ERR)$/);
      expect([name, isEtcdError(Object.assign(new Error("a copy's"), { code }), name)]).toEqual([
        name,
        true,
      ]);
      for (const other of [undefined, null, "x", 1, {}, { code }, new Error(code)]) {
        expect(isEtcdError(other, name)).toBe(false);
        expect(isEtcdError(other)).toBe(false);
      }
    }
  });

  test("every class has its own code", () => {
    const codes = [...CLASS_BY_NAME.values()].map((Class) => codeOf(Class).code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test("isEtcdError refuses an unknown name", () => {
    // @ts-expect-error the name of a class, without Error at its end
    expect(() => isEtcdError(new Error("any"), "KeyNotFoundError")).toThrow(
      "name: 'KeyNotFoundError' is not a name in EtcdErrorMap",
    );
  });

  test("isEtcdError narrows the type", () => {
    const error: unknown = new etcdnet.OwnershipLostError("/k", "gone", "deleted");
    if (!isEtcdError(error, "OwnershipLost")) return expect.fail("it is one");
    expectTypeOf(error).toEqualTypeOf<etcdnet.OwnershipLostError>();
    expectTypeOf<etcdnet.EtcdErrorMap["EtcdCommon"]>().toEqualTypeOf<etcdnet.EtcdCommonError>();
    expect(error.reason).toBe("gone");
  });
});

describeEtcdSideBySide("3.4", "errors of one etcd", () => {
  let etcd: EtcdCluster;
  let client: EtcdClient;
  let url: string;

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.4" });
    client = new EtcdClient({ urls: etcd.urls });
    url = etcd.urls[0] ?? "";
    await client.setNode("/dir/file", "1");
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.stop();
  });

  test.each<[number, string, string, Provocation]>([
    [100, "GET /nope", "/nope", (client) => client.getNode("/nope")],
    [
      101,
      "PUT /dir/file",
      "[two != 1]",
      (client) => client.compareAndSwapNode("/dir/file", { prevValue: "two" }, "2"),
    ],
    [
      101,
      "DELETE /dir/file",
      "[two != 1]",
      (client) => client.compareAndDeleteNode("/dir/file", { prevValue: "two" }),
    ],
    [102, "PUT /dir", "/dir", (client) => client.setNode("/dir", "2")],
    [104, "GET /dir/file/x", "/dir/file", (client) => client.getNode("/dir/file/x")],
    [105, "PUT /dir/file", "/dir/file", (client) => client.createNode("/dir/file", "2")],
    [104, "POST /dir/file", "/dir/file", (client) => client.createInOrderNode("/dir/file", "2")],
    [107, "PUT /", "/", (client) => client.setNode("/", "2")],
    [108, "DELETE /dir", "/dir", (client) => client.deleteNode("/dir", { dir: true })],
  ])("%i for %s", async (errorCode, operation, detail, provoke) => {
    const error = await rejectionOf(provoke(client));
    expectRefusal(error, errorCode);
    const [, key] = operation.split(" ");
    expect(error).toMatchObject({ operation, key, detail, endpoint: url });
    expect(error.index).toBe((await client.getNode("/")).etcdIndex);
    const advice = errorCode === 108 ? "; recursive: true deletes it with everything in it" : "";
    expect(error.message).toBe(
      `${operation} at ${url}: ${error.reason} (${detail}) [etcd error ${errorCode}]${advice}`,
    );
  });

  test.each([
    [201, "?prevValue=", "", '"prevValue" cannot be empty'],
    [202, "", "value=1&ttl=-1", 'invalid value for "ttl"'],
    [203, "?prevIndex=x", "", 'invalid value for "prevIndex"'],
    [203, "?waitIndex=x", "", 'invalid value for "waitIndex"'],
    [209, "?recursive=yes", "", 'invalid value for "recursive"'],
    [209, "", "prevExist=", "invalid value for prevExist"],
    [210, "", "value=%zz", 'invalid URL escape "%zz"'],
    [211, "", "refresh=true&ttl=5&value=z", "A value was provided on a refresh"],
    [212, "", "refresh=true", "No TTL value set"],
  ])("%i for the raw query %j and form %j", async (errorCode, query, body, detail) => {
    const asked: HttpRequest = {
      method: "PUT",
      path: `/v2/keys/raw${query}`,
      safety: "write",
      scope: "quorum",
      operation: "PUT /raw",
    };
    const contentType = "application/x-www-form-urlencoded";
    const { method, path } = asked;
    const headers = { "content-type": contentType };
    const reply = await request(url + path, { method, body, headers });
    const { statusCode: status, headers: replied } = reply;
    const text = await reply.body.text();
    const decode = async () =>
      requireSuccess(asked, { status, headers: replied, endpoint: url, body: text }, "/raw");
    const error = await rejectionOf(decode());
    expectRefusal(error, errorCode);
    expect(error).toMatchObject({ status: 400, detail, index: 0, key: "/raw", endpoint: url });
    expect(error.message).toContain(`PUT /raw at ${url}: `);
  });

  test("401 for a waitIndex more than 1000 events in the past", async () => {
    const { node } = await client.setNode("/many", "0");
    const write = () => client.setNode("/many", "1", { noValueOnSuccess: true });
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, write));
    const error = await rejectionOf(client.watchNode("/many", { waitIndex: node.modifiedIndex }));
    expectRefusal(error, 401);
    expect(error).toMatchObject({ status: 400, key: "/many", operation: "GET /many" });
    expect(error.message).toContain(`GET /many at ${url}: `);
  });

  test("AdminError for errors of the admin API", async () => {
    const error = await rejectionOf(client.members.remove("123abc"));
    expect(error).toBeInstanceOf(etcdnet.AdminError);
    expect(error).toMatchObject({ name: "AdminError", code: "ETCD_ADMIN", status: 404 });
    expect(error).toHaveProperty("message", expect.stringContaining("DELETE /v2/members/123abc"));
    expect(error).toHaveProperty("message", expect.stringContaining(url));
    expectGuards(error);
  });

  test("a member that hangs: TimeoutError for a read, OutcomeUnknownError for a write", async () => {
    const limits = { requestTimeout: 300, writeTimeout: 300 };
    await using impatient = new EtcdClient({ urls: etcd.urls, ...limits });
    etcd.members[0]?.pause();
    try {
      const read = rejectionOf(impatient.getNode("/dir"));
      const write = await rejectionOf(impatient.setNode("/dir/x", "a secret value"));
      expect(await read).toBeInstanceOf(etcdnet.TimeoutError);
      expect(await read).toMatchObject({ name: "TimeoutError", code: "ETCD_TIMEOUT" });
      expect(await read).toHaveProperty("message", expect.stringContaining(`GET /dir at ${url}`));
      expect(write).toBeInstanceOf(etcdnet.OutcomeUnknownError);
      expect(write).toMatchObject({
        name: "OutcomeUnknownError",
        endpoint: url,
        cause: { name: "TimeoutError", timeout: 300 },
      });
      expect(write).toHaveProperty("message", expect.stringMatching(/^PUT \/dir\/x .*quorum/));
      expect(inspect(write)).not.toContain("a secret value");
      expectGuards(write);
    } finally {
      etcd.members[0]?.resume();
    }
  });
});

describeEtcdSideBySide("3.4", "errors of an etcd with auth", () => {
  test("110 for wrong credentials, with a message that does not contain the password", async () => {
    await using etcd = await startEtcd({ release: "3.4", rootPassword: "right" });
    const password = "wrong-but-secret";
    const credentials = { username: "root", password };
    await using client = new EtcdClient({ urls: etcd.urls, ...credentials });
    const encoded = Buffer.from(`root:${password}`).toString("base64");
    const calls: readonly Provocation[] = [
      (client) => client.getNode("/a"),
      (client) => client.setNode("/a", "1"),
      (client) => client.deleteNode("/a"),
      (client) => client.watchNode("/a"),
    ];
    for (const provoke of calls) {
      const error = await rejectionOf(provoke(client));
      expectRefusal(error, 110);
      expect(error).toMatchObject({ status: 401, index: 0, key: "/a", endpoint: etcd.urls[0] });
      expect(error.detail).toBe("Insufficient credentials");
      for (const secret of [password, encoded]) expect(inspect(error)).not.toContain(secret);
    }
    const refused = await rejectionOf(client.auth.users.list());
    expect(refused).toMatchObject({ name: "AdminError", status: 401 });
    expect(inspect(refused)).not.toContain(password);
  });
});

describeEtcdSideBySide("3.4", "errors of an etcd without the v2 API", () => {
  test("V2DisabledError, for reads, writes and watches", async () => {
    await using etcd = await startEtcd({ release: "3.4", v2: false });
    await using client = new EtcdClient({ urls: etcd.urls });
    const calls: readonly Provocation[] = [
      (client) => client.getNode("/a"),
      (client) => client.setNode("/a", "1"),
      (client) => client.watchNode("/a"),
    ];
    for (const provoke of calls) {
      const error = await rejectionOf(provoke(client));
      expect(error).toBeInstanceOf(etcdnet.V2DisabledError);
      expect(error).toMatchObject({ name: "V2DisabledError", code: "ETCD_V2_DISABLED" });
      expect(error).toHaveProperty("message", expect.stringMatching(/ \/a: .*--enable-v2/));
      expectGuards(error);
    }
  });
});

describeEtcdSideBySide("3.4", "errors of a cluster without a quorum", () => {
  test("300 for a quorum read, and as the cause of OutcomeUnknownError for a write", async () => {
    await using etcd = await startEtcd({ release: "3.4", members: 3 });
    const [left = "", ...lost] = etcd.urls;
    await Promise.all(etcd.members.slice(1).map((member) => member.kill()));

    await using client = new EtcdClient({ urls: [left] });
    const write = rejectionOf(client.setNode("/a", "1"));
    const read = await rejectionOf(client.getNode("/a", { quorum: true }));
    expectRefusal(read, 300);
    expect(read).toMatchObject({ status: 500, index: 0, key: "/a", endpoint: left });
    expect(read.detail).toContain("etcdserver: request timed out");
    expect(await write).toMatchObject({ name: "OutcomeUnknownError", endpoint: left });
    expectRefusal(((await write) as etcdnet.OutcomeUnknownError).cause, 300);

    await using nobody = new EtcdClient({ urls: lost });
    const error = await rejectionOf(nobody.setNode("/a", "1"));
    expect(error).toBeInstanceOf(etcdnet.ClusterUnavailableError);
    expect(error).toMatchObject({ name: "ClusterUnavailableError", attempts: [{}, {}] });
    for (const url of lost) {
      expect(error).toHaveProperty("message", expect.stringContaining(url));
    }
    expectGuards(error);
  });
});
