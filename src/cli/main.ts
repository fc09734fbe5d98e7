#!/usr/bin/env node
import { endOnClosedPipe } from "./closed-pipe.js";
import { runProgram } from "./program.js";

endOnClosedPipe();
await runProgram(process.argv.slice(2));
