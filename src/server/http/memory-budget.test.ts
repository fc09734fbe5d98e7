import { expect, it } from "vitest";
import { MemoryBudget, type MemoryReservation } from "./memory-budget.js";

const KIB = 1024;

class Stage {
  now = 0;
  readonly ended: string[] = [];
  readonly budget = new MemoryBudget(1024 * KIB, () => this.now);

  hold(name: string, kib: number): MemoryReservation {
    const held = this.budget.reserve(() => this.ended.push(name));
    held.set(kib * KIB);
    return held;
  }
}

it("does not count small buffers", () => {
  const stage = new Stage();
  for (let i = 0; i < 1_000; i++) stage.hold("small", 15);
  expect(stage.budget.total).toBe(0);
});

it("counts the current buffers", () => {
  const { budget } = new Stage();
  const held = budget.reserve(() => {});
  for (const kib of [100, 300, 200]) held.set(kib * KIB);
  expect(budget.total).toBe(200 * KIB);
  held.release();
  expect(budget.total).toBe(0);
  held.set(100 * KIB);
  expect(budget.total).toBe(0);
});

it("ends the largest holders when the limit is exceeded, and no more than needed", () => {
  const stage = new Stage();
  stage.hold("a", 300);
  stage.hold("b", 400);
  stage.hold("c", 200);
  stage.hold("d", 200);
  expect(stage.ended).toEqual(["b"]);
  expect(stage.budget.total).toBe(700 * KIB);
});

it("ends a single holder that exceeds the limit", () => {
  const stage = new Stage();
  stage.hold("a", 2_000);
  expect(stage.ended).toEqual(["a"]);
  expect(stage.budget.total).toBe(0);
});

it("ends stalled holders above half of the limit", () => {
  const stage = new Stage();
  stage.hold("stalled", 100);
  const slow = stage.hold("slow", 350);
  stage.now = 1_000;
  slow.set(360 * KIB);
  stage.hold("new", 50);
  expect(stage.ended).toEqual([]);
  stage.hold("newer", 20);
  expect(stage.ended).toEqual(["stalled"]);
});

it("does not end holders that are in use", () => {
  const stage = new Stage();
  const used = stage.hold("used", 1_000);
  used.keep();
  stage.hold("new", 100);
  expect(stage.ended).toEqual(["new"]);
  used.release();
  expect(stage.budget.total).toBe(0);
});
