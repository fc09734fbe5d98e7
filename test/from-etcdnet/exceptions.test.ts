/** EtcdNet's exceptions: what each code, and each failure without one, is thrown as. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as etcdnet from "../../src/index.js";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { good, type OddServer, type Responder, reply, startOddServer } from "../odd-server.js";
import { tableFrom, testRows } from "./guide.js";

let server: OddServer;
beforeAll(async () => {
  server = await startOddServer(good);
});
afterAll(() => server[Symbol.asyncDispose]());

const refusal = (errorCode: number): Responder =>
  reply(
    400,
    JSON.stringify({ errorCode, message: "Some reason", cause: "/some/detail", index: 7 }),
  );

const silence: Responder = () => {};
const cut: Responder = (response) => response.destroy();

/** What a call is rejected with, when it is answered so. */
async function rejection(
  respond: Responder,
  call: (etcd: EtcdClient) => Promise<unknown>,
  options: EtcdClientOptions = { urls: [server.url] },
): Promise<Error> {
  server.respond = respond;
  await using etcd = new EtcdClient(options);
  return await call(etcd).then(
    () => expect.fail("it was not rejected"),
    (error: Error) => error,
  );
}

const readsRefused = (errorCode: number): Promise<Error> =>
  rejection(refusal(errorCode), (etcd) => etcd.getNode("/a"));

type ErrorClass = abstract new (...values: never[]) => Error;

function classOf(name: string): ErrorClass {
  const exported: Readonly<Record<string, unknown>> = etcdnet;
  expect(exported[name], `${name} is exported`).toBeTypeOf("function");
  return exported[name] as ErrorClass;
}

describe("the exceptions of etcd's codes", () => {
  const rows = tableFrom("EtcdGenericException");

  test("are as many as EtcdNet has", () => expect(rows).toHaveLength(21));

  // Of a group, the last code: it has no class of its own.
  test.each(rows)("$theirs is $ours, for $third", async ({ theirs, ours, third }) => {
    const error = await readsRefused(Number(third.split("–").at(-1)));
    expect(error.constructor).toBe(classOf(ours));
    expect(error.name).toBe(ours);
    const group = rows.find((row) => row.theirs === theirs.split(".")[0]);
    expect(error).toBeInstanceOf(classOf(group?.ours ?? ""));
    expect(error).toBeInstanceOf(etcdnet.EtcdServerError);
    expect(error).toBeInstanceOf(etcdnet.EtcdError);
  });

  test("have three more, for codes that EtcdNet did not know", async () => {
    expect(await readsRefused(110)).toBeInstanceOf(etcdnet.UnauthorizedError);
    expect(await readsRefused(211)).toBeInstanceOf(etcdnet.RefreshValueError);
    expect(await readsRefused(212)).toBeInstanceOf(etcdnet.RefreshTtlRequiredError);
  });

  testRows("EtcdGenericException.Code", {
    errorCode: async () => {
      expect(await readsRefused(100)).toMatchObject({ errorCode: 100, code: "ETCD_KEY_NOT_FOUND" });
    },
    detail: async () => {
      const error = await readsRefused(100);
      expect(error).toHaveProperty("detail", "/some/detail");
      expect(error).not.toHaveProperty("cause");
    },
    reason: async () => {
      const error = await readsRefused(100);
      expect(error).toHaveProperty("reason", "Some reason");
      expect(error).toHaveProperty("message", expect.stringContaining(`GET /a at ${server.url}`));
    },
    index: async () => {
      expect(await readsRefused(100)).toHaveProperty("index", 7);
    },
  });
});

describe("the exceptions of .NET", () => {
  const nowhere = { urls: ["http://127.0.0.1:1"] };
  const write = (etcd: EtcdClient): Promise<unknown> => etcd.setNode("/a", "1");

  testRows("HttpRequestException", {
    ClusterUnavailableError: async () => {
      for (const call of [write, (etcd: EtcdClient) => etcd.getNode("/a")]) {
        const error = await rejection(good, call, nowhere);
        expect(error).toBeInstanceOf(etcdnet.ClusterUnavailableError);
      }
    },
    OutcomeUnknownError: async () => {
      expect(await rejection(cut, write)).toBeInstanceOf(etcdnet.OutcomeUnknownError);
    },
    TimeoutError: async () => {
      const short = { requestTimeout: 50, urls: [server.url] };
      const read = (etcd: EtcdClient): Promise<unknown> => etcd.getNode("/a");
      expect(await rejection(silence, read, short)).toBeInstanceOf(etcdnet.TimeoutError);
      await using second = await startOddServer(silence);
      const both = { ...short, urls: [server.url, second.url] };
      const error = await rejection(silence, read, both);
      expect(error).toBeInstanceOf(etcdnet.ClusterUnavailableError);
      expect(error).toHaveProperty("attempts.1.cause.name", "TimeoutError");
    },
    TypeError: async () => {
      const before = server.requests.length;
      for (const key of ["", "no-slash"]) {
        const error = await rejection(good, (etcd) => etcd.getNode(key));
        expect(error).toBeInstanceOf(TypeError);
      }
      expect(server.requests).toHaveLength(before);
    },
  });
});
