import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { EtcdClientOptions } from "../../src/index.js";
import { cpuShare } from "../support/cpu-share.js";
import type { Release } from "../support/etcd.js";
import { randomFrom } from "../support/random-from.js";
import {
  type ActiveTime,
  type Availability,
  availabilityOf,
  clientsWithoutSuccess,
} from "./availability.js";
import { branchesOf, checkNoticed, type Restore } from "./branches.js";
import type { Programs } from "./bundle.js";
import { cutOver, HOLD_S } from "./cut-over.js";
import { HeapSamples } from "./heap-samples.js";
import { readHistory } from "./history.js";
import { unusedLeases } from "./leases.js";
import type { FaultEnvironment, Nemesis } from "./nemeses/nemesis.js";
import { checkLinearizability } from "./porcupine/linearizability.js";
import { scheduleOf, type Turn } from "./schedule.js";
import { FaultSystem, type SystemName } from "./system.js";
import { now } from "./worker/client-context.js";
import type { WorkerSettings } from "./worker/settings.js";
import { WorkerProcess } from "./worker-process.js";
import type { Operation, Violation } from "./workload.js";
import { workloads } from "./workloads/index.js";

const WORKERS = ["w1", "w2", "w3"];
const CLIENTS_OF_A_WORKER = 3;
/** Time in which watches and locks recover before the workloads end, in ms. */
const CALM_MS = 3_000;
/** Shares of a run after which gateways are switched to another cluster, and back. */
const CUT_OVER_AT = 0.4;
const RETURN_AT = 0.7;
/** At a switch, TTLs get the hold in addition, and small differences are not written. */
const LONGER = { seconds: HOLD_S + 3 };
/**
 * Share of a CPU that a process of the run must get. With less, the timeouts of the clients and the TTLs of the
 * locks are too short, so that nothing is said about delays.
 */
const MIN_CPU_SHARE = 0.3;
/** Times at which that is measured, the end included. */
const CPU_SAMPLES = 4;
/** Operations of a violation that the report shows. */
const SHOWN_OPERATIONS = 20;

export interface RunSettings {
  readonly system: SystemName;
  readonly release: Release;
  readonly durationMs: number;
  readonly nemeses: readonly Nemesis[];
  /** Number of nemeses that are active at the same time. */
  readonly lanes: number;
  readonly seed: number;
  /** Operations per second of all clients together, as far as the system bears it. */
  readonly rate: number;
  /** Whether clients resolve unknown outcomes, so that no operation may have one. */
  readonly isSafe: boolean;
  /** Whether gateways that were switched to another cluster return to the first one. */
  readonly returns: boolean;
  /** Directory for the histories and the log. */
  readonly out: string;
}

export interface RunReport {
  readonly operations: number;
  readonly availability: readonly Availability[];
  /** What is wrong: violations of a workload, resources that clients left. */
  readonly problems: readonly string[];
  /** What was not checked, and why. */
  readonly notChecked: readonly string[];
}

/** Runs all workloads on one system under faults, and judges them. */
export async function runFaults(settings: RunSettings, programs: Programs): Promise<RunReport> {
  rmSync(settings.out, { recursive: true, force: true });
  mkdirSync(settings.out, { recursive: true });
  const { system: name, release } = settings;
  await using system = await FaultSystem.start(name, release, WORKERS, programs);
  await system.untilHealthy();
  const workers = WORKERS.map(
    (worker, index) =>
      new WorkerProcess(
        programs.worker,
        workerSettings(settings, system, worker, index),
        system.names,
      ),
  );
  const ended = new AbortController();
  try {
    const run = new Run(settings, system, workers, ended.signal);
    // A worker that dies ends the run at once.
    return await Promise.race([run.execute(), ...workers.map(({ died }) => died)]);
  } finally {
    ended.abort();
    for (const worker of workers) worker.kill();
  }
}

class Run {
  readonly #settings: RunSettings;
  readonly #system: FaultSystem;
  readonly #workers: readonly WorkerProcess[];
  readonly #ended: AbortSignal;
  readonly #active: ActiveTime[] = [];
  readonly #restores: Restore[] = [];
  /** What the run itself has done to keys. */
  readonly #own: Operation[] = [];
  readonly #taken = new Set<unknown>();
  #begin = 0;

  constructor(
    settings: RunSettings,
    system: FaultSystem,
    workers: readonly WorkerProcess[],
    ended: AbortSignal,
  ) {
    this.#settings = settings;
    this.#system = system;
    this.#workers = workers;
    this.#ended = ended;
  }

