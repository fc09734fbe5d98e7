import type { EtcdClient, Ownership } from "../../../src/index.js";
import { checkLock, type LockOperation } from "../checks/lock.js";
import type { Workload, WorkloadContext } from "../workload.js";

/** Seconds. Short, so that faults often outlast it. */
const TTL = 3;
const ACQUIRE_TIMEOUT_MS = 10_000;

export const lock: Workload = {
  name: "lock",
  async run(context) {
    const lock = context.etcd.lock(`${context.directory}/lock`, { ttl: TTL });
    const options = { timeout: ACQUIRE_TIMEOUT_MS, signal: context.over };
    for (;;) {
      await context.turn();
      const { result: held } = await context.operate(
        { kind: "acquire", key: lock.key },
        () => lock.acquire(options),
        ({ fencingToken }) => fencingToken,
      );
      if (held !== undefined) await useOwnership(context, lock.key, held);
    }
  },
  check: (history) => checkLock(history as readonly LockOperation[]),
};

/** Uses what is owned for up to two TTLs, sometimes also after its loss, and gives it back. */
export async function useOwnership(
  context: WorkloadContext,
  key: string,
  owned: Ownership,
): Promise<void> {
  const { clock } = context.etcd;
  const until = clock.monotonic() + context.random() * 2 * TTL * 1000;
  // A write that gets no response must not keep the client from asserting that it still owns.
  let writing: Promise<void> | undefined;
  try {
    for (let held = true; held || context.random() < 0.5; ) {
      held = await assertHeld(context, key, owned);
      writing ??= writeFenced(context, owned.fencingToken).then(() => {
        writing = undefined;
      });
      if (clock.monotonic() > until) return;
      await context.turn();
    }
  } finally {
    await writing;
    await context.operate({ kind: "release", key }, () => owned[Symbol.asyncDispose]());
  }
}

async function assertHeld(
  { operate }: WorkloadContext,
  key: string,
  owned: Ownership,
): Promise<boolean> {
  const hold = { kind: "hold", key, input: owned.fencingToken };
  return (await operate(hold, async () => owned.assertHeld())).outcome === "ok";
}

async function writeFenced(context: WorkloadContext, token: number): Promise<void> {
  const { etcd, directory, client, operate } = context;
  const key = `${directory}/resource`;
  const write = () => swapIfNewest(etcd, key, { token, client });
  await operate({ kind: "write", key, input: token }, write, (index) => index);
}

/** The guarded resource. @returns its index, or `refused` for a token below that of the last write */
async function swapIfNewest(
  etcd: EtcdClient,
  key: string,
  { token, client }: { readonly token: number; readonly client: number },
): Promise<number | "refused"> {
  const value = `${token} of ${client}`;
  const before = await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
  if (before === null) return (await etcd.createNode(key, value)).node.modifiedIndex;
  if (Number.parseInt(before.node.value ?? "", 10) > token) return "refused";
  const condition = { prevIndex: before.node.modifiedIndex };
  return (await etcd.compareAndSwapNode(key, condition, value)).node.modifiedIndex;
}
