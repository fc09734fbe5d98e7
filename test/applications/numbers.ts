/** Helpers for programs that count. */

export const numberIn = (line: string): number => Number(/\d+$/.exec(line)?.[0]);

export const ascending = (a: number, b: number): number => a - b;

/** 1, 2, … `last`. */
export function oneTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
