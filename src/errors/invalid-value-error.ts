import { EtcdError } from "./etcd-error.js";

/** A problem of a value, and its place. */
export interface ValueIssue {
  /** The key to correct. */
  readonly key: string;
  /** Path inside the key's value; empty: the complete value. */
  readonly path: readonly string[];
  readonly message: string;
}

/** A value in etcd is not what the program expects. */
export class InvalidValueError extends EtcdError {
  override readonly name = "InvalidValueError";
  override readonly code = "ETCD_INVALID_VALUE";
  /** The key to correct; the first one if there are several. */
  readonly key: string;
  /** All problems; never empty. */
  readonly issues: readonly ValueIssue[];

  constructor(issues: readonly [ValueIssue, ...ValueIssue[]], cause?: unknown) {
    super(issues.map(describe).join("; "), cause === undefined ? {} : { cause });
    this.key = issues[0].key;
    this.issues = issues;
  }

  /** The error for a value for which a function threw `cause`. */
  static because(key: string, what: "parsed" | "validated", cause: unknown): InvalidValueError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new InvalidValueError([{ key, path: [], message: `cannot be ${what}: ${why}` }], cause);
  }
}

function describe({ key, path, message }: ValueIssue): string {
  return path.length === 0 ? `${key}: ${message}` : `${key}, at ${path.join(".")}: ${message}`;
}
