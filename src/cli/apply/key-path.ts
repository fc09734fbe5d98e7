/** Whether a key lies below a directory. */
export function isBelow(key: string, directory: string): boolean {
  return key !== directory && (directory === "/" || key.startsWith(`${directory}/`));
}

/** Whether listings of the directory do not show a key below it. */
export function hasHiddenPart(key: string, directory: string): boolean {
  return key.slice(directory === "/" ? 0 : directory.length).includes("/_");
}

/** The directories above a key, without the root; outermost first. */
export function parentsOf(key: string): readonly string[] {
  const parents: string[] = [];
  for (let end = key.indexOf("/", 1); end > 0; end = key.indexOf("/", end + 1)) {
    parents.push(key.slice(0, end));
  }
  return parents;
}
