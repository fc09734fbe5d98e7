#!/usr/bin/env node
import { endOnClosedPipe } from "./process/closed-pipe.js";
import { endOnSignals } from "./process/end-on-signals.js";
import { runProgram } from "./program.js";

// Replaces the arguments that the system shows to other users: they may hold a password.
process.title = "etcdnet";
endOnClosedPipe();
endOnSignals(process);
await runProgram(process.argv.slice(2));
