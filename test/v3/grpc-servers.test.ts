import { constants, type ServerHttp2Stream } from "node:http2";
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { completeOptions } from "../../src/client/normalize-options.js";
import { RemoteV3Api } from "../../src/etcd3/remote-v3-api.js";
import { RPC } from "../../src/etcd3/rpcs.js";
import type { HasHeader, V3Response } from "../../src/etcd3/v3-api.js";
import { OutcomeUnknownError, ProtocolError } from "../../src/index.js";
import { v3Probes } from "../../src/key-space/v3/admin/v3-probes.js";
import { framed } from "../../src/wire/grpc.js";
import {
  GRPC_HEAD,
  type GrpcServer,
  PUT_RESPONSE,
  respond,
  type Script,
  startGrpcServer,
} from "../support/grpc-server.js";

/** Milliseconds. An error that is certain at once must take less. */
const TIMEOUT = 3_000;
const AT_ONCE = 1_000;

/** A scripted server, and a client of it. */
async function asked<T>(
  script: Script,
  ask: (api: RemoteV3Api, server: GrpcServer) => Promise<T>,
  settings = {},
): Promise<T> {
  await using server = await startGrpcServer(script, { settings });
  const { cluster } = completeOptions({
    urls: [server.url],
    requestTimeout: TIMEOUT,
    writeTimeout: TIMEOUT,
  });
  const api = new RemoteV3Api(cluster, undefined, v3Probes);
  try {
    return await ask(api, server);
  } finally {
    api.close();
  }
}

function put(api: RemoteV3Api, value = "1"): Promise<V3Response<HasHeader>> {
  const call = { operation: "PUT /a", key: "/a", safety: "write", scope: "quorum" } as const;
  return api.call(RPC.put, { key: "/a", value }, call);
}

function get(api: RemoteV3Api, endpoint?: string): Promise<V3Response<HasHeader>> {
  const call = { operation: "GET /a", key: "/a", safety: "read", scope: "local" } as const;
  return api.call(RPC.range, { key: "/a" }, endpoint === undefined ? call : { ...call, endpoint });
}

const ANSWERED = { message: { header: { revision: 5 } } };

describe("a reused connection that broke", () => {
  const breakSecond: Script = (stream, count) =>
    count === 2 ? stream.session.destroy() : respond(stream);

  it.each([
    ["a read", (api: RemoteV3Api) => get(api)],
    ["a read at one endpoint", (api: RemoteV3Api, { url }: GrpcServer) => get(api, url)],
  ])("%s is retried once on a new one", async (_what, ask) => {
    await asked(breakSecond, async (api, server) => {
      await put(api);
      expect(await ask(api, server)).toMatchObject(ANSWERED);
      expect(server).toMatchObject({ requests: 3, connections: 2 });
    });
  });

  it("leaves the outcome of a write unknown", async () => {
    await asked(breakSecond, async (api, server) => {
      await put(api);
      await expect(put(api)).rejects.toThrow(OutcomeUnknownError);
      expect(server).toMatchObject({ requests: 2 });
    });
  });
});

