/** Runs clients in their own process against servers with random responses. */

import { ClientProcess } from "./client-process.js";
import { deliver } from "./delivery.js";
import { type ExchangePlan, planExchange } from "./exchange-plan.js";
import {
  type Behaviour,
  type HostileServer,
  type ServerKind,
  startHostileServer,
} from "./hostile-server.js";
import { answerHttp1 } from "./http1-answers.js";
import { answerHttp2 } from "./http2-answers.js";
import { Random } from "./random.js";

export interface FuzzOptions {
  readonly protocol: "http1" | "http2";
  readonly exchanges: number;
  readonly seed: number;
  /** The number of the only exchange to run, to see it again. */
  readonly only?: number | undefined;
  /** Node that runs the clients. */
  readonly node?: string | undefined;
  readonly flags?: readonly string[];
  readonly progress?: (done: number) => void;
}

export interface FuzzResult {
  /** Number of calls by their result. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Failures, with the exchanges that caused them. */
  readonly failures: readonly string[];
}

const LANES = 8;
/** Exchanges that are made with one process of clients. */
const PER_PROCESS = 500;

export async function fuzzClient(options: FuzzOptions): Promise<FuzzResult> {
  const outcomes = new Map<string, number>();
  const failures: string[] = [];
  const { exchanges, only } = options;
  const numbers = only === undefined ? Array.from({ length: exchanges }, (_, i) => i) : [only];
  for (let done = 0; done < numbers.length && failures.length === 0; done += PER_PROCESS) {
    const part = numbers.slice(done, done + PER_PROCESS);
    await runProcess(part, options, outcomes, failures);
    options.progress?.(Math.min(done + PER_PROCESS, numbers.length));
  }
  return { outcomes, failures };
}

/** Runs exchanges with one process of clients, in several lanes. */
async function runProcess(
  numbers: number[],
  { protocol, seed, node, flags }: FuzzOptions,
  outcomes: Map<string, number>,
  failures: string[],
): Promise<void> {
  const clients = new ClientProcess(node, flags);
  const running = new Map<number, ExchangePlan>();
  const fail = (what: string) => {
    const during = [...running.values()].map((plan) => JSON.stringify(plan)).join("\n  ");
    failures.push(`seed ${seed}, ${protocol}: ${what}\nduring:\n  ${during}`);
  };
  const runLane = async (lane: number) => {
    // Every fourth lane speaks TLS. On HTTP/2, only there the v2 API is in use.
    const kind: ServerKind = { speaksHttp2: protocol === "http2", tls: lane % 4 === 3 };
    await using server = await startHostileServer(kind);
    let isOpen = false;
    while (failures.length === 0) {
      const number = numbers.shift();
      if (number === undefined) return;
      const plan = prepare(server, kind, new Random(seed, number), { number, isOpen });
      isOpen = plan.closeAfter === undefined;
      running.set(lane, plan);
      const outcome = await clients.run(lane, plan);
      const isFailure = /^(?:undocumented|hung|died)/.test(outcome) && failures.length === 0;
      if (isFailure) fail(outcome);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      running.delete(lane);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
  const end = await clients.end();
  if (end !== undefined && failures.length === 0) fail(end);
}

/** Generates an exchange: the call and the server's behavior. */
function prepare(
  server: HostileServer,
  { speaksHttp2, tls }: ServerKind,
  random: Random,
  { number, isOpen }: { readonly number: number; readonly isOpen: boolean },
): ExchangePlan {
  const usesV3 = random.chance(speaksHttp2 ? (tls ? 0.3 : 1) : 0.3);
  const plan = planExchange(random, number, {
    url: server.url,
    api: usesV3 ? "v3" : "v2",
    isOpen,
  });
  server.behaviour = behaviourOf(random, random.pick(0.1, 0.3, 0.7, 0.9), usesV3);
  return plan;
}

/** Share of requests with an invalid response. */
function behaviourOf(random: Random, hostility: number, isGrpc: boolean): Behaviour {
  return {
    greet(socket) {
      if (!random.chance(hostility / 15)) return;
      if (random.chance(0.5)) socket.destroy();
      else socket.write(random.bytes(20));
    },
    answerHttp1(socket, line) {
      void deliver(random, socket, answerHttp1(random, hostility, line));
    },
    answerHttp2(socket, stream) {
      void deliver(random, socket, answerHttp2(random, hostility, stream, isGrpc));
    },
  };
}
