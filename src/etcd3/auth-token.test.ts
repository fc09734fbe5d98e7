import { expect, it } from "vitest";
import { AuthToken } from "./auth-token.js";

it("is fetched once for all that wait, and again only for the one that was refused", async () => {
  let fetched = 0;
  const token = new AuthToken(async () => `token ${++fetched}`);
  const get = (): Promise<string | undefined> => token.get("GET /a", undefined);
  expect(await Promise.all([get(), get(), get()])).toEqual(["token 1", "token 1", "token 1"]);
  token.refused("token 1");
  expect(await Promise.all([get(), get()])).toEqual(["token 2", "token 2"]);
  // One who used the first one hears of its end late.
  token.refused("token 1");
  expect(await get()).toBe("token 2");
});

it("is fetched again after a failure", async () => {
  let fails = true;
  const token = new AuthToken(async () => {
    if (fails) throw new Error("no answer");
    return "token";
  });
  await expect(token.get("GET /a", undefined)).rejects.toThrow("no answer");
  fails = false;
  expect(await token.get("GET /a", undefined)).toBe("token");
});

it("who gives up waiting does not take it from the others", async () => {
  let answer: (token: string) => void = () => {};
  const token = new AuthToken(() => new Promise((resolve) => (answer = resolve)));
  const abort = new AbortController();
  const impatient = token.get("PUT /a", abort.signal);
  const patient = token.get("PUT /b", undefined);
  abort.abort(new Error("enough"));
  await expect(impatient).rejects.toMatchObject({ name: "AbortError", outcome: "not-sent" });
  answer("token");
  expect(await patient).toBe("token");
});