  async execute(): Promise<RunReport> {
    const shares = [cpuShare()];
    await this.#orderAll("begin");
    this.#begin = performance.now();
    const heap = new HeapSamples(this.#workers);
    const { durationMs } = this.#settings;
    const faults = [this.#injectFaults(), this.#cutOver()];
    const samples = [heap.take(durationMs, this.#ended), this.#sampleCpu(shares)];
    await Promise.all([...faults, ...samples]);
    this.#log("all faults are healed");
    await this.#system.untilHealthy();
    await setTimeout(CALM_MS, undefined, { signal: this.#ended });
    await this.#orderAll("end");
    this.#log("the workloads have ended");
    await this.#workers[0]?.order({ kind: "finish" });
    const left = (await Promise.all(this.#workers.map((worker) => worker.close()))).flat();
    const history = readHistory(this.#workers.map(({ settings }) => settings.history));
    const leases = await this.#leaseProblems(history);
    const problems = [...left, ...leases, ...heap.problems(), ...this.#gatewayProblems()];
    return await this.#report(history, problems, Math.min(...shares, cpuShare()));
  }

  /** Other work on the machine may begin later, and end before the run does. */
  async #sampleCpu(shares: number[]): Promise<void> {
    for (let part = 1; part < CPU_SAMPLES; part++) {
      await this.#until((this.#settings.durationMs * part) / CPU_SAMPLES);
      shares.push(cpuShare());
    }
  }

  /** @param share of a CPU that this process got */
  async #report(
    history: readonly Operation[],
    others: readonly string[],
    share: number,
  ): Promise<RunReport> {
    // Without a success, the check has nothing to judge.
    const succeeded = history.filter((each) => each.outcome === "ok" && isRequest(each));
    const idle = workloads
      .filter(({ name }) => !succeeded.some(({ workload }) => workload === name))
      .map(({ name }) => `${name}: no operation has succeeded`);
    const violations = checkNoticed(history, this.#restores);
    const notChecked: string[] = [];
    for (const branch of branchesOf([...history, ...this.#own], this.#restores)) {
      for (const { name, check } of workloads)
        violations.push(...check(branch.filter(({ workload }) => workload === name)));
      const linearizability = await checkLinearizability(branch, this.#settings.out);
      violations.push(...linearizability.violations);
      notChecked.push(...linearizability.notChecked);
    }
    const late = violations.filter(({ isDelay = false }) => isDelay).map(textOf);
    const delays = [...late, ...idle, ...this.#silenceProblems(history)];
    const wrong = violations.filter(({ isDelay = false }) => !isDelay).map(textOf);
    const problems = [...wrong, ...this.#unknownOutcomes(history), ...others];
    if (share >= MIN_CPU_SHARE) problems.push(...delays);
    else {
      const percent = Math.round(share * 100);
      notChecked.push(`delays, because a process got only ${percent} % of a CPU: ${delays.length}`);
    }
    return {
      operations: history.filter(isRequest).length,
      availability: availabilityOf(history, this.#active),
      problems,
      notChecked,
    };
  }

  #note(workload: string, kind: string, invokedAt: number, input: unknown): void {
    const operation = { workload, client: -1, kind, key: "", input, outcome: "ok" } as const;
    this.#own.push({ ...operation, output: null, invokedAt, completedAt: now() });
  }

  /** Ownership of a lock or a lease can be unknown without a request. */
  #unknownOutcomes(history: readonly Operation[]): readonly string[] {
    if (!this.#settings.isSafe) return [];
    return history
      .filter(({ outcome, error }) => outcome === "unknown" && !error?.startsWith("OwnershipLost"))
      .map((operation) => `the outcome is unknown: ${JSON.stringify(operation)}`);
  }

  /** In the middle of the run, so that there are faults before, meanwhile and after it. */
  async #cutOver(): Promise<void> {
    const { next, switcherUrls, gateways } = this.#system;
    if (next === undefined) return;
    const settings = {
      ...switcherUrls,
      gateways: gateways.length,
      signal: this.#ended,
      random: randomFrom(this.#settings.seed),
      note: (text: string) => this.#log(`cut-over: ${text}`),
    };
    await this.#until(this.#settings.durationMs * CUT_OVER_AT);
    const from = now();
    await cutOver({ to: "target", ...settings });
    this.#note("ttl", "extend", from, LONGER);
    if (!this.#settings.returns) return;
    await this.#until(this.#settings.durationMs * RETURN_AT);
    const invokedAt = now();
    await cutOver({ to: "returned", ...settings });
    this.#note("ttl", "extend", invokedAt, LONGER);
  }

  async #injectFaults(): Promise<void> {
    const { nemeses, lanes } = this.#settings;
    const schedule = scheduleOf(nemeses, this.#settings);
    const each = Array.from({ length: lanes }, async (_, lane) => {
      for (const turn of schedule) if (turn.lane === lane) await this.#injectFault(turn);
    });
    await Promise.all(each);
    await this.#until(this.#settings.durationMs);
  }

  async #injectFault({ nemesis, atMs, lastsMs, seed }: Turn<Nemesis>): Promise<void> {
    await this.#until(atMs);
    const environment: FaultEnvironment = {
      system: this.#system,
      workers: this.#workers,
      taken: this.#taken,
      restored: (restore) => this.#restores.push(restore),
      note: (text) => this.#log(`${nemesis.name}: ${text}`),
    };
    const from = now();
    const heal = await nemesis.start(environment, randomFrom(seed));
    await setTimeout(lastsMs, undefined, { signal: this.#ended });
    if (heal === undefined) return;
    await heal();
    this.#log(`${nemesis.name}: healed`);
    this.#active.push({ nemesis: nemesis.name, from, to: now() });
  }

  async #until(ms: number): Promise<void> {
    const left = this.#begin + ms - performance.now();
    await setTimeout(Math.max(0, left), undefined, { signal: this.#ended });
  }

  async #orderAll(kind: "begin" | "end"): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.order({ kind })));
  }

  /** Only operations without success may leave leases: their requests were interrupted. */
  async #leaseProblems(history: readonly Operation[]): Promise<readonly string[]> {
    if (this.#system.memberApi === "v2") return [];
    const tool = this.#system.v3Tool();
    const accepted = history.filter(({ outcome }) => outcome !== "ok").length;
    const unused = await unusedLeases(tool, accepted);
    tool.close();
    this.#log(`${unused} leases are unused`);
    if (unused <= accepted) return [];
    return [`${unused} leases have no key, but only ${accepted} operations failed`];
  }

  /** Only for nemeses whose time is over before another one may begin. */
  #silenceProblems(history: readonly Operation[]): readonly string[] {
    const { nemeses, lanes } = this.#settings;
    return this.#active.flatMap(({ nemesis, from, to }) => {
      const limitMs = nemeses.find(({ name }) => name === nemesis)?.successWithinMs ?? Infinity;
      const until = from + limitMs * 1e6;
      if (lanes > 1 || to < until) return [];
      const clients = clientsWithoutSuccess(history, { from, to: until });
      return clients.map((each) => `${nemesis}: client ${each} had no success in ${limitMs} ms`);
    });
  }

  #gatewayProblems(): readonly string[] {
    return this.#system.gateways.flatMap(({ name, isRunning, stderr }) => [
      ...(isRunning ? [] : [`the gateway ${name} has ended`]),
      ...(stderr === "" ? [] : [`the gateway ${name} wrote: ${stderr}`]),
    ]);
  }

  #log(text: string): void {
    const seconds = ((performance.now() - this.#begin) / 1_000).toFixed(1);
    appendFileSync(join(this.#settings.out, "faults.log"), `${seconds} s ${now()} ${text}\n`);
  }
}

function textOf({ workload, message, operations }: Violation): string {
  const lines = operations.slice(0, SHOWN_OPERATIONS).map((each) => JSON.stringify(each));
  return [`${workload}: ${message}`, ...lines].join("\n  ");
}

/** Whether an operation sent a request. Observations begin and end at the same time. */
function isRequest({ invokedAt, completedAt }: Operation): boolean {
  return completedAt > invokedAt;
}

function workerSettings(
  { seed, rate, out, isSafe }: RunSettings,
  system: FaultSystem,
  worker: string,
  index: number,
): WorkerSettings {
  const allClients = WORKERS.length * CLIENTS_OF_A_WORKER;
  const clients = Array.from({ length: CLIENTS_OF_A_WORKER }, (_, of) => {
    const number = index * CLIENTS_OF_A_WORKER + of;
    const urls = system.urlsOf(worker);
    return {
      number,
      options: { urls, api: system.clientApi, ...VARIANTS[of], ...(isSafe && SAFE) },
    };
  });
  return {
    clients,
    allClients,
    history: join(out, `${worker}.jsonl`),
    seed,
    turnMs: (1_000 * allClients * workloads.length) / rate,
  };
}

/** Longer than any fault lasts. */
const SAFE: EtcdClientOptions = { retryUnknownWrites: "safe", timeout: 120_000 };

/** The clients of a worker differ in the options that decide about failover. */
const VARIANTS: readonly EtcdClientOptions[] = [
  {},
  { endpointSelection: "leader", hedgeReadsAfter: 200 },
  { connectTimeout: 500, requestTimeout: 1_000, writeTimeout: 2_000, timeout: 8_000 },
];
