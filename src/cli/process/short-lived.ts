import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from optimising undici's parser: it would begin with the first answer, take longer than
 * all the rest of a command, and be waited for at the end.
 */
export function expectShortLife(): void {
  setFlagsFromString("--liftoff-only");
}
