/** Collects an option that may be repeated. */
export function append(key: string, before: readonly string[] = []): readonly string[] {
  return [...before, key];
}
