import { describe, expect, it } from "vitest";
import { ManualClock } from "../../testing/manual-clock.js";
import { ProgressLine } from "./progress-line.js";

const ERASE = "\r\x1b[2K";

/** A line on a stream, and what was written to it since the last call of `written`. */
function lineOn(stream: { readonly isTTY: boolean; readonly columns?: number }, firstAfter = 0) {
  const clock = new ManualClock();
  let text = "";
  const write = (part: string): boolean => {
    text += part;
    return true;
  };
  const columns = stream.columns ?? 0;
  const written = (): string => {
    const last = text;
    text = "";
    return last;
  };
  return {
    clock,
    written,
    line: new ProgressLine(clock, { ...stream, columns, write }, firstAfter),
  };
}

describe("on a terminal", () => {
  it("is updated in place, five times a second", () => {
    const { clock, line, written } = lineOn({ isTTY: true });
    const states: string[] = [];
    for (let time = 0; time <= 400; time += 100) {
      line.show(() => `${time}`);
      states.push(written());
      clock.jump(100);
    }
    expect(states).toEqual(["0", "", `${ERASE}200`, "", `${ERASE}400`]);
  });

  it("is erased once, before a note and at the end", () => {
    const { line, written } = lineOn({ isTTY: true });
    line.show(() => "1 key");
    line.note("a problem");
    line.clear();
    expect(written()).toBe(`1 key${ERASE}a problem\n`);
    line.hint("reading");
    line.clear();
    line.clear();
    expect(written()).toBe(`reading${ERASE}`);
  });

  it.each([
    [10, 9],
    // A terminal that does not say its width.
    [0, 79],
  ])("does not wrap at %i columns", (columns, length) => {
    const { line, written } = lineOn({ isTTY: true, columns });
    line.show(() => "x".repeat(100));
    expect(written()).toHaveLength(length);
  });
});

it("is a new line every ten seconds elsewhere, and never erased", () => {
  const { clock, line, written } = lineOn({ isTTY: false });
  line.show(() => "0");
  clock.jump(9_999);
  line.show(() => "too early");
  clock.jump(1);
  line.show(() => "10");
  line.note("done");
  line.clear();
  expect(written()).toBe("0\n10\ndone\n");
});

it("does not begin before the work has taken long", () => {
  const { clock, line, written } = lineOn({ isTTY: true }, 2_000);
  line.show(() => "too early");
  clock.jump(2_000);
  line.show(() => "1 key");
  expect(written()).toBe("1 key");
});
