import type { EtcdNode } from "../../model/node.js";

/** An instance of a service, as registered. */
export interface Instance<M = unknown> {
  /** Its key's name below the service. */
  readonly id: string;
  /** Anything that JSON can hold. */
  readonly metadata: M;
}

/** A key below a service that does not hold what a registration writes, or not what was asked for. */
export interface MalformedInstance {
  readonly key: string;
  readonly value: string;
  /** Why it is none: of `JSON.parse`, of the option `parse`, or a `TypeError`. */
  readonly problem: unknown;
}

/** The value of a registration; `owner` proves whose it is. */
export function encodeInstance(owner: string, metadata: unknown): string {
  const text = JSON.stringify({ owner, metadata });
  if (metadata === undefined || !text.includes('"metadata":')) {
    throw new TypeError("metadata: must be something that JSON can hold; null for none");
  }
  return text;
}

/** Reads what registrations wrote, and what others wrote beside them. */
export interface InstanceReader<M> {
  parse(metadata: unknown): M;
  onMalformed(malformed: MalformedInstance): void;
}

/** Nothing for what is no instance; it is reported. */
export function readInstance<M>(
  { key, value }: EtcdNode,
  { parse, onMalformed }: InstanceReader<M>,
): Instance<M> | undefined {
  if (value === undefined) return undefined;
  try {
    return { id: idOf(key), metadata: parse(metadataOf(value)) };
  } catch (problem) {
    onMalformed({ key, value, problem });
    return undefined;
  }
}

export function idOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

function metadataOf(value: string): unknown {
  const content: unknown = JSON.parse(value);
  if (typeof content === "object" && content !== null && "metadata" in content) {
    return content.metadata;
  }
  throw new TypeError("is not an object with metadata");
}
