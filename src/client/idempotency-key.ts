import { OptionError } from "../errors/option-error.js";
import type { KeySpace } from "../key-space/key-space.js";
import type { KeyRequest } from "../model/key-request.js";
import { checkText } from "../model/validate.js";

/** It is part of a key in etcd, which is written with each of these writes. */
const MAX_LENGTH = 256;

/** Checks an idempotency key, and whether it has an effect. @throws OptionError */
export function checkIdempotencyKey(
  key: unknown,
  { action }: KeyRequest,
  { acceptsIdempotencyKeys }: KeySpace,
): void {
  const option = "idempotencyKey";
  if (acceptsIdempotencyKeys !== true) {
    const advice = "omit it, or use an etcd with the v3 API";
    throw new OptionError(option, 'is only valid with api: "v3"', advice);
  }
  if (action === "get") throw new OptionError(option, "is only valid for writes", "omit it");
  if (typeof key !== "string" || key.length < 1 || key.length > MAX_LENGTH) {
    throw new OptionError(option, `must be a string of 1 to ${MAX_LENGTH} characters`);
  }
  checkText(option, key);
}
