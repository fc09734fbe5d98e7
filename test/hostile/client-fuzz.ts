/** Runs clients in their own process against an etcd whose responses are replaced by lies. */

import { knownBehaviour, randomBehaviour } from "./behaviours.js";
import { type Bystander, startBystander } from "./bystander.js";
import { ClientProcess } from "./client-process.js";
import {
  BASIC,
  callNames,
  type ExchangePlan,
  type Protocol,
  planExchange,
} from "./exchange-plan.js";
import { type HostileServer, startHostileServer } from "./hostile-server.js";
import { knownLies } from "./known-lies.js";
import { Random } from "./random.js";

export interface FuzzOptions {
  readonly protocol: Protocol;
  /** Serves v2 and v3. */
  readonly etcd: URL;
  readonly exchanges: number;
  readonly seed: number;
  /** Exchanges at the same time. @default 16 */
  readonly lanes?: number | undefined;
  /** The number of the only exchange to run, to see it again. */
  readonly only?: number | undefined;
  /** Node that runs the clients. */
  readonly node?: string | undefined;
  readonly flags?: readonly string[];
  /** Whether to continue after a failure. */
  readonly goesOn?: boolean;
  readonly progress?: (done: number) => void;
}

export interface FuzzResult {
  /** Number of calls by their result. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Failures, with the exchanges that caused them. */
  readonly failures: readonly string[];
  /** Most memory of a process of clients after an exchange, in bytes. */
  readonly maxMemory: number;
  /** Most connections and requests that one exchange caused. */
  readonly maxReceived: number;
}

/** Exchanges at the same time, unless the options say otherwise. */
const LANES = 16;
/** Exchanges that are made with one process of clients. */
const PER_PROCESS = 500;
/** Maximum memory of a process with its code, in bytes. */
const MAX_MEMORY = 600 * 1024 * 1024;
/** Maximum number of connections and requests of one exchange, which takes less than a second. */
const MAX_RECEIVED = 2_000;

export async function fuzzClient(options: FuzzOptions): Promise<FuzzResult> {
  const run = new FuzzRun(options);
  const { exchanges, only, goesOn = false } = options;
  const numbers = only === undefined ? Array.from({ length: exchanges }, (_, i) => i) : [only];
  for (let done = 0; done < numbers.length; done += PER_PROCESS) {
    if (run.failures.length > 0 && !goesOn) break;
    await run.runProcess(numbers.slice(done, done + PER_PROCESS));
    options.progress?.(Math.min(done + PER_PROCESS, numbers.length));
  }
  return run;
}

/** What one lane of exchanges uses. */
interface Lane {
  readonly number: number;
  readonly server: HostileServer;
  readonly bystander: Bystander;
}

class FuzzRun implements FuzzResult {
  readonly outcomes = new Map<string, number>();
  readonly failures: string[] = [];
  maxMemory = 0;
  maxReceived = 0;
  readonly #options: FuzzOptions;
  readonly #lies: readonly string[];
  readonly #running = new Map<number, ExchangePlan>();

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#lies = knownLies(options.protocol);
  }

  /** Runs exchanges with one process of clients, in several lanes. */
  async runProcess(numbers: number[]): Promise<void> {
    const { protocol, etcd, node, flags, lanes = LANES } = this.#options;
    const clients = new ClientProcess(node, flags);
    const runLane = async (number: number) => {
      // Every fourth lane speaks TLS. On v2, watches use HTTP/2 there.
      const tls = number % 4 === 3;
      const speaksHttp2 = protocol === "grpc" || (protocol === "v2" && tls);
      const relay = protocol === "grpc" ? { etcd } : {};
      await using server = await startHostileServer({ speaksHttp2, tls, ...relay });
      await using bystander = await startBystander(tls);
      await this.#runLane({ number, server, bystander }, numbers, clients);
    };
    await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(lane)));
    const end = await clients.end();
    if (end !== undefined) this.#fail(end);
    this.maxMemory = Math.max(this.maxMemory, clients.maxMemory);
    if (clients.maxMemory > MAX_MEMORY) this.#fail(`${clients.maxMemory} bytes of memory`);
  }

  async #runLane(lane: Lane, numbers: number[], clients: ClientProcess): Promise<void> {
    const { goesOn = false } = this.#options;
    let isOpen = false;
    let autoSync: unknown;
    let wasSynced = false;
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      const plan = this.#prepare(lane, number, isOpen);
      isOpen = plan.closeAfter === undefined;
      autoSync = plan.options?.autoSync ?? autoSync;
      this.#running.set(lane.number, plan);
      const before = lane.server.received;
      const outcome = await clients.run(lane.number, plan);
      const name = /^\w+/.exec(outcome)?.[0] ?? "";
      this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
      const isSynced = autoSync !== false;
      // What the client of the exchange before has sent can arrive now.
      this.#check(lane, outcome, lane.server.received - before, isSynced || wasSynced);
      wasSynced = isSynced;
      this.#running.delete(lane.number);
      const isOver = /^(?:hung|died)/.test(outcome) || (this.failures.length > 0 && !goesOn);
      if (isOver) numbers.length = 0;
    }
  }

  #check({ number, bystander }: Lane, outcome: string, received: number, isSynced: boolean): void {
    const lane = this.#running.get(number);
    if (/^(?:undocumented|malformed|leaked|hung|died)/.test(outcome)) this.#fail(outcome, lane);
    this.maxReceived = Math.max(this.maxReceived, received);
    if (received > MAX_RECEIVED) this.#fail(`${received} connections and requests`, lane);
    const reached = bystander.take();
    // With `autoSync`, the client asks advertised addresses for their cluster, without its password.
    const wrong = isSynced ? reached.filter((text) => text.includes(BASIC)) : reached;
    if (wrong.length > 0) this.#fail(`another origin received ${wrong.join(", ")}`, lane);
  }

  /** Generates an exchange: the call and the server's behavior. */
  #prepare({ server, bystander }: Lane, number: number, isOpen: boolean): ExchangePlan {
    const { protocol, etcd, seed } = this.#options;
    const random = new Random(seed, number);
    const addresses = { url: server.url, bystander: bystander.url };
    const known = number % 2 === 0 ? this.#knownOf(number / 2) : undefined;
    const plan = planExchange(random, number, { addresses, protocol, isOpen, known });
    const context = { protocol, addresses, etcd };
    server.behaviour =
      known === undefined
        ? randomBehaviour(random, context)
        : knownBehaviour(random, known.lie, context);
    return plan;
  }

  /** First each lie with some call, then with the next one, until all pairs were used. */
  #knownOf(number: number): { readonly lie: string; readonly call: string } | undefined {
    const calls = callNames(this.#options.protocol);
    const round = Math.floor(number / this.#lies.length);
    const lie = this.#lies[number % this.#lies.length];
    const call = calls[(number * 7 + round) % calls.length];
    if (round >= calls.length || lie === undefined || call === undefined) return undefined;
    return { lie, call };
  }

  #fail(what: string, plan?: ExchangePlan): void {
    const plans = plan === undefined ? [...this.#running.values()] : [plan];
    const during = plans.map((each) => JSON.stringify(each)).join("\n  ");
    const { seed, protocol } = this.#options;
    this.failures.push(`seed ${seed}, ${protocol}: ${what.slice(0, 3_000)}\nduring:\n  ${during}`);
  }
}
