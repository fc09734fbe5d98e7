import { type BigIntStats, readFileSync, statSync } from "node:fs";

/**
 * Whether a process has locked one of these files, as a running etcd does. Linux shows all locks of the machine,
 * except those of some network file systems. Undefined on other systems.
 */
export function isLocked(files: readonly string[]): boolean | undefined {
  let locks: string;
  try {
    locks = readFileSync("/proc/locks", "utf8");
  } catch {
    return undefined;
  }
  // 1: FLOCK  ADVISORY  WRITE 1234 fe:00:9977912 0 EOF
  const locked = new Set(locks.split("\n").map((line) => line.split(/ +/)[5]));
  return files.some((file) => locked.has(lockNameOf(statSync(file, { bigint: true }))));
}

/** Major and minor number of the device, in hexadecimal, and the inode. */
function lockNameOf({ dev, ino }: BigIntStats): string {
  const hex = (number: bigint): string => number.toString(16).padStart(2, "0");
  // Linux has the lower 12 bits of the major number in the bits 8 to 19, and the minor number around them.
  const minor = ((dev >> 12n) & 0xfff00n) | (dev & 0xffn);
  return `${hex((dev >> 8n) & 0xfffn)}:${hex(minor)}:${ino}`;
}
