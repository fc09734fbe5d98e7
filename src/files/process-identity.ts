import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Identifies a process in a lock. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the system's ticks, because process ids are reused; `-` if unknown. */
  readonly start: string;
  /** Scope of the process id: one boot of a kernel and one of its containers. */
  readonly space: string;
  /** For messages. */
  readonly host: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid), space: ownSpace(), host: hostname() };
}

/** Whether a process runs. `undefined` if this process cannot determine it. */
export function isRunning({ pid, start, space }: ProcessIdentity): boolean | undefined {
  if (space !== ownSpace()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process runs, but belongs to another user.
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

/** Reads the 22nd field of `/proc/PID/stat`. The second field can contain any character. */
function startOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? "-";
  } catch {
    return "-";
  }
}
