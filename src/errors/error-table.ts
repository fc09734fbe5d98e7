/** etcd's text and HTTP status for an error code. */
export interface ErrorDefinition {
  readonly reason: string;
  readonly status: number;
}

/** The errors of a key space, by code. */
const DEFINITIONS: ReadonlyMap<number, ErrorDefinition> = new Map([
  [100, { reason: "Key not found", status: 404 }],
  [101, { reason: "Compare failed", status: 412 }],
  [102, { reason: "Not a file", status: 403 }],
  [104, { reason: "Not a directory", status: 400 }],
  [105, { reason: "Key already exists", status: 412 }],
  [107, { reason: "Root is read only", status: 400 }],
  [108, { reason: "Directory not empty", status: 403 }],
  [110, { reason: "The request requires user authentication", status: 401 }],
  [201, { reason: "PrevValue is Required in POST form", status: 400 }],
  [202, { reason: "The given TTL in POST form is not a number", status: 400 }],
  [203, { reason: "The given index in POST form is not a number", status: 400 }],
  [209, { reason: "Invalid field", status: 400 }],
  [210, { reason: "Invalid POST form", status: 400 }],
  [211, { reason: "Value provided on refresh", status: 400 }],
  [212, { reason: "A TTL must be provided on refresh", status: 400 }],
  [300, { reason: "Raft Internal Error", status: 500 }],
  [401, { reason: "The event in requested index is outdated and cleared", status: 400 }],
]);

/** @throws RangeError for a code that no key space returns */
export function errorDefinition(errorCode: number): ErrorDefinition {
  const definition = DEFINITIONS.get(errorCode);
  if (definition === undefined) throw new RangeError(`no etcd error ${errorCode}`);
  return definition;
}
