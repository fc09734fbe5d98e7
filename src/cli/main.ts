#!/usr/bin/env node
import { endOnClosedPipe } from "./closed-pipe.js";
import { endOnSignals } from "./end-on-signals.js";
import { runProgram } from "./program.js";

// Replaces the arguments that the system shows to other users: they may hold a password.
process.title = "etcdnet";
endOnClosedPipe();
endOnSignals(process);
await runProgram(process.argv.slice(2));
