/** Collects the values of a repeatable option. */
export function append(key: string, before: readonly string[] = []): readonly string[] {
  return [...before, key];
}
