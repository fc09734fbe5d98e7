import { join } from "node:path";
import { expect } from "vitest";
import { isMissing } from "../foreign/missing.js";
import { installPythonEtcd } from "../foreign/python-etcd.js";
import type { Application } from "./application.js";
import { ascending, numberIn, oneTo } from "./numbers.js";
import { finish, launch, linesOf, printsMore } from "./program.js";
import { pythonEnv } from "./python.js";

const WORKER = join(import.meta.dirname, "python/lock_worker.py");
const COUNTED = /^counted \d+$/;

/** Two processes that share python-etcd's lock, until one is killed while it holds the lock. */
export const pythonLock: Application = {
  name: "python-etcd: its lock in two processes, and a holder that is killed",
  install() {
    const packages = installPythonEtcd();
    if (isMissing(packages)) return packages;
    return async ({ urls }) => {
      const worker = () => launch("python3", [WORKER, ...urls], { env: pythonEnv(packages) });
      const [holder, other] = [worker(), worker()];
      return {
        async goesOn() {
          await Promise.all([printsMore(holder, COUNTED, 1), printsMore(other, COUNTED, 1)]);
        },
        async finish() {
          const holds = printsMore(holder, /^holding$/, 1);
          holder.child.kill("SIGUSR1");
          await holds;
          holder.child.kill("SIGKILL");
          await printsMore(other, COUNTED, 1);
          await finish(other);
          const counted = [holder, other].flatMap((each) => linesOf(each, COUNTED)).map(numberIn);
          expect(counted.toSorted(ascending)).toEqual(oneTo(counted.length));
        },
      };
    };
  },
};
