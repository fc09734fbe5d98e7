import { EtcdError } from "./etcd-error.js";

/** What is wrong with a value, and where. */
export interface ValueIssue {
  /** The key that is to be corrected. */
  readonly key: string;
  /** Where inside the key's value; empty: the value as a whole. */
  readonly path: readonly string[];
  readonly message: string;
}

/** What is stored in etcd is not what the program expects there. */
export class InvalidValueError extends EtcdError {
  override readonly name = "InvalidValueError";
  override readonly code = "ETCD_INVALID_VALUE";
  /** The key that is to be corrected; the first one, if there are several. */
  readonly key: string;
  /** Everything that is wrong; never empty. */
  readonly issues: readonly ValueIssue[];

  constructor(issues: readonly [ValueIssue, ...ValueIssue[]], cause?: unknown) {
    super(issues.map(describe).join("; "), cause === undefined ? {} : { cause });
    this.key = issues[0].key;
    this.issues = issues;
  }

  /** For a value that made a function throw. */
  static because(key: string, what: "parsed" | "validated", cause: unknown): InvalidValueError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new InvalidValueError([{ key, path: [], message: `cannot be ${what}: ${why}` }], cause);
  }
}

function describe({ key, path, message }: ValueIssue): string {
  return path.length === 0 ? `${key}: ${message}` : `${key}, at ${path.join(".")}: ${message}`;
}
