import type { Loss } from "../../transfer/compare/loss.js";
import { oneLine } from "./one-line.js";
import type { ProgressLine } from "./progress-line.js";

/** Maximum number of losses that are reported. Further ones are only counted. */
const MAX_LINES = 100;

/** Reports each node that a migration cannot copy unchanged. */
export class LossLines {
  readonly #line: Pick<ProgressLine, "note">;
  #count = 0;

  constructor(line: Pick<ProgressLine, "note">) {
    this.#line = line;
  }

  readonly show = ({ key, reason }: Loss): void => {
    this.#count++;
    if (this.#count <= MAX_LINES) this.#line.note(`${oneLine(key)} ${oneLine(reason)}`);
    if (this.#count === MAX_LINES) this.#line.note("further such keys are only counted");
  };
}
