// @ts-nocheck: the globals of Jest have no types here.
// Runs under Jest in its default configuration, which requires CommonJS.
const { EtcdClient, isEtcdError } = require("etcdnet");
const { startEmbeddedEtcd } = require("etcdnet/server");

let server;
let etcd;
beforeAll(async () => {
  server = await startEmbeddedEtcd();
  etcd = new EtcdClient({ urls: [server.url] });
});
afterAll(async () => {
  await etcd.close();
  await server.close();
});

test("the client and the embedded server work", async () => {
  await etcd.setNode("/a", "1");
  await expect(etcd.getNodeValue("/a")).resolves.toBe("1");
});

test("errors are recognised", async () => {
  const error = await etcd.getNode("/missing").catch((reason) => reason);
  expect(isEtcdError(error, "KeyNotFound")).toBe(true);
});
