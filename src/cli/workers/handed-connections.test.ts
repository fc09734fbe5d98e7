import type { Worker } from "node:cluster";
import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { HandedConnections } from "./handed-connections.js";

/** A connection that the cluster module passes on. */
const connection = () => ({ close: () => {} });

it("closes a connection when the workers have no room, and not while one may have room", () => {
  const handed = new HandedConnections(() => 2);
  let sent = 0;
  const workers = [0, 1].map(() => {
    const child = Object.assign(new EventEmitter(), {
      send: (_message: object, _handle: object): boolean => true,
    });
    handed.follow({ process: child, isDead: () => false } as unknown as Worker);
    return child;
  });
  /** What the cluster module reads after a worker was offered a connection. */
  const offer = (worker: number, handle: object, accepted: boolean): boolean => {
    const seq = ++sent;
    workers[worker]?.send({ act: "newconn", seq }, handle);
    const message = { cmd: "NODE_CLUSTER", ack: seq, accepted };
    workers[worker]?.emit("internalMessage", message);
    return message.accepted;
  };
  const [first, second, third] = [connection(), connection(), connection()];
  // The other worker may have room: it has not responded yet.
  for (let times = 0; times < 3; times++) expect(offer(0, first, false)).toBe(false);
  expect(offer(1, first, true)).toBe(true);
  expect(offer(0, second, false)).toBe(false);
  expect(offer(1, third, false)).toBe(false);
  expect(offer(0, second, false)).toBe(true);
  expect(offer(1, third, false)).toBe(true);
  expect(offer(1, connection(), true)).toBe(true);
  const fourth = connection();
  for (let times = 0; times < 3; times++) expect(offer(0, fourth, false)).toBe(false);
});
