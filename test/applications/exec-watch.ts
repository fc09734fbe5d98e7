import { posix } from "node:path";
import { expect } from "vitest";
import { type Etcdctl, EtcdctlRunner } from "../foreign/etcdctl.js";
import type { Started } from "../foreign/run.js";
import type { Gateways } from "./application.js";
import { ascending, numberIn } from "./numbers.js";
import { launch, linesOf } from "./program.js";

const WATCHED = /^watched \d+$/;
const PRINT = 'test "$ETCD_WATCH_ACTION" != set || echo "watched $ETCD_WATCH_VALUE"';
/** What etcdctl says before it ends, because the events since its index are gone. */
const CLEARED = /^Error:\s+401:/m;

interface Run {
  readonly program: Started;
  /** The number that was read before it. */
  readonly from: number;
}

/** `etcdctl exec-watch` of the directory of a number. It is started again when it has to read again. */
export class ExecWatch {
  readonly #etcdctl: Etcdctl;
  readonly #gateways: Gateways;
  readonly #key: string;
  readonly #runs: Run[] = [];
  readonly #running: Promise<void>;
  #failure: unknown;
  #isOver = false;

  constructor(etcdctl: Etcdctl, gateways: Gateways, key: string) {
    this.#etcdctl = etcdctl;
    this.#gateways = gateways;
    this.#key = key;
    this.#running = this.#run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** The numbers that it has printed, in no order. @throws Error if it has failed */
  get watched(): readonly number[] {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#runs.flatMap(watchedBy);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#runs.at(-1)?.program.child.kill();
    await this.#running;
  }

  /** Checks that each number up to the last one was printed, except those before it had to read again. */
  check(last: number, returns: number): void {
    expect(this.#runs.length).toBeLessThanOrEqual(1 + returns);
    for (const [at, run] of this.#runs.entries()) {
      const numbers = [...new Set(watchedBy(run))].sort(ascending);
      expect(numbers).toEqual(numbers.map((_, index) => run.from + 1 + index));
      const to = run.from + numbers.length;
      const next = this.#runs[at + 1];
      if (next === undefined) expect(to).toBe(last);
      else expect(next.from).toBeGreaterThanOrEqual(to);
    }
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const { value, index } = await this.#read();
      const program = launch(
        this.#etcdctl.path,
        [
          ...["--endpoints", this.#gateways.urls.join(","), "exec-watch", "--recursive"],
          // The key comes last: etcdctl swaps it with the command when it has parsed flags.
          ...["--after-index", index, "--", "sh", "-c", PRINT, posix.dirname(this.#key)],
        ],
        { env: { ETCDCTL_API: "2" } },
      );
      this.#runs.push({ program, from: Number(value) });
      const { code, stderr } = await program.ended;
      if (!this.#isOver && !CLEARED.test(stderr)) {
        throw new Error(`exec-watch ended with ${code}: ${stderr}`);
      }
    }
  }

  async #read(): Promise<{ readonly value: string; readonly index: string }> {
    const runner = new EtcdctlRunner(this.#etcdctl, () => this.#gateways);
    const text = await runner.print("-o", "extended", "get", "--quorum", this.#key);
    const [, index, value] = /^Index: (\d+)\n\n(\d+)$/m.exec(text) ?? [];
    if (index === undefined || value === undefined) throw new Error(`etcdctl printed ${text}`);
    return { value, index };
  }
}

function watchedBy({ program }: Run): readonly number[] {
  return linesOf(program, WATCHED).map(numberIn);
}
