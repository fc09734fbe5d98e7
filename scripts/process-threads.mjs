// @ts-check
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Stopped, traced or ended. */
const AT_REST = /\) [TtZX] /;

/**
 * Whether any thread of a process still runs. A signal reaches a process some time after it was
 * sent, and each of its threads by itself. Where there is no /proc, nobody can tell: then not.
 *
 * @param {number} pid
 */
export function hasRunningThread(pid) {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return false;
  return readdirSync(tasks).some((task) => isRunning(`${tasks}/${task}/stat`));
}

/** @param {string} path */
function isRunning(path) {
  try {
    return !AT_REST.test(readFileSync(path, "utf8"));
  } catch {
    return false; // The thread has ended since it was listed.
  }
}
