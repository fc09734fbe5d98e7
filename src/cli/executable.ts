/** Entry of the single executable. It is CommonJS, which has no top-level await. */

import { runMain } from "./run-main.js";

/** Node's exit code for a top-level await that never settles. */
const UNSETTLED = 13;

const endUnsettled = (): never => process.exit(UNSETTLED);
process.once("beforeExit", endUnsettled);
runMain().finally(() => process.removeListener("beforeExit", endUnsettled));
