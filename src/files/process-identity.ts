import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, as a lock names it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's ticks, as ids are used again; `-` where nobody tells. */
  readonly start: string;
  /** Within what the id means something: a boot of a kernel and one of its containers. */
  readonly space: string;
  /** For people. */
  readonly host: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid), space: ownSpace(), host: hostname() };
}

/** Whether a process runs; `undefined` where this process cannot know. */
export function isRunning({ pid, start, space }: ProcessIdentity): boolean | undefined {
  if (space !== ownSpace()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but runs.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return startOf(pid) === start;
}

function ownSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
    const [number = ""] = /\d+/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
    return `${boot}.${number}`;
  } catch {
    return hostname().replace(/[^\w.-]/g, "_");
  }
}

/** The 22nd field of the process's status. The name in the second one may hold anything. */
function startOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? "-";
  } catch {
    return "-";
  }
}
