import { setImmediate } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { hashPassword, verifyPassword } from "../../auth/password.js";
import { OverloadError } from "../http/message.js";
import { PasswordCheck } from "./password-check.js";

const right = Buffer.from("right");
const wrong = Buffer.from("wrong");

let hash: string;
beforeAll(async () => {
  hash = await hashPassword("right");
});

const from = (remoteAddress?: string, signal = new AbortController().signal) => ({
  ...{ remoteAddress, signal },
});
const claim = (password: Buffer, stored: string | undefined = hash, user = "ann") => ({
  ...{ user, password, hash: stored },
});

describe("a password check", () => {
  it("recognizes a correct password again without the cost", async () => {
    const verify = vi.fn(verifyPassword);
    const check = new PasswordCheck({ verify });
    expect(check.isKnown(right, hash)).toBe(false);
    expect(await check.isCorrect(claim(right), from())).toBe(true);
    expect(await check.isCorrect(claim(right), from())).toBe(true);
    expect(check.isKnown(right, hash)).toBe(true);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it("has the full cost for each wrong password, and for an unknown user", async () => {
    const verify = vi.fn(verifyPassword);
    const check = new PasswordCheck({ verify });
    await check.isCorrect(claim(right), from());
    expect(await check.isCorrect(claim(wrong), from())).toBe(false);
    expect(await check.isCorrect(claim(wrong), from())).toBe(false);
    expect(await check.isCorrect({ user: "who", password: right, hash: undefined }, from())).toBe(
      false,
    );
    expect(verify).toHaveBeenCalledTimes(4);
  });

  it("forgets a password with its hash", async () => {
    const check = new PasswordCheck();
    await check.isCorrect(claim(right), from());
    expect(await check.isCorrect(claim(right, await hashPassword("new")), from())).toBe(false);
  });

  it("remembers a limited number, the last ones", async () => {
    const verify = vi.fn(async () => true);
    const check = new PasswordCheck({ capacity: 2, verify });
    const claims = ["1", "2", "3"].map((text) => claim(Buffer.from(text)));
    for (const each of claims) await check.isCorrect(each, from());
    verify.mockClear();
    for (const each of claims.slice(1)) await check.isCorrect(each, from());
    expect(verify).not.toHaveBeenCalled();
    await check.isCorrect(claim(Buffer.from("1")), from());
    expect(verify).toHaveBeenCalledTimes(1);
  });
});

describe("concurrent password checks", () => {
  /** Passwords of the checks that have started, in order. */
  const begun: string[] = [];
  let results: ((right: boolean) => void)[];
  let clock: SimulatedClock;
  let check: PasswordCheck;
  beforeEach(() => {
    begun.length = 0;
    results = [];
    clock = new SimulatedClock();
    const verify = (password: Buffer): Promise<boolean> => {
      begun.push(password.toString());
      return new Promise((resolve) => results.push(resolve));
    };
    check = new PasswordCheck({ verify, clock, concurrency: 1 });
  });

  const ask = (text: string, address = "10.0.0.1", user = "ann", signal?: AbortSignal) =>
    check.isCorrect(claim(Buffer.from(text), hash, user), from(address, signal));

  /** Ends the current check, so that the next one starts. */
  async function end(isRight = false): Promise<void> {
    results.shift()?.(isRight);
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }

  it("are one check if they are equal, from any client", async () => {
    const asked = [ask("a"), ask("a"), ask("a", "10.0.0.2")];
    await end(true);
    expect(await Promise.all(asked)).toEqual([true, true, true]);
    expect(begun).toEqual(["a"]);
  });

  it("continue when the first of several equal ones is aborted", async () => {
    const gone = new AbortController();
    void ask("under way");
    const first = ask("a", "10.0.0.1", "ann", gone.signal);
    const second = ask("a");
    gone.abort(new Error("gone"));
    await expect(first).rejects.toThrow("password check was aborted");
    await end();
    await end(true);
    expect(await second).toBe(true);
    expect(begun).toEqual(["under way", "a"]);
  });

  it("take turns between clients, each with its newest first", async () => {
    const asked = ["a1", "a2", "a3"].map((text) => ask(text));
    asked.push(...["b1", "b2"].map((text) => ask(text, "10.0.0.2")), ask("c1", "10.0.0.3"));
    for (const _ of asked) await end();
    expect(await Promise.all(asked)).toEqual(asked.map(() => false));
    expect(begun).toEqual(["a1", "c1", "b2", "a3", "b1", "a2"]);
  });

  it("of a new client run before those of any number of clients with wrong passwords", async () => {
    const flood = (number: number): void => {
      const again = (): void => flood(number);
      ask(`${Math.random()}`, `10.0.1.${number}`).then(again, again);
    };
    for (let number = 0; number < 100; number++) flood(number);
    for (let turn = 0; turn < 100; turn++) {
      await end();
      if (turn !== 1 && turn !== 99) continue;
      // Also if some of the flood wait for their first turn, and after a correct password.
      for (const mine of [`first ${turn}`, `second ${turn}`]) {
        const asked = ask(mine);
        await end();
        expect(begun.at(-1)).toBe(mine);
        await end(true);
        expect(await asked).toBe(true);
      }
    }
  });

  it("do not wait for an equal one of a client whose turn is later", async () => {
    void ask("under way");
    const [slow, quick] = [ask("a"), ask("a", "10.0.0.2")];
    await end();
    await end(true);
    expect(await Promise.all([quick, slow])).toEqual([true, true]);
    expect(begun).toEqual(["under way", "a"]);
  });

  it("are dropped when all their requests are aborted", async () => {
    void ask("under way");
    const gone = new AbortController();
    const asked = Array.from({ length: 2_000 }, () => ask("a", "10.0.0.1", "ann", gone.signal));
    gone.abort();
    const results = await Promise.allSettled(asked);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    await end();
    expect(begun).toEqual(["under way"]);
    expect(clock.pending).toBe(0);
    const again = ask("a");
    await end(true);
    expect(await again).toBe(true);
  });

  it.each<[string, number, (number: number) => string]>([
    ["on some users, at first", 2, (number) => `user ${number % 5}`],
    ["on some users, for long", 150, (number) => `user ${number % 5}`],
    ["on new users each time", 150, (number) => `user ${number}`],
    ["on the same user, at first", 2, () => "user 1"],
    ["on the same user, for long", 150, () => "user 1"],
  ])("are not delayed by a flood from the same address %s", async (_whom, before, userOf) => {
    let number = 0;
    const flood = (connection: object): void => {
      const asked = claim(Buffer.from(`${number}`), hash, userOf(number++));
      const again = (): void => flood(connection);
      check.isCorrect(asked, { ...from("10.0.0.1"), connection }).then(again, again);
    };
    for (let each = 0; each < 100; each++) flood({});
    for (let each = 0; each < before; each++) {
      await end();
      if (results.length === 0) await clock.pass(1_000);
    }
    const asked = ask("mine", "10.0.0.1", "user 1");
    for (let second = 0; second < 2 && begun.at(-1) !== "mine"; second++) {
      await end();
      await clock.pass(1_000);
    }
    expect(begun.at(-1)).toBe("mine");
    await end(true);
    expect(await asked).toBe(true);
  });

  it("from one IPv6 network count as one client", async () => {
    const asked = [ask("a1", "2001:db8::1"), ask("a2", "2001:db8::2:0:0:1")];
    asked.push(ask("b1", "2001:db8:0:1::1"), ask("a3", "2001:db8::3:0:0:0"));
    for (const _ of asked) await end();
    expect(begun).toEqual(["a1", "b1", "a3", "a2"]);
  });

  it("run once a second after ten wrong ones in a row, for that user and client only", async () => {
    for (let number = 0; number < 10; number++) {
      void ask(`${number}`);
      await end();
    }
    begun.length = 0;
    const late = ask("late");
    void ask("other user", "10.0.0.1", "bob");
    await end();
    void ask("other client", "10.0.0.2");
    await end();
    expect(begun).toEqual(["other user", "other client"]);
    await clock.pass(1_000);
    expect(begun).toEqual(["other user", "other client", "late"]);
    await end(true);
    expect(await late).toBe(true);
    // A correct password resets this.
    void ask("soon");
    expect(begun).toContain("soon");
  });

  it("are refused after ten seconds, or when too many wait, the oldest first", async () => {
    void ask("under way");
    const oldest = expect(ask("oldest")).rejects.toThrow(OverloadError);
    await clock.pass(10_000);
    await oldest;
    const flood = Array.from({ length: 1_001 }, (_, number) => ask(`${number}`));
    for (const each of flood) each.catch(() => {});
    const other = ask("of another", "10.0.0.2");
    await expect(flood[0]).rejects.toThrow(OverloadError);
    await expect(flood[1]).rejects.toThrow(OverloadError);
    await end();
    await end(true);
    expect(await other).toBe(true);
    await clock.pass(10_000);
    expect(clock.pending).toBe(0);
  });
});

it("hashes with a new salt each time, and never keeps the password", async () => {
  const [one, two] = [await hashPassword("right"), await hashPassword("right")];
  expect(one).not.toBe(two);
  expect(one).not.toContain("right");
});
