import type { KeyRequest } from "../../model/key-request.js";
import { differences } from "../differences.js";
import { StoreError } from "../store-error.js";
import { textOf } from "./shown-node.js";
import { isDirectory, missing, type Place, requireWay, type Survey } from "./survey.js";
import type { KeyValue } from "./transaction-answer.js";

/** Refuses a write that the tree does not allow, in v2's order. @throws StoreError */
export function refuseBy(survey: Survey, request: KeyRequest, offset: number): void {
  const { target } = survey;
  if (target.path === "" && request.action !== "compareAndDelete") throw new StoreError(107, "/");
  refuseAt(target, request, offset);
  if (!exists(target)) refuseMissing(survey, request);
  const isFull = target.first !== undefined || survey.subdirectory !== undefined;
  if (request.action === "delete" && !request.recursive && isDirectory(target) && isFull) {
    throw new StoreError(108, target.path);
  }
}

/** The part of {@link refuseBy} that needs to know the target alone. @throws StoreError */
export function refuseAt(target: Place, request: KeyRequest, offset: number): void {
  const { path, file } = target;
  if (isDirectory(target) && refusesDirectories(request)) throw new StoreError(102, path);
  switch (request.action) {
    case "create":
      if (exists(target)) throw new StoreError(105, path);
      return;
    case "compareAndSwap":
    case "compareAndDelete": {
      const detail = file && differences(request, shownFor(file, offset));
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

function refuseMissing(survey: Survey, request: KeyRequest): void {
  const { action } = request;
  if (action !== "set" && action !== "create") throw missing(survey);
  requireWay(survey);
  if (action === "set" && request.refresh) throw missing(survey);
}

function exists(place: Place): boolean {
  return place.file !== undefined || isDirectory(place);
}

function shownFor(file: KeyValue, offset: number): { value: string; modifiedIndex: number } {
  return { value: textOf(file.value), modifiedIndex: file.modRevision + offset };
}
