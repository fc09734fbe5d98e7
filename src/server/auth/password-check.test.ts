import { expect, it, vi } from "vitest";
import { hashPassword, verifyPassword } from "./password.js";
import { PasswordCheck } from "./password-check.js";

const right = Buffer.from("right");
const wrong = Buffer.from("wrong");

it("knows a right password again without the cost", async () => {
  const verify = vi.fn(verifyPassword);
  const check = new PasswordCheck(undefined, verify);
  const hash = await hashPassword("right");
  expect(await check.isRight(right, hash)).toBe(true);
  expect(await check.isRight(right, hash)).toBe(true);
  expect(verify).toHaveBeenCalledTimes(1);
});

it("pays in full for a wrong password each time, and for one of nobody", async () => {
  const verify = vi.fn(verifyPassword);
  const check = new PasswordCheck(undefined, verify);
  const hash = await hashPassword("right");
  await check.isRight(right, hash);
  expect(await check.isRight(wrong, hash)).toBe(false);
  expect(await check.isRight(wrong, hash)).toBe(false);
  expect(await check.isRight(right, undefined)).toBe(false);
  expect(verify).toHaveBeenCalledTimes(4);
});

it("forgets a password with its hash", async () => {
  const check = new PasswordCheck();
  await check.isRight(right, await hashPassword("right"));
  expect(await check.isRight(right, await hashPassword("new"))).toBe(false);
});

it("remembers only so many, the last ones", async () => {
  const verify = vi.fn(verifyPassword);
  const check = new PasswordCheck(2, verify);
  const hashes = await Promise.all(["right", "right", "right"].map(hashPassword));
  for (const hash of hashes) await check.isRight(right, hash);
  verify.mockClear();
  for (const hash of hashes.slice(1)) await check.isRight(right, hash);
  expect(verify).not.toHaveBeenCalled();
  await check.isRight(right, hashes[0]);
  expect(verify).toHaveBeenCalledTimes(1);
});

it("hashes with a new salt each time, and never keeps the password", async () => {
  const [one, two] = [await hashPassword("right"), await hashPassword("right")];
  expect(one).not.toBe(two);
  expect(one).not.toContain("right");
});
