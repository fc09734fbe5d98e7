import type { KeySpace, Scan } from "../key-space/key-space.js";
import { matchesWatch } from "../key-space/shared/matches-watch.js";
import type { ScanRequest } from "../model/key-request.js";
import { onAbort } from "../stream/on-abort.js";
import type { Clock } from "../time/clock.js";
import type { Pacer } from "../time/pacer.js";

/** So many keys that wait are scanned one after the other; more are scanned at once by a common parent. */
const MAX_SEPARATE = 4;
/** Milliseconds for which keys are scanned separately after a common scan that served none of them. */
const SEPARATE_FOR_MS = 5_000;

/** A watch that waits for a scan. */
interface Waiting {
  readonly request: ScanRequest;
  readonly signal: AbortSignal;
  /** Called when the watch no longer waits. */
  onLeave: () => void;
  resolve(scan: Scan): void;
  reject(error: unknown): void;
}

/**
 * The scans of all watches of a client, at a bounded pace. One scan serves all watches of a key, and
 * when many wait, all watches below a directory: what proves that nothing happened there proves it for
 * each of them.
 */
export class SharedScans {
  readonly #keySpace: KeySpace;
  readonly #clock: Clock;
  readonly #pacer: Pacer;
  #waiting: Waiting[] = [];
  /** Ends the wait for the next turn. */
  #idle = new AbortController();
  #isRunning = false;
  /** Moment (monotonic) before which keys are scanned separately. */
  #separateUntil = Number.NEGATIVE_INFINITY;

  constructor(keySpace: KeySpace, clock: Clock, pacer: Pacer) {
    this.#keySpace = keySpace;
    this.#clock = clock;
    this.#pacer = pacer;
  }

  /** Scans when the turn has come. @throws what the key space throws; the reason of the signal */
  scan(request: ScanRequest, signal: AbortSignal): Promise<Scan> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        signal.removeEventListener("abort", onLeave);
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
    if (keys.size > MAX_SEPARATE && this.#clock.monotonic() >= this.#separateUntil) {
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
    const start = startOf(served);
    try {
      const scan = await this.#scan({ key, recursive, ...start }, served);
      for (const { resolve } of served) resolve(scan);
    } catch (error) {
      // History may still reach back far enough for the others.
      const isFirst = ({ request }: Waiting): boolean => request.since === start.since;
      for (const { reject } of served.filter(isFirst)) reject(error);
      this.#enqueue(...served.filter((waiting) => !isFirst(waiting)));
    }
  }

  async #serveTogether(served: readonly Waiting[]): Promise<void> {
    const key = commonParent(served.map(({ request }) => request.key));
    try {
      const scan = await this.#scan({ key, recursive: true, ...startOf(served) }, served);
      const isOfUse = ({ request }: Waiting): boolean =>
        scan.events.length === 0 || scan.events.some((event) => matchesWatch(request, event));
      if (!served.some(isOfUse)) this.#scanSeparately();
      for (const { resolve } of served) resolve(scan);
    } catch {
      // The rights may not suffice for the directory, or one of the watches may be too far behind.
      this.#scanSeparately();
      this.#enqueue(...served);
    }
  }

  /** Scans for as long as one of the watches waits. */
  async #scan(request: ScanRequest, served: readonly Waiting[]): Promise<Scan> {
    const abandon = new AbortController();
    const left = new Set<Waiting>();
    for (const waiting of served) {
      waiting.onLeave = () => {
        left.add(waiting);
        if (left.size === served.length) abandon.abort();
      };
    }
    return await this.#keySpace.scan(request, { signal: abandon.signal });
  }

  #scanSeparately(): void {
    this.#separateUntil = this.#clock.monotonic() + SEPARATE_FOR_MS;
  }
}

function identityOf({ key, recursive }: ScanRequest): string {
  return `${recursive} ${key}`;
}

/** From where a scan begins that serves several watches. */
function startOf(served: readonly Waiting[]): Pick<ScanRequest, "since" | "partial" | "until"> {
  const requests = served.map(({ request }) => request);
  const since = Math.min(...requests.map((request) => request.since));
  const partial = requests.every((request) => request.since > since || request.partial === true);
  const until = Math.max(...requests.map((request) => request.until ?? 0));
  return { since, partial, until };
}

/** The deepest directory that holds all of these keys, or is one of them. */
function commonParent(keys: readonly string[]): string {
  const paths = keys.map((key) => key.split("/").filter((name) => name !== ""));
  const [first = []] = paths;
  let depth = 0;
  while (depth < first.length && paths.every((path) => path[depth] === first[depth])) depth++;
  return `/${first.slice(0, depth).join("/")}`;
}
