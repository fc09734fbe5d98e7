import type { Command } from "commander";
import { TimeoutError } from "../../errors/cluster-errors.js";
import { Lock } from "../../recipes/lock/lock.js";
import type { LockHandle } from "../../recipes/lock/lock-handle.js";
import { parseDuration, parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { exitCodeOfSignal } from "../process/exit-code.js";
import { type Interrupt, untilInterrupted } from "../process/interrupt.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { whileHeld } from "./while-held.js";

interface LockFlags {
  readonly ttl?: number;
  readonly wait?: number;
}

export function lockCommand(): Command {
  return clientCommand(
    "lock",
    "Wait for a lock, run a program while the lock is held, and exit with the program's exit code. The " +
      "environment has ETCD_LOCK_KEY and ETCD_LOCK_FENCING_TOKEN. The program receives SIGTERM when the " +
      "lock is lost. Without a program, print the holder's key and hold the lock until Ctrl-C.",
    "etcdnet lock /locks/backup --ttl 30 -- ./backup.sh --all",
  )
    .argument("<key>")
    .argument("[program...]", "program with its arguments, after --")
    .option(
      "--ttl <duration>",
      "time after which a dead holder loses the lock (default: 10)",
      parseSeconds,
    )
    .option(
      "--wait <duration>",
      "maximum time to wait, e.g. 30s; 0s: fail at once if the lock is taken",
      parseDuration,
    )
    .action((key: string, program: string[], flags: LockFlags, command: Command) =>
      withSession(command, (session) => lock(session, keyOf(key), program, flags)),
    );
}

async function lock(
  { etcd }: Session,
  key: string,
  program: readonly string[],
  { ttl = 10, wait }: LockFlags,
): Promise<void> {
  using interrupt = untilInterrupted("SIGINT", "SIGTERM", "SIGHUP");
  const handle = await acquire(new Lock(etcd, key, { ttl }), interrupt, wait);
  if (handle === undefined) return;
  await using held = handle;
  if (program.length === 0) print(held.key);
  await whileHeld(held.signal, interrupt, program, {
    ETCD_LOCK_KEY: held.key,
    ETCD_LOCK_FENCING_TOKEN: String(held.fencingToken),
  });
}

/** Undefined when a signal ends the wait. */
async function acquire(
  lock: Lock,
  { signal }: Interrupt,
  wait: number | undefined,
): Promise<LockHandle | undefined> {
  try {
    if (wait === 0) return await acquireNow(lock, signal);
    return await lock.acquire({ signal, ...(wait !== undefined && { timeout: wait }) });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = exitCodeOfSignal(signal.reason);
    return undefined;
  }
}

async function acquireNow(lock: Lock, signal: AbortSignal): Promise<LockHandle> {
  const handle = await lock.tryAcquire({ signal });
  if (handle !== null) return handle;
  throw new TimeoutError(`lock ${lock.key}: is held or waited for by another client`, 0);
}
