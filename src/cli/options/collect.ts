/** Collects the values of a repeatable option. */
export function collect(key: string, before: readonly string[] = []): readonly string[] {
  return [...before, key];
}
