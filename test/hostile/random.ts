import { randomFrom } from "../support/random-from.js";

/** Random choices that a seed repeats. */
export class Random {
  /** Returns a number from 0 up to, but without, 1. */
  readonly next: () => number;

  constructor(...seeds: readonly number[]) {
    this.next = randomFrom(seeds.reduce((all, seed) => (Math.imul(all, 31) + seed + 1) | 0, 0));
  }

  /** Both bounds included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(first: T, ...others: readonly T[]): T {
    return others[this.integer(0, others.length) - 1] ?? first;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.integer(0, 255)));
  }
}
