/** The code of a story as the page shows it: what runs is what the reader sees. */
export interface StoryCode {
  /** What the steps share. */
  readonly setup: string;
  /** The body of `run` of each step. */
  readonly steps: readonly string[];
}

/** Takes a story apart. `source` is its file, in the form that the formatter gives it. */
export function storyCode(source: string): StoryCode {
  const [, setup = ""] = /: Story \{\n(.*?)\n {2}return \{\n/s.exec(source) ?? [];
  const bodies = source.matchAll(/^ {8}(?:async )?run\(\) \{\n(.*?)\n {8}\},?$/gms);
  return { setup: dedented(setup), steps: [...bodies].map(([, body = ""]) => dedented(body)) };
}

function dedented(code: string): string {
  const lines = code.split("\n");
  const indents = lines.filter((line) => line !== "").map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join("\n");
}
