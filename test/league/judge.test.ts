import { describe, expect, it } from "vitest";
import { judgeCalls, judgeWatch, judgeWrites, saysUnknown } from "./judge.js";

describe("the judge of the league", () => {
  it("counts writes that were applied more than once, whatever the client reported", () => {
    const writes = [{ applied: 1 }, { applied: 2 }, { applied: 3, error: "EOF" }];
    expect(judgeWrites(writes)).toMatchObject({ of: 3, twice: 2 });
  });

  it("counts failures of writes that stand, unless the error says that the outcome is unknown", () => {
    const writes = [
      { applied: 1 },
      { applied: 1, error: "EOF" },
      { applied: 2, error: "Compare failed" },
      { applied: 1, error: "the outcome is unknown" },
    ];
    expect(judgeWrites(writes)).toMatchObject({ of: 4, failedButStand: 2 });
  });

  it("refuses to judge a write that etcd did not apply", () => {
    expect(() => judgeWrites([{ applied: 1 }, { applied: 0, error: "EOF" }])).toThrow("write 1");
  });

  it.each([
    ["POST /a was sent, but its outcome is unknown", true],
    ["the write may have been applied", true],
    ["it is unclear whether the key was written", true],
    ["rpc error: code = Unknown desc = EOF", false],
    ["All servers returned error", false],
  ])("reads %j: the outcome is unknown: %j", (text, expected) => {
    expect(saysUnknown(text)).toBe(expected);
  });

  const written = ["a", "b", "c"];

  it("counts events that were not delivered, in any order and however often the others came", () => {
    const verdict = judgeWatch({ written, delivered: ["c", "a", "a", "later"], notices: [] });
    expect(verdict).toEqual({ of: 3, lostSilently: 1, lostAndTold: 0 });
  });

  it("does not take a report about the connection for a report of a loss", () => {
    const notices = [{ kind: "connection", text: "reconnect" }] as const;
    expect(judgeWatch({ written, delivered: [], notices })).toMatchObject({ lostSilently: 3 });
  });

  it.each(["error", "resync"] as const)(
    "takes a notice of kind %s for a report of a loss",
    (kind) => {
      const verdict = judgeWatch({ written, delivered: ["a"], notices: [{ kind, text: "" }] });
      expect(verdict).toEqual({ of: 3, lostSilently: 0, lostAndTold: 2 });
    },
  );

  it("counts calls that did not end, and finds the slowest of the others", () => {
    expect(judgeCalls([{ endedAfter: 10 }, {}, { endedAfter: 30 }])).toEqual({
      of: 3,
      neverEnded: 1,
      slowest: 30,
    });
    expect(judgeCalls([{}])).toEqual({ of: 1, neverEnded: 1, slowest: 0 });
  });
});
