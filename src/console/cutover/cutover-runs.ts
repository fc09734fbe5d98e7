import type { EtcdClientOptions } from "../../client/options.js";
import { openSource } from "../../cutover/open-source.js";
import { openTarget } from "../../cutover/open-target.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { libraryNames, type OptionNames } from "../../errors/hint.js";
import type { MigrationProgress } from "../../transfer/migrate/migration-progress.js";
import { ConsoleError, failureOf } from "../http/json-exchange.js";
import type { CutoverRun, CutoverRuns as Shown } from "../model/page-types.js";
import { STEPS, type StepName, type StepRequest } from "./cutover-steps.js";

/** Losses that are named. */
const MAX_LOSSES = 20;

/** How the console reaches the v2 cluster of a cut-over. */
export interface CutoverSourceOptions {
  readonly options: EtcdClientOptions;
  /** Names of options in messages. @default the names of the library */
  readonly nameOf?: OptionNames;
}

/**
 * Carries out the steps of a cut-over for the pages, one at a time. A step does not depend on the page that has started
 * it, nor on its session.
 */
export class CutoverRuns {
  readonly #source: CutoverSourceOptions | undefined;
  #last: Run | undefined;
  /** Since the gateways were armed. */
  #lastCheck: Run | undefined;
  #isClosing = false;

  /** @param source `undefined`: nothing can be carried out */
  constructor(source: CutoverSourceOptions | undefined) {
    this.#source = source;
  }

  /** @param to options for the v3 cluster, with the user of the session @throws ConsoleError */
  start(request: StepRequest, to: EtcdClientOptions): void {
    if (this.#source === undefined) {
      throw new ConsoleError(409, "the v2 cluster is not known; start the console with --source");
    }
    if (to.api !== "v3") throw new ConsoleError(409, "a cut-over needs a console with --api v3");
    if (this.#isClosing) throw new ConsoleError(503, "the console is ending");
    if (this.#last?.isRunning) {
      throw new ConsoleError(409, `${this.#last.step} is still running; one step at a time`);
    }
    const run = new Run(request.step, to.username);
    this.#last = run;
    if (request.step === "check") this.#lastCheck = run;
    if (request.step === "arm") this.#lastCheck = undefined;
    void run.carryOut(request, this.#source, to);
  }

  /** Interrupts the step that runs: the gateways go on with the cluster that they serve from. @throws ConsoleError */
  stop(): void {
    if (!this.#last?.isRunning) throw new ConsoleError(409, "no step is running");
    this.#last.stop();
  }

  /** Whether the step that runs was started by this user. */
  isOf(user: string | undefined): boolean {
    return this.#last?.isRunning === true && this.#last.user === user;
  }

  shown(): Shown {
    return {
      hasSource: this.#source !== undefined,
      ...(this.#last && { run: this.#last.shown() }),
      ...(this.#lastCheck && { check: this.#lastCheck.shown() }),
    };
  }

  /** Interrupts what runs, and waits until it has undone what it has begun. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#last?.stop();
    await this.#last?.ended;
  }
}

/** One step that runs, or has ended. */
class Run {
  readonly step: StepName;
  /** Who acts on v3. */
  readonly user: string | undefined;
  readonly ended: Promise<void>;
  readonly #begun = performance.now();
  readonly #stopping = new AbortController();
  readonly #losses: string[] = [];
  #progress: MigrationProgress | undefined;
  #outcome: Pick<CutoverRun, "result" | "failure"> | undefined;
  #endedAt = 0;
  #end: () => void = () => {};

  constructor(step: StepName, user: string | undefined) {
    this.step = step;
    this.user = user;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get isRunning(): boolean {
    return this.#outcome === undefined;
  }

  stop(): void {
    this.#stopping.abort(new Error("stopped by the operator"));
  }

  /** Never rejects. */
  async carryOut(
    request: StepRequest,
    { options, nameOf = libraryNames }: CutoverSourceOptions,
    to: EtcdClientOptions,
  ): Promise<void> {
    try {
      await using source = openSource(options);
      await using target = openTarget(to);
      const result = await STEPS[this.step](source, target, request, {
        onLoss: ({ key, reason }) => {
          if (this.#losses.length < MAX_LOSSES) {
            this.#losses.push(`${JSON.stringify(key)} ${reason}`);
          }
        },
        onProgress: (progress) => {
          this.#progress = progress;
        },
        signal: this.#stopping.signal,
      });
      this.#outcome = { result };
    } catch (error) {
      const message = error instanceof EtcdError ? error.messageWith(nameOf) : undefined;
      const failure = { ...failureOf(error), ...(message !== undefined && { message }) };
      const isUnknown = error instanceof OutcomeUnknownError;
      this.#outcome = {
        failure: { ...failure, isUnknown, isStopped: this.#stopping.signal.aborted },
      };
    }
    this.#endedAt = performance.now();
    this.#end();
  }

  shown(): CutoverRun {
    const { phase, share, compared, total, waiting } = this.#progress ?? {};
    return {
      ...{ step: this.step, isRunning: this.isRunning, losses: this.#losses },
      age: performance.now() - this.#begun,
      ...(this.isRunning ? {} : { duration: this.#endedAt - this.#begun }),
      ...(phase !== undefined && {
        progress: {
          phase,
          share: share ?? 0,
          compared: compared ?? 0,
          total: total ?? 0,
          waiting: waiting ?? 0,
        },
      }),
      ...this.#outcome,
    };
  }
}
