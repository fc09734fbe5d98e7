import { describe, expect, it } from "vitest";
import { decodeCensus, decodeClaims, encodeCensus, encodeClaims, OwnWrites } from "./claims.js";
import { clientUsesIn, summed } from "./client-use.js";

const census = { id: "c", since: 10 };

describe("OwnWrites", () => {
  it("claims the writes after an index", () => {
    const own = new OwnWrites();
    for (const index of [9, 10, 12, 11]) own.add(index);
    own.addUnknown();
    expect(own.claims(census)).toEqual({
      ...{ census: "c", round: 1, indexes: [12, 11], unknown: 1, isComplete: true },
    });
    expect(own.claims(census).round).toBe(2);
  });

  it("says when it does not remember all of them", () => {
    const own = new OwnWrites();
    for (let index = 1; index <= 100_000; index++) own.add(index);
    expect(own.claims({ id: "c", since: 60_000 })).toMatchObject({ isComplete: true });
    expect(own.claims({ id: "c", since: 40_000 })).toMatchObject({ isComplete: false });
    own.add(100_001);
    expect(own.claims({ id: "c", since: 50_000 }).isComplete).toBe(false);
    expect(own.claims({ id: "c", since: 99_999 }).indexes).toEqual([100_000, 100_001]);
  });
});

const CLIENT = {
  ...{ address: "10.0.0.1", agent: "curl/8" },
  ...{ reads: 1, writes: 2, watches: 3, indexedWatches: 1 },
};

describe("the records of a census", () => {
  it("are read as they were written", () => {
    const claims = { ...new OwnWrites().claims(census), clients: [CLIENT] };
    expect(decodeClaims(encodeClaims(claims))).toEqual(claims);
    expect(decodeCensus(encodeCensus(census))).toEqual(census);
  });

  it("leave out clients that are none, and add up the others", () => {
    const other = { ...CLIENT, agent: "wget", reads: 100 };
    const list = [null, {}, { ...CLIENT, reads: -1 }, CLIENT, other, CLIENT];
    const sum = { ...CLIENT, reads: 2, writes: 4, watches: 6, indexedWatches: 2 };
    expect(summed(clientUsesIn(list))).toEqual([other, sum]);
    expect(clientUsesIn("x")).toEqual([]);
  });

  it("are ignored when another program has written them", () => {
    const texts = ["", "[]", "{}", '{"id":1,"since":2}', '{"id":"c","since":-1}'];
    expect(texts.map(decodeCensus)).toEqual(texts.map(() => undefined));
    const claims = encodeClaims({ ...new OwnWrites().claims(census), clients: [] });
    const wrong = [claims.replace("[]", '["1"]'), claims.replace("[]", "{}"), ...texts];
    expect(wrong.map(decodeClaims)).toEqual(wrong.map(() => undefined));
  });
});
