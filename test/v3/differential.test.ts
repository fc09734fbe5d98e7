import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdServerError } from "../../src/errors/server-error.js";
import { NamespaceKeySpace } from "../../src/key-space/decorators/namespace-key-space.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { AnyNode } from "../../src/model/node.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { SEED } from "../support/seed.js";
import { requests } from "./requests.js";

/** A key space, and its first index. */
interface Side {
  readonly keySpace: KeySpace;
  readonly base: number;
  /** createdIndex of files that were set. On v3, a set keeps the createdIndex of the replaced file. */
  readonly created: (key: string, index: number) => number;
}

async function sideOf(keySpace: KeySpace, created: Side["created"]): Promise<Side> {
  const { etcdIndex } = await keySpace.execute({ action: "set", key: "/begin", value: "" });
  return { keySpace, base: etcdIndex, created };
}

/** The response of a side, with indexes relative to its first index. */
async function answer({ keySpace, base, created }: Side, request: KeyRequest): Promise<unknown> {
  try {
    const prevIndex = "prevIndex" in request ? request.prevIndex : undefined;
    const asked = { ...request, ...(prevIndex && { prevIndex: prevIndex + base }) };
    const response = await keySpace.execute(asked as KeyRequest);
    return shownFor(response, base, created);
  } catch (error) {
    if (!(error instanceof EtcdServerError)) throw error;
    const { errorCode, detail, index } = error;
    return { errorCode, detail: relative(detail, base), index: index - base };
  }
}

function shownFor(response: EtcdResponse, base: number, created: Side["created"]): unknown {
  const { action, node, prevNode, etcdIndex } = response;
  const show = ({ key, nodes, ttl, expiration, ...rest }: AnyNode): unknown => ({
    ...rest,
    key: relative(key, base),
    hasTtl: expiration !== undefined,
    ttl: ttl === undefined ? 0 : Math.round(ttl / 50),
    createdIndex: created(key, rest.createdIndex) - base,
    modifiedIndex: rest.modifiedIndex - base,
    ...(nodes && { nodes: nodes.map(show) }),
  });
  return {
    action,
    node: show(node),
    ...(prevNode && { prevNode: show(prevNode) }),
    etcdIndex: etcdIndex - base,
  };
}

/** In-order names and indexes in `cause` are the only numbers. */
function relative(text: string, base: number): string {
  return text.replace(/\d+/g, (number) => String(Number(number) - base));
}

/** Records the first createdIndex, for a key space in which a set creates a new one. */
class FirstCreation {
  readonly #first = new Map<string, number>();

  readonly of = (key: string, index: number): number => this.#first.get(`${key} ${index}`) ?? index;

  learn({ action, node, prevNode }: EtcdResponse): void {
    if (action !== "set" || prevNode?.value === undefined || node.dir) return;
    const first = this.of(node.key, prevNode.createdIndex);
    this.#first.set(`${node.key} ${node.createdIndex}`, first);
  }
}

function learning(keySpace: KeySpace, creation: FirstCreation): KeySpace {
  const learn = async (request: KeyRequest): Promise<EtcdResponse> => {
    const response = await keySpace.execute(request);
    creation.learn(response);
    return response;
  };
  return Object.assign(Object.create(keySpace), { execute: learn });
}

describeWithEtcd("3.7", "the v3 key space beside the one in memory", () => {
  let etcd: EtcdCluster;
  let v3: KeySpace;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    v3 = v3KeySpaceOf(etcd.urls);
  });
  afterAll(async () => {
    await v3?.close();
    await etcd?.stop();
  });

  async function compare(sequence: readonly KeyRequest[]): Promise<void> {
    const creation = new FirstCreation();
    const memory = new MemoryKeySpace();
    const model = new NamespaceKeySpace(learning(memory, creation), "/run");
    const [expected, actual] = [
      await sideOf(model, (key, index) => creation.of(`/run${key}`, index)),
      await sideOf(
        new NamespaceKeySpace(v3, `/${randomUUID().replaceAll(/\d|-/g, "")}`),
        (_, index) => index,
      ),
    ];
    for (const request of sequence) {
      expect(await answer(actual, request), JSON.stringify(request)).toEqual(
        await answer(expected, request),
      );
    }
    await memory.close();
  }

  it.each([
    { ttls: false, what: "any sequence of requests" },
    { ttls: true, what: "sequences with directories that expire" },
  ])(
    "has the same response: $what",
    async ({ ttls }) => {
      const sequences = fc.array(requests(ttls), { minLength: 1, maxLength: 40, size: "max" });
      await fc.assert(fc.asyncProperty(sequences, compare), { seed: SEED, numRuns: 120 });
    },
    300_000,
  );
});
