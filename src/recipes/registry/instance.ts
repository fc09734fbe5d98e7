import { OptionError } from "../../errors/option-error.js";
import type { AnyNode } from "../../model/node.js";

/** A registered instance of a service. */
export interface Instance<M = unknown> {
  /** The name of its key below the service. */
  readonly id: string;
  /** Any value that JSON can represent. */
  readonly metadata: M;
}

/** A key below a service whose value is not a registration, or whose metadata `parse` refuses. */
export interface MalformedInstance {
  readonly key: string;
  readonly value: string;
  /** The error: of `JSON.parse`, of the option `parse`, or a `TypeError`. */
  readonly problem: unknown;
}

/** The value of a registration. `owner` identifies its owner. */
export function encodeInstance(owner: string, metadata: unknown): string {
  const text = JSON.stringify({ owner, metadata });
  if (metadata === undefined || !text.includes('"metadata":')) {
    throw new OptionError(
      "metadata",
      "must be a value that JSON can represent",
      "use null for no metadata",
    );
  }
  return text;
}

/** Handles the values of registrations, and other values in the same directory. */
export interface InstanceReader<M> {
  parse(metadata: unknown): M;
  onMalformed(malformed: MalformedInstance): void;
}

/** Returns `undefined` for a node that is not an instance. A file is reported to `onMalformed`. */
export function readInstance<M>(
  { key, value }: AnyNode,
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
  throw new TypeError("the value is not a JSON object with the field metadata");
}
