// @ts-check
/** Every public call of the client. */
import { GATEWAY_CALLS } from "./gateway-call.mjs";
import { AUTH_CALLS, READS, WRITES } from "./key-calls.mjs";
import { RECIPES } from "./recipe-calls.mjs";
import { WAITS } from "./watch-calls.mjs";

/** Every call, by name. @type {Record<string, (context: import("./call-context.mjs").Context) => Promise<unknown>>} */
export const CALLS = { ...READS, ...WRITES, ...WAITS, ...RECIPES, ...AUTH_CALLS, ...GATEWAY_CALLS };
