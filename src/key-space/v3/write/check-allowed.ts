import type { KeyValue } from "../../../etcd3/rpcs.js";
import type { Condition, KeyRequest } from "../../../model/key-request.js";
import { differences } from "../../shared/differences.js";
import { StoreError } from "../../shared/store-error.js";
import { textOf } from "../schema/node-view.js";
import {
  exists,
  isDirectory,
  missing,
  type PathSnapshot,
  type PathState,
  requireParents,
} from "../schema/path-snapshot.js";

/** Refuses a write that the tree does not allow, with checks in v2's order. @throws StoreError */
export function checkAllowed(snapshot: PathSnapshot, request: KeyRequest, offset: number): void {
  const { target } = snapshot;
  if (target.path === "" && request.action !== "compareAndDelete") throw new StoreError(107, "/");
  refuseAt(target, request, offset);
  if (!exists(target)) refuseMissing(snapshot, request);
  const isFull = target.firstKeyBelow !== undefined || snapshot.subdirectory !== undefined;
  if (request.action === "delete" && !request.recursive && isDirectory(target) && isFull) {
    throw new StoreError(108, target.path);
  }
}

/** Whether {@link checkAllowed} must know which ancestors of a missing node are implied. */
export function needsParentCheck({ target }: PathSnapshot, request: KeyRequest): boolean {
  if (exists(target) || request.action === "create") return false;
  return request.action !== "set" || request.refresh === true;
}

/** The part of {@link checkAllowed} that needs only the target. @throws StoreError */
export function refuseAt(target: PathState, request: KeyRequest, offset: number): void {
  const { path, file } = target;
  if (isDirectory(target) && refusesDirectories(request)) throw new StoreError(102, path);
  switch (request.action) {
    case "create":
      if (exists(target)) throw new StoreError(105, path);
      return;
    case "compareAndSwap":
    case "compareAndDelete": {
      const detail = file && differencesFrom(request, file, offset);
      if (detail) throw new StoreError(101, detail);
      return;
    }
  }
}

function refusesDirectories(request: KeyRequest): boolean {
  switch (request.action) {
    case "set":
    case "compareAndSwap":
    case "compareAndDelete":
      return true;
    case "update":
      return Boolean(request.value);
    case "delete":
      return !request.dir && !request.recursive;
    default:
      return false;
  }
}

function refuseMissing(snapshot: PathSnapshot, request: KeyRequest): void {
  const { action } = request;
  if (action !== "set" && action !== "create") throw missing(snapshot);
  requireParents(snapshot);
  if (action === "set" && request.refresh) throw missing(snapshot);
}

/** Values that are not UTF-8 may look equal but differ. */
function differencesFrom(condition: Condition, file: KeyValue, offset: number): string {
  const { prevValue } = condition;
  const value = textOf(file.value);
  const detail = differences(condition, { value, modifiedIndex: file.mod_revision + offset });
  if (detail !== "" || prevValue === undefined) return detail;
  if (file.value.equals(Buffer.from(prevValue))) return detail;
  return `[${prevValue} != ${value}]`;
}
