import type { Queue, QueueItem } from "../../../src/index.js";
import { checkQueue, type QueueOperation } from "../checks/queue.js";
import type { Workload, WorkloadContext } from "../workload.js";
import { itemsIn } from "./items.js";
import { below, UniqueValues } from "./values.js";

/** Seconds. Short, so that faults often outlast it. */
const VISIBILITY_TIMEOUT = 3;
const TAKE_TIMEOUT_MS = 2_000;

export const queue: Workload = {
  name: "queue",
  async run(context) {
    const options = { visibilityTimeout: VISIBILITY_TIMEOUT };
    await using queue = context.etcd.queue(keyIn(context), options);
    const values = new UniqueValues(context);
    for (;;) {
      await context.turn();
      if (context.random() < 0.5) await enqueue(context, queue, values.next());
      else await consume(context, queue, values.next());
    }
  },
  async finish(context) {
    const key = keyIn(context);
    const list = () => itemsIn(context.etcd, key);
    await context.operate({ kind: "list", key }, list, (items) => items);
  },
  check: (history) => checkQueue(history as readonly QueueOperation[]),
};

async function enqueue({ operate }: WorkloadContext, queue: Queue, value: string): Promise<void> {
  const operation = { kind: "enqueue", key: queue.key, input: value };
  await operate(
    operation,
    () => queue.enqueue(value),
    (key) => key,
  );
}

/** Takes an item, works for some turns, and acknowledges or releases it. */
async function consume(context: WorkloadContext, queue: Queue, claim: string): Promise<void> {
  const { over: signal, operate } = context;
  const { result: item } = await operate(
    { kind: "take", key: queue.key },
    () => queue.take({ timeout: TAKE_TIMEOUT_MS, signal }),
    ({ key, value }) => ({ key, value, claim }),
  );
  if (item !== undefined) await work(context, item, claim);
}

async function work(context: WorkloadContext, item: QueueItem, claim: string): Promise<void> {
  const { operate, random, turn } = context;
  const { key } = item;
  try {
    for (let turns = below(5, context); turns >= 0; turns--) {
      await operate({ kind: "hold", key, input: claim }, async () => item.assertHeld());
      await turn();
    }
    if (random() < 0.8) {
      await operate({ kind: "acknowledge", key, input: claim }, () => item.acknowledge());
    }
  } finally {
    await operate({ kind: "release", key, input: claim }, () => item.release());
  }
}

function keyIn({ directory }: WorkloadContext): string {
  return `${directory}/items`;
}
