#!/usr/bin/env node
import { endOnClosedPipe } from "./process/closed-pipe.js";
import { endOnSignals } from "./process/end-on-signals.js";
import { runProgram } from "./program.js";

// Hides the arguments from other users of the system: they may contain a password.
process.title = "etcdnet";
endOnClosedPipe();
endOnSignals(process);
await runProgram(process.argv.slice(2));
