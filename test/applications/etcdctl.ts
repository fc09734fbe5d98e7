import { join } from "node:path";
import { expect, vi } from "vitest";
import { EtcdctlRunner, findEtcdctl } from "../foreign/etcdctl.js";
import { isMissing } from "../foreign/missing.js";
import type { Application } from "./application.js";
import { ExecWatch } from "./exec-watch.js";
import { ascending, numberIn, oneTo } from "./numbers.js";
import { finish, launch, linesOf, printsMore } from "./program.js";

const SCRIPT = join(import.meta.dirname, "sh/locked-counter.sh");
const KEY = "/counter/number";
const COUNTED = /^counted \d+$/;
const V2_API = { ETCDCTL_API: "2" };
const WAIT = { timeout: 60_000, interval: 20 };

/** Two shell scripts that share a lock, and a third one that is run for each change. */
export const etcdctlScripts: Application = {
  name: "etcdctl: a lock of mk and rm in two scripts, and exec-watch",
  install() {
    const etcdctl = findEtcdctl();
    if (isMissing(etcdctl)) return etcdctl;
    return async (gateways) => {
      const runner = new EtcdctlRunner(etcdctl, () => gateways);
      await runner.print("mk", KEY, "0");
      const watch = new ExecWatch(etcdctl, gateways, KEY);
      const scripts = ["first", "second"].map((id) =>
        launch("sh", [SCRIPT, etcdctl.path, gateways.urls.join(","), id], { env: V2_API }),
      );
      const counted = (): readonly number[] =>
        scripts.flatMap((script) => linesOf(script, COUNTED)).map(numberIn);
      return {
        async goesOn() {
          const before = watch.watched.length;
          await Promise.all(scripts.map((script) => printsMore(script, COUNTED, 1)));
          await vi.waitUntil(() => watch.watched.length > before, WAIT);
        },
        async finish(returns) {
          await Promise.all(scripts.map(finish));
          const total = Number(await runner.print("get", KEY));
          expect(counted().toSorted(ascending)).toEqual(oneTo(total));
          await runner.print("set", KEY, `${total + 1}`);
          await vi.waitUntil(() => watch.watched.includes(total + 1), WAIT);
          await watch.stop();
          watch.check(total + 1, returns);
        },
      };
    };
  },
};
