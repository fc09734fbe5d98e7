// @ts-check
// How long `etcdnet get` takes from its start to its end, beside Node itself and undici's load.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startEmbeddedEtcd } from "../dist/server/index.js";
