import type { ScanRequest } from "../../../model/key-request.js";
import { offAbort, onAbort } from "../../../stream/on-abort.js";
import type { Clock } from "../../../time/clock.js";
import type { Pacer } from "../../../time/pacer.js";
import { matchesWatch } from "../../shared/matches-watch.js";
import type { Scan, WatchRequests } from "./watch-requests.js";

/**
 * Maximum number of waiting keys that are scanned one by one. More keys are scanned together
 * through their common parent.
 */
const MAX_SEPARATE_KEYS = 4;
/** Milliseconds of separate scans after a common scan was of no use. */
const SEPARATE_SCANS_MS = 5_000;

/** A watch that waits for a scan. */
interface Waiting {
  readonly request: ScanRequest;
  readonly signal: AbortSignal;
  /** Called when the watch stops waiting. */
  onLeave: () => void;
  resolve(scan: Scan): void;
  reject(error: unknown): void;
}

/**
 * Runs the scans of all watches of a client, at a limited rate. One scan serves all watches of a
 * key. When many keys wait, one scan of a common parent directory serves all of them: if it proves
 * that nothing changed there, that holds for each key.
 */
export class SharedScans {
  readonly #requests: WatchRequests;
  readonly #clock: Clock;
  readonly #pacer: Pacer;
  #waiting: Waiting[] = [];
  /** Aborts the wait for the next turn. */
  #idle = new AbortController();
  #isRunning = false;
  /** Monotonic time until which keys are scanned separately. */
  #separateUntil = Number.NEGATIVE_INFINITY;

  constructor(requests: WatchRequests, clock: Clock, pacer: Pacer) {
    this.#requests = requests;
    this.#clock = clock;
    this.#pacer = pacer;
  }

  /** Queues a scan. @throws the errors of the key space, or the reason of the signal */
  scan(request: ScanRequest, signal: AbortSignal): Promise<Scan> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        offAbort(signal, onLeave);
        finish();
      };
      const waiting: Waiting = {
        request,
        signal,
        onLeave: () => {},
        resolve: (scan) => settle(() => resolve(scan)),
        reject: (error) => settle(() => reject(error)),
      };
      const onLeave = (): void => {
        waiting.onLeave();
        waiting.reject(signal.reason);
      };
      onAbort(signal, onLeave);
      if (signal.aborted) onLeave();
      else this.#enqueue(waiting);
    });
  }

  #enqueue(...served: readonly Waiting[]): void {
    for (const waiting of served) {
      if (waiting.signal.aborted) continue;
      waiting.onLeave = () => this.#withdraw(waiting);
      this.#waiting.push(waiting);
    }
    if (!this.#isRunning) void this.#run();
  }

  #withdraw(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    if (this.#waiting.length === 0) this.#idle.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      this.#idle = new AbortController();
      await this.#pacer.turn(this.#idle.signal).catch(() => {});
      this.#serveNext();
    }
    this.#isRunning = false;
  }

  #serveNext(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const keys = new Set(this.#waiting.map(({ request }) => identityOf(request)));
    if (keys.size > MAX_SEPARATE_KEYS && this.#clock.monotonic() >= this.#separateUntil) {
      void this.#serveTogether(this.#waiting.splice(0));
      return;
    }
    const identity = identityOf(first.request);
    const isSame = ({ request }: Waiting): boolean => identityOf(request) === identity;
    const served = this.#waiting.filter(isSame);
    this.#waiting = this.#waiting.filter((waiting) => !isSame(waiting));
    void this.#serve(served, first.request);
  }

  async #serve(served: readonly Waiting[], { key, recursive }: ScanRequest): Promise<void> {
    const range = rangeOf(served);
    try {
      const scan = await this.#scan({ key, recursive, ...range }, served);
      for (const { resolve } of served) resolve(scan);
    } catch (error) {
      // History may still reach back far enough for the other watches.
      const isFirst = ({ request }: Waiting): boolean => request.since === range.since;
      for (const { reject } of served.filter(isFirst)) reject(error);
      this.#enqueue(...served.filter((waiting) => !isFirst(waiting)));
    }
  }

  async #serveTogether(served: readonly Waiting[]): Promise<void> {
    const key = commonParent(served.map(({ request }) => request.key));
    try {
      const scan = await this.#scan({ key, recursive: true, ...rangeOf(served) }, served);
      const isUseful = ({ request }: Waiting): boolean =>
        scan.events.length === 0 || scan.events.some((event) => matchesWatch(request, event));
      if (!served.some(isUseful)) this.#scanSeparately();
      for (const { resolve } of served) resolve(scan);
    } catch {
      // Reading the directory may be forbidden, or one of the watches may be too far behind.
      this.#scanSeparately();
      this.#enqueue(...served);
    }
  }

  /** Scans until all served watches have left. */
  async #scan(request: ScanRequest, served: readonly Waiting[]): Promise<Scan> {
    const aborter = new AbortController();
    const left = new Set<Waiting>();
    for (const waiting of served) {
      waiting.onLeave = () => {
        left.add(waiting);
        if (left.size === served.length) aborter.abort();
      };
    }
    return await this.#requests.scan(request, { signal: aborter.signal });
  }

  #scanSeparately(): void {
    this.#separateUntil = this.#clock.monotonic() + SEPARATE_SCANS_MS;
  }
}

function identityOf({ key, recursive }: ScanRequest): string {
  return `${recursive} ${key}`;
}

/** The range of a scan that serves several watches. */
function rangeOf(served: readonly Waiting[]): Pick<ScanRequest, "since" | "partial"> {
  const requests = served.map(({ request }) => request);
  const since = Math.min(...requests.map((request) => request.since));
  const partial = requests.every((request) => request.since > since || request.partial === true);
  return { since, partial };
}

/** The deepest path that contains all of these keys or equals one of them. */
function commonParent(keys: readonly string[]): string {
  const paths = keys.map((key) => key.split("/").filter((name) => name !== ""));
  const [first = []] = paths;
  let depth = 0;
  while (depth < first.length && paths.every((path) => path[depth] === first[depth])) depth++;
  return `/${first.slice(0, depth).join("/")}`;
}
