import { join } from "node:path";
import { expect, vi } from "vitest";
import { EtcdctlRunner, findEtcdctl } from "../foreign/etcdctl.js";
import { isMissing } from "../foreign/missing.js";
import type { Application } from "./application.js";
import { ascending, numberIn, oneTo } from "./numbers.js";
import { finish, launch, linesOf, printsMore } from "./program.js";

const SCRIPT = join(import.meta.dirname, "sh/locked-counter.sh");
const COUNTED = /^counted \d+$/;
const V2_API = { ETCDCTL_API: "2" };
const WATCHED = /^watched \d+$/;
const WAIT = { timeout: 60_000, interval: 20 };

/** Two shell scripts that share a lock, and a third one that is run for each change. */
export const etcdctlScripts: Application = {
  name: "etcdctl: a lock of mk and rm in two scripts, and exec-watch",
  install() {
    const etcdctl = findEtcdctl();
    if (isMissing(etcdctl)) return etcdctl;
    return async (gateways) => {
      const runner = new EtcdctlRunner(etcdctl, () => gateways);
      await runner.print("mk", "/counter/number", "0");
      const { node } = JSON.parse(await runner.print("-o", "json", "get", "/counter/number"));
      const print = 'test "$ETCD_WATCH_ACTION" != set || echo "watched $ETCD_WATCH_VALUE"';
      // The key comes last: etcdctl swaps it with the command when it has parsed flags.
      const watch = launch(
        etcdctl.path,
        [
          ...["--endpoints", gateways.urls.join(","), "exec-watch", "--recursive"],
          ...["--after-index", `${node.modifiedIndex}`, "--", "sh", "-c", print, "/counter"],
        ],
        { env: V2_API },
      );
      const scripts = ["first", "second"].map((id) =>
        launch("sh", [SCRIPT, etcdctl.path, gateways.urls.join(","), id], { env: V2_API }),
      );
      const counted = (): readonly number[] =>
        scripts.flatMap((script) => linesOf(script, COUNTED)).map(numberIn);
      return {
        async goesOn() {
          await Promise.all([
            ...scripts.map((script) => printsMore(script, COUNTED, 1)),
            printsMore(watch, WATCHED, 1),
          ]);
        },
        async finish() {
          await Promise.all(scripts.map(finish));
          const total = Number(await runner.print("get", "/counter/number"));
          expect(counted().toSorted(ascending)).toEqual(oneTo(total));
          await runner.print("set", "/counter/number", `${total + 1}`);
          const watched = () => new Set(linesOf(watch, WATCHED).map(numberIn));
          await vi.waitUntil(() => watched().has(total + 1), WAIT);
          expect(watched()).toEqual(new Set(oneTo(total + 1)));
          watch.child.kill();
          await watch.ended;
        },
      };
    };
  },
};
