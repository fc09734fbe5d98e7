import { randomFrom } from "../support/random-from.js";

/** A nemesis, as far as the schedule needs it. */
interface Schedulable {
  readonly name: string;
  /** Shortest and longest time until it is healed, in ms. */
  readonly lastsMs: readonly [number, number];
}

/** One use of a nemesis. */
export interface Turn<N> {
  readonly nemesis: N;
  /** Number of its lane. A lane has one active nemesis at a time. */
  readonly lane: number;
  /** Milliseconds after the start of the run. */
  readonly atMs: number;
  readonly lastsMs: number;
  /** Seed of the choices of the nemesis. */
  readonly seed: number;
}

const PAUSE_MS = [1_000, 4_000] as const;
/** Healthy time at the end of a run. */
const CALM_END_MS = 2_000;

/**
 * The turns of all nemeses, one after the other in `lanes` lanes that run side by side. Every nemesis of a
 * lane has a turn before one has a second turn. The arguments determine the result.
 */
export function scheduleOf<N extends Schedulable>(
  nemeses: readonly N[],
  { seed, durationMs, lanes }: { seed: number; durationMs: number; lanes: number },
): readonly Turn<N>[] {
  const all = Array.from({ length: lanes }, (_, lane) => {
    const random = randomFrom(seed + lane);
    return [...turnsOf(nemeses, lane, random, durationMs - CALM_END_MS)];
  });
  return all.flat().sort((a, b) => a.atMs - b.atMs);
}

function* turnsOf<N extends Schedulable>(
  nemeses: readonly N[],
  lane: number,
  random: () => number,
  untilMs: number,
): Generator<Turn<N>> {
  if (nemeses.length === 0) return;
  let atMs = 0;
  for (;;) {
    for (const nemesis of shuffled(nemeses, random)) {
      atMs += between(PAUSE_MS, random);
      const lastsMs = Math.min(between(nemesis.lastsMs, random), untilMs - atMs);
      const seed = Math.floor(random() * 2 ** 31);
      if (lastsMs <= 0) return;
      yield { nemesis, lane, atMs, lastsMs, seed };
      atMs += lastsMs;
    }
  }
}

function between([from, to]: readonly [number, number], random: () => number): number {
  return Math.round(from + random() * (to - from));
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
