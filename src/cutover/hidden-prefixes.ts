/** The paths up to each hidden segment (`_…`) of a path. Listings of what is above such a path do not contain it. */
export function hiddenPrefixes(path: string): readonly string[] {
  return [...path.matchAll(/\/_[^/]*/g)].map(({ index }) => {
    const end = path.indexOf("/", index + 1);
    return end === -1 ? path : path.slice(0, end);
  });
}
