import type { EtcdClient } from "../../../src/index.js";
import { type CounterOperation, checkCounter } from "../checks/counter.js";
import type { Workload, WorkloadContext } from "../workload.js";

/** The number, and the index of the node; absent: the counter does not exist. */
interface Count {
  readonly number: number;
  readonly index?: number;
}

export const counter: Workload = {
  name: "counter",
  async run(context) {
    for (;;) {
      await context.turn();
      const { result } = await read(context);
      if (result !== undefined) await increment(context, result);
    }
  },
  async finish(context) {
    await read(context);
  },
  check: (history) => checkCounter(history as readonly CounterOperation[]),
};

function read({ etcd, directory, operate }: WorkloadContext) {
  const key = keyIn(directory);
  return operate(
    { kind: "read", key },
    () => countAt(etcd, key),
    ({ number }) => number,
  );
}

async function countAt(etcd: EtcdClient, key: string): Promise<Count> {
  const response = await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
  if (response === null) return { number: 0 };
  return { number: Number(response.node.value), index: response.node.modifiedIndex };
}

async function increment(
  { etcd, directory, operate }: WorkloadContext,
  { number, index }: Count,
): Promise<void> {
  const key = keyIn(directory);
  const value = String(number + 1);
  const write = () =>
    index === undefined
      ? etcd.createNode(key, value)
      : etcd.compareAndSwapNode(key, { prevIndex: index }, value);
  await operate({ kind: "increment", key, input: number }, write, ({ node }) => node.modifiedIndex);
}

function keyIn(directory: string): string {
  return `${directory}/counter`;
}
