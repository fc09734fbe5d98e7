// @ts-check
import { readlinkSync, rmSync, symlinkSync } from "node:fs";

const POLL_EVERY_MS = 20;

/**
 * Does work that one process at a time may do, and waits for another that does it. The lock is a link to the id of
 * its process. That of a process that was killed is removed.
 *
 * @param {string} path of the lock
 * @param {() => void} work
 */
export function withLock(path, work) {
  while (!acquire(path)) waitFor(POLL_EVERY_MS);
  try {
    work();
  } finally {
    rmSync(path);
  }
}

/** @param {string} path */
function acquire(path) {
  try {
    symlinkSync(String(process.pid), path);
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  const owner = ownerOf(path);
  if (owner !== undefined && !isRunning(owner)) rmSync(path, { force: true });
  return false;
}

/** @param {string} path @returns {number | undefined} undefined when it has just been released */
function ownerOf(path) {
  try {
    return Number(readlinkSync(path));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/** @param {unknown} error @param {string} code */
function hasCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Who builds has nothing else to do. @param {number} milliseconds */
function waitFor(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
