import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { Logger } from "../log/logger.js";
import { HandedConnections } from "./handed-connections.js";
import { mergeMetrics, type WorkerMetrics } from "./merge-metrics.js";
import type { ToParent, ToWorker } from "./messages.js";

/** Delay before a worker is started again. It doubles with each one that has ended soon. */
const MIN_RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 30_000;
/** After this time, a worker has not ended soon. */
const STEADY_MS = 60_000;
/** Time for the metrics of the workers. Each reads some of them within a second. */
const COLLECT_TIMEOUT_MS = 2_000;

/** The place of one worker, and of those that follow when it ends. */
interface Place {
  readonly number: number;
  worker: Worker | undefined;
  isListening: boolean;
  startedAt: number;
  restarts: number;
  restartDelay: number;
}

/**
 * Processes that share one port. This process accepts the connections and gives them to the workers in turn. Each worker is a
 * gateway of its own. One that ends is started again.
 */
export class WorkerPool {
  readonly #log: Logger;
  readonly #places: readonly Place[];
  readonly #handed: HandedConnections;
  readonly #collecting = new Map<number, (place: Place, text: string | undefined) => void>();
  #collections = 0;
  #current: Promise<string> | undefined;
  #isEnding = false;
  /** Called when a worker listens, or has ended before; with its exit code then. */
  #onStart: (failure: number | undefined) => void = () => {};
  #onEnd: () => void = () => {};
  #url = "";

  constructor(count: number, log: Logger) {
    this.#log = log;
    this.#places = Array.from({ length: count }, (_, at) => ({
      number: at + 1,
      worker: undefined,
      isListening: false,
      startedAt: 0,
      restarts: 0,
      restartDelay: MIN_RESTART_DELAY_MS,
    }));
    this.#handed = new HandedConnections(
      () => this.#places.filter(({ isListening }) => isListening).length,
    );
  }

  /** Where the workers listen. */
  get url(): string {
    return this.#url;
  }

  /**
   * Starts the workers. The first one starts alone, so that a problem of all is reported once.
   *
   * @returns the exit code of a worker that could not start; `undefined`: all listen
   */
  async start({ host, port }: { readonly host: string; readonly port: number }) {
    setUp(port === 0 ? ["--port", String(await freePort(host))] : []);
    const [first, ...others] = this.#places;
    for (const places of [first === undefined ? [] : [first], others]) {
      const failure = await this.#startAll(places);
      if (failure === undefined) continue;
      this.kill();
      return failure;
    }
    return undefined;
  }

  #startAll(places: readonly Place[]): Promise<number | undefined> {
    return new Promise((resolve) => {
      const onStart = (failure: number | undefined): void => {
        const isOver = failure !== undefined || places.every(({ isListening }) => isListening);
        if (!isOver) return;
        this.#onStart = () => {};
        resolve(failure);
      };
      this.#onStart = onStart;
      for (const place of places) this.#fork(place);
      onStart(undefined);
    });
  }

  /** Lets the workers read their files again. */
  reload(): void {
    for (const place of this.#places) send(place, { kind: "reload" });
  }

  /** Ends the workers after their requests. Those that take longer are killed, and those that still start. */
  async shutdown(patience: number): Promise<void> {
    this.#isEnding = true;
    const timer = setTimeout(() => this.kill(), patience);
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      for (const place of this.#places) {
        if (place.isListening) send(place, { kind: "shutdown" });
        // It may not read messages yet.
        else place.worker?.process.kill("SIGKILL");
      }
      this.#endWhenEmpty();
    });
    clearTimeout(timer);
  }

  /** Ends the workers at once. */
  kill(): void {
    this.#isEnding = true;
    for (const { worker } of this.#places) worker?.process.kill("SIGKILL");
  }

  #endWhenEmpty(): void {
    if (this.#places.every(({ worker }) => worker === undefined)) this.#onEnd();
  }

  #fork(place: Place): void {
    if (this.#isEnding) return;
    const worker = cluster.fork();
    this.#handed.follow(worker);
    Object.assign(place, { worker, isListening: false, startedAt: performance.now() });
    worker.on("message", (message: ToParent) => void this.#take(place, worker, message));
    // A message to a worker that has just ended.
    worker.on("error", () => {});
    worker.once("exit", (code, signal) => this.#ended(place, code, signal));
  }

  #ended(place: Place, code: number | null, signal: string | null): void {
    const { number: worker, isListening, startedAt } = place;
    const pid = place.worker?.process.pid;
    Object.assign(place, { worker: undefined, isListening: false });
    for (const take of this.#collecting.values()) take(place, undefined);
    if (this.#isEnding) this.#endWhenEmpty();
    else if (place.restarts === 0 && !isListening) this.#onStart(code ?? 1);
    else {
      const delay = this.#restart(place, startedAt);
      this.#log.error("a worker has ended and is started again", {
        ...{ worker, pid, code: code ?? undefined, signal: signal ?? undefined },
        delay,
      });
    }
  }

  /** @returns the delay before that */
  #restart(place: Place, startedAt: number): number {
    const isSteady = performance.now() - startedAt > STEADY_MS;
    const delay = isSteady ? MIN_RESTART_DELAY_MS : place.restartDelay;
    place.restartDelay = Math.min(2 * delay, MAX_RESTART_DELAY_MS);
    place.restarts++;
    setTimeout(() => this.#fork(place), delay);
    return delay;
  }

  async #take(place: Place, worker: Worker, message: ToParent): Promise<void> {
    if (message.kind === "collected") {
      this.#collecting.get(message.id)?.(place, message.text);
    } else if (message.kind === "listens") {
      place.isListening = true;
      this.#url = message.url;
      if (place.restarts > 0) this.#log.info("a worker listens again", { worker: place.number });
      this.#onStart(undefined);
    } else {
      this.#current ??= this.#collect(place, message.text).finally(() => {
        this.#current = undefined;
      });
      const text = await this.#current;
      if (worker.isConnected()) worker.send({ kind: "metrics", id: message.id, text });
    }
  }

  /** The metrics of all workers. @param asking has sent its own */
  async #collect(asking: Place, own: string): Promise<string> {
    const id = ++this.#collections;
    const texts = new Map<Place, string | undefined>();
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#collecting.delete(id);
        resolve();
      };
      const timer = setTimeout(finish, COLLECT_TIMEOUT_MS);
      const take = (place: Place, text: string | undefined): void => {
        texts.set(place, text);
        if (texts.size === this.#places.length) finish();
      };
      this.#collecting.set(id, take);
      for (const place of this.#places) {
        if (place === asking) take(place, own);
        else if (!place.isListening) take(place, undefined);
        else send(place, { kind: "collect", id });
      }
    });
    const metricsOf = (place: Place): WorkerMetrics => ({
      worker: place.number,
      restarts: place.restarts,
      text: texts.get(place),
    });
    return mergeMetrics(this.#places.map(metricsOf));
  }
}

/** Workers run the same command. The single executable is the program itself, so Node has no script to name. */
function setUp(more: readonly string[]): void {
  const [, script, ...args] = process.argv;
  const [command = "", ...options] = args;
  // Bun and Deno do not have the module.
  const isExecutable = process.getBuiltinModule?.("node:sea")?.isSea() === true;
  cluster.setupPrimary(
    isExecutable
      ? { exec: command, args: [...options, ...more], execArgv: [] }
      : { exec: script ?? "", args: [...args, ...more] },
  );
}

/** With port 0, workers that are started again would get another port when no other one is left. */
async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function send({ worker }: Place, message: ToWorker): void {
  if (worker?.isConnected()) worker.send(message);
}
