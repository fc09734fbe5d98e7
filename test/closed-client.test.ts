import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { EtcdClient } from "../src/index.js";

test("after close, every call is refused and opens no connection", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const closed = new EtcdClient({ urls: [`http://127.0.0.1:${port}`] });
  await closed.close();
  await closed.close();

  const calls = [
    () => closed.getNode("/a"),
    () => closed.setNode("/a", "1"),
    () => closed.deleteNode("/a"),
    () => closed.watchNode("/a"),
    () => closed.namespace("/a").getNode("/b"),
    () => closed.members.list(),
    () => closed.stats.self(),
    () => closed.auth.isEnabled(),
    () => closed.machines(),
    () => closed.version(),
    () => closed.health(),
  ];
  for (const call of calls) {
    const refused = expect(call()).rejects;
    await refused.toThrow(TypeError);
    await expect(call()).rejects.toThrow(/client is closed/);
  }
  expect(connections).toBe(0);
  await once(server.close(), "close");
});
