import type { HttpHeaders } from "../../wire/http.js";
import type { Field } from "./hpack/field.js";

/** The fields of a response, or its trailers. */
export interface FieldSection {
  /** `undefined` in trailers. */
  readonly status: number | undefined;
  readonly headers: HttpHeaders;
}

/** A name is in lower case (RFC 9113, section 8.2.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Of a value (RFC 9113, section 8.2.1). */
const FORBIDDEN = /[\0\r\n]|^[ \t]|[ \t]$/;
/** Fields that HTTP/1 has for one connection (RFC 9113, section 8.2.2). */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** @returns `undefined` if a field is invalid */
export function fieldSectionOf(fields: readonly Field[]): FieldSection | undefined {
  let status: number | undefined;
  const headers: Record<string, string> = Object.create(null);
  for (const [at, { name, value }] of fields.entries()) {
    if (FORBIDDEN.test(value)) return undefined;
    if (name === ":status" && at === 0 && /^[1-9]\d\d$/.test(value)) status = Number(value);
    else if (!NAME.test(name) || FORBIDDEN_NAMES.has(name)) return undefined;
    else headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status, headers };
}
