import { expect, test } from "vitest";
import { AbortError, EtcdClient } from "../../src/index.js";
import { GRPC_HEAD, respond, startGrpcServer } from "../support/grpc-server.js";

test("a watch that is opening when the client is closed ends with AbortError", async () => {
  let opening = (): void => {};
  const opens = new Promise<void>((resolve) => {
    opening = resolve;
  });
  await using server = await startGrpcServer((stream, _count, headers) => {
    if (headers[":path"] !== "/etcdserverpb.Watch/Watch") return respond(stream);
    stream.respond(GRPC_HEAD);
    opening();
  });
  const etcd = new EtcdClient({ urls: [server.url], api: "v3" });
  const watch = etcd.keySpace.openWatch({ key: "/a", stream: true });
  const ended = expect(watch).rejects.toThrow(AbortError);
  await opens;
  await etcd.close();
  await ended;
});