describe("a write that the server has not processed", () => {
  /** The first request gets a response. The test decides about the second. */
  const secondOf = (refuse: (stream: Parameters<Script>[0]) => void): Script => {
    return (stream, count) => (count === 2 ? refuse(stream) : respond(stream));
  };

  it.each<[string, (stream: Parameters<Script>[0]) => void]>([
    ["a refused stream", (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
    ["a connection that ends before it", ({ session }) => session.goaway(0, 1)],
    [
      "a connection that ends before it with an error",
      ({ session }) => session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 1),
    ],
  ])("is retried once on another connection: %s", async (_what, refuse) => {
    await asked(secondOf(refuse), async (api, server) => {
      await put(api);
      expect(await put(api)).toMatchObject(ANSWERED);
      expect(server).toMatchObject({ requests: 3, connections: 2 });
    });
  });

  it("is sent at most twice", async () => {
    const refuse: Script = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
    await asked(refuse, async (api, server) => {
      await expect(put(api)).rejects.toMatchObject({ name: "ClusterUnavailableError" });
      expect(server.requests).toBe(2);
    });
  });

  it("is not retried if the GOAWAY includes it", async () => {
    const code = constants.NGHTTP2_ENHANCE_YOUR_CALM;
    await asked(
      secondOf(({ session }) => session.goaway(code, 3)),
      async (api, server) => {
        await put(api);
        await expect(put(api)).rejects.toThrow(OutcomeUnknownError);
        expect(server.requests).toBe(2);
      },
    );
  });

  it("is not retried if the server refuses it after its response has begun", async () => {
    const answerThenRefuse = (stream: ServerHttp2Stream): void => {
      stream.respond(GRPC_HEAD);
      stream.write(PUT_RESPONSE, () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    };
    await asked(secondOf(answerThenRefuse), async (api, server) => {
      await put(api);
      await expect(put(api)).rejects.toThrow(OutcomeUnknownError);
      expect(server.requests).toBe(2);
    });
  });
});

describe("a write with an invalid response", () => {
  const unknown: readonly [string, Script, RegExp?][] = [
    ["a stream closed in good order, but not answered", (stream) => stream.close()],
    [
      "a connection reset after a farewell",
      ({ session }) => {
        session.goaway(0, 2 ** 31 - 1);
        setTimeout(() => session.socket.resetAndDestroy(), 20);
      },
    ],
    [
      "a message without a status",
      (stream) => {
        stream.respond(GRPC_HEAD);
        stream.end(PUT_RESPONSE);
      },
      /without a gRPC status/,
    ],
    ["a status that is no number", (stream) => respond(stream, PUT_RESPONSE, "")],
    ["a status without a message", (stream) => respond(stream, Buffer.alloc(0))],
    ["a message cut off", (stream) => respond(stream, PUT_RESPONSE.subarray(0, -1))],
    [
      "a compressed message",
      (stream) => respond(stream, Buffer.concat([Buffer.of(1), PUT_RESPONSE.subarray(1)])),
    ],
    ["what is no message", (stream) => respond(stream, framed(Buffer.from("0a04", "hex")))],
    [
      "UNAVAILABLE, without a word",
      (stream) => stream.respond({ ...GRPC_HEAD, "grpc-status": "14" }, { endStream: true }),
      /gRPC status 14/,
    ],
    [
      "a page that tells of a server behind that does not answer",
      (stream) => {
        stream.respond({ ":status": 502, "content-type": "text/html" });
        stream.end("<html>");
      },
    ],
  ];
  it.each(unknown)("has an unknown outcome, at once: %s", async (_what, script, why = /./) => {
    await asked(script, async (api, server) => {
      const startedAt = performance.now();
      const outcome = put(api);
      await expect(outcome).rejects.toThrow(OutcomeUnknownError);
      await expect(outcome).rejects.toThrow(why);
      expect(performance.now() - startedAt).toBeLessThan(AT_ONCE);
      expect(server.requests).toBe(1);
    });
  });

  it("gets its response from a server that accepts no further streams", async () => {
    const lower: Script = (stream) => {
      stream.session.settings({ maxConcurrentStreams: 0 }, () => setTimeout(respond, 20, stream));
    };
    await asked(lower, async (api) => expect(await put(api)).toMatchObject(ANSWERED));
  });

  it("gets its response while much more data waits on its connection", async () => {
    const value = Buffer.alloc(1_000_000).toString("base64");
    const lastAlone: Script = (stream, count) => {
      if (count === 21) respond(stream);
    };
    await asked(lastAlone, async (api, server) => {
      const waiting = Array.from({ length: 20 }, () => put(api, value).catch(() => {}));
      expect(await put(api)).toMatchObject(ANSWERED);
      expect(server.connections).toBe(1);
      api.close();
      await Promise.all(waiting);
    });
  });

  it("fails as not processed at a server that accepts no streams", async () => {
    const ask = async (api: RemoteV3Api): Promise<void> =>
      await expect(put(api)).rejects.toThrow(/accepts no HTTP\/2 streams/);
    await asked((stream) => respond(stream), ask, { maxConcurrentStreams: 0 });
  });
});

describe("a watch at a gRPC server", () => {
  const call = { operation: "GET /?wait=true", key: "/", safety: "read", scope: "local" } as const;

  it("times out if nothing follows its headers", async () => {
    await asked(
      (stream) => stream.respond(GRPC_HEAD),
      async (api) => {
        const opened = api.watch({}, { ...call, attemptTimeout: 100 });
        await expect(opened).rejects.toMatchObject({ name: "TimeoutError" });
      },
    );
  });

  it("fails when a message is compressed", async () => {
    const compressed: Script = (stream) => {
      stream.respond(GRPC_HEAD);
      stream.write(Buffer.from("01000000021801", "hex"));
    };
    await asked(compressed, async (api) => {
      const opened = api.watch({}, call);
      await expect(opened).rejects.toThrow(ProtocolError);
    });
  });
});

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1");

it.skipIf(!hasIpv6)("an IPv6 address is written in brackets", async () => {
  const named: unknown[] = [];
  const script: Script = (stream, _count, headers) => {
    named.push(headers[":authority"]);
    respond(stream);
  };
  await using server = await startGrpcServer(script, { host: "::1" });
  const { cluster } = completeOptions({ urls: [server.url] });
  const api = new RemoteV3Api(cluster, undefined, v3Probes);
  await put(api);
  api.close();
  expect(named).toEqual([new URL(server.url).host]);
});
