import { systemClock } from "../../time/clock.js";
import { type Source, walkDirectories } from "../../transfer/source/walk-tree.js";
import type { Interrupt } from "../process/interrupt.js";
import { CountText } from "./count-text.js";
import { ProgressLine } from "./progress-line.js";

/** Time after which progress is shown: short work needs none. */
const DELAY_MS = 2_000;

/** Shows the progress of work on keys. */
export class WorkLine extends ProgressLine implements Disposable {
  readonly #text: CountText;
  readonly #isShown: boolean;
  #done = 0;
  /** The keys that there are, if they were counted. */
  total: number | undefined;

  /** @param isShown false: only notes are shown, e.g. because the data is on the same terminal */
  constructor(what: string, isShown = true) {
    super(systemClock, process.stderr, DELAY_MS);
    this.#text = new CountText(what);
    this.#isShown = isShown;
    this.#text.of(0, undefined, systemClock.monotonic());
  }

  get done(): number {
    return this.#done;
  }

  update(done: number): void {
    this.#done = done;
    if (!this.#isShown) return;
    this.show(() => this.#text.of(done, this.total, systemClock.monotonic()));
  }

  /** Says at the first signal what happens, and what a second one does. */
  announce({ signal }: Interrupt, what: string): void {
    const again = "Ctrl-C again ends the command at once";
    signal.addEventListener("abort", () => this.note(`${signal.reason}: ${what}; ${again}`));
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/**
 * Counts the nodes of trees, for a person at a terminal. Others have no use for a total that costs a
 * second read. Undefined: not counted.
 */
export async function countedNodes(
  source: Source,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<number | undefined> {
  if (!process.stderr.isTTY) return undefined;
  let nodes = 0;
  for (const key of keys) {
    const options = { quorum: false, ...(signal !== undefined && { signal }) };
    for await (const { node } of walkDirectories(source, key, options)) {
      nodes += node.nodes?.length ?? 0;
    }
  }
  return nodes;
}
