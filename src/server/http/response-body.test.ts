import { describe, expect, it } from "vitest";
import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { encodeResponse } from "../../wire/encode-response.js";
import { responseBody } from "./response-body.js";
import { TurnScheduler } from "./turn-scheduler.js";

const origin = { etcdServer: "", etcdClusterId: "1", etcdIndex: 1, raftIndex: 1, raftTerm: 1 };

function file(name: string, value: string): EtcdNode {
  return { key: `/d/${name}`, value, modifiedIndex: 1, createdIndex: 1 };
}

function listing(count: number, value: string): EtcdResponse {
  const nodes = Array.from({ length: count }, (_, at) => file(`f${at}`, value));
  const node = { key: "/d", dir: true, nodes, modifiedIndex: 1, createdIndex: 1 } as const;
  return { action: "get", node, ...origin };
}

describe("the body of a response", () => {
  it("is a string if it is small", () => {
    const answer = listing(10, "ü");
    expect(responseBody(answer, new TurnScheduler())).toBe(encodeResponse(answer));
  });

  it("consists of portions if it is large, and returns the size that it still holds", async () => {
    const answer = listing(5_000, "v".repeat(100));
    const body = responseBody(answer, new TurnScheduler());
    if (typeof body === "string") throw new Error("it is not in portions");
    const text = encodeResponse(answer);
    const held = [body.heldBytes ?? 0];
    const portions: string[] = [];
    for await (const portion of body) {
      portions.push(portion);
      held.push(body.heldBytes ?? 0);
    }
    expect(portions.join("")).toBe(text);
    expect(Math.max(...portions.map(({ length }) => length))).toBeLessThan(text.length / 10);
    expect(held[0]).toBeGreaterThan(text.length);
    expect(held).toEqual(held.toSorted((a, b) => b - a));
  });

  it("encodes nothing before it is read", () => {
    const touched: string[] = [];
    const value = "v".repeat(100_000);
    const node = new Proxy(file("a", value), {
      get: (target, name, receiver) => {
        touched.push(String(name));
        return Reflect.get(target, name, receiver);
      },
    });
    responseBody({ action: "set", node, ...origin }, new TurnScheduler());
    expect(touched).not.toContain("modifiedIndex");
  });
});
