// @ts-check
// Bundled by the test. Writes a file, and kills itself before a step: `node killed-writer.mjs FILE STEP-NUMBER`.
import { replaceFile } from "../../src/files/replace-file.js";
import { steppedFiles } from "../support/stepped-files.mjs";

const [, , file = "", last = ""] = process.argv;
let steps = 0;
const fs = steppedFiles(() => {
  if (++steps === Number(last)) process.kill(process.pid, "SIGKILL");
});

async function* pieces() {
  for (let line = 0; line < 3; line++) yield "new\n".repeat(1000);
}

await replaceFile(file, pieces(), { fs });
console.log(steps);
