import { diffLines } from "diff";
import { Text } from "./text.js";

/** Unchanged lines that are shown around changed ones. */
const CONTEXT = 3;
/** A larger difference takes too long; both texts are then shown as a whole. */
const MAX_EDITS = 5_000;

interface DiffLine {
  readonly sign: " " | "+" | "-";
  readonly text: string;
  readonly oldNumber: number | undefined;
  readonly newNumber: number | undefined;
}

/** The difference of two values, line by line. Signs say what colours show. */
export function DiffView({
  before,
  after,
  label,
}: {
  readonly before: string;
  readonly after: string;
  readonly label: string;
}) {
  const lines = linesOf(before, after);
  if (lines.every(({ sign }) => sign === " ")) return <p class="quiet">No difference.</p>;
  const shown = withContext(lines);
  return (
    <table class="diff" aria-label={label}>
      <colgroup>
        <col class="number" />
        <col class="number" />
        <col class="sign" />
        <col />
      </colgroup>
      <thead>
        <tr class="hidden-text">
          <th scope="col">old line</th>
          <th scope="col">new line</th>
          <th scope="col">change</th>
          <th scope="col">text</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((line, at) =>
          typeof line === "number" ? (
            <tr key={at} class="skipped">
              <td colSpan={4}>{line === 1 ? "1 unchanged line" : `${line} unchanged lines`}</td>
            </tr>
          ) : (
            <tr key={at} class={line.sign === "+" ? "added" : line.sign === "-" ? "removed" : ""}>
              <td class="number">{line.oldNumber}</td>
              <td class="number">{line.newNumber}</td>
              <td class="sign">{line.sign}</td>
              <td class="text">
                <Text kept={"\t"}>{line.text}</Text>
              </td>
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

function linesOf(before: string, after: string): readonly DiffLine[] {
  const parts = diffLines(before, after, { maxEditLength: MAX_EDITS }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  let oldNumber = 0;
  let newNumber = 0;
  return parts.flatMap(({ value, added, removed }) =>
    splitLines(value).map((text): DiffLine => {
      if (!added) oldNumber++;
      if (!removed) newNumber++;
      return {
        sign: added ? "+" : removed ? "-" : " ",
        text,
        oldNumber: added ? undefined : oldNumber,
        newNumber: removed ? undefined : newNumber,
      };
    }),
  );
}

/** A line that has no line feed at its end differs from the same one with it. */
function splitLines(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function withContext(lines: readonly DiffLine[]): readonly (DiffLine | number)[] {
  const isNear = (at: number): boolean =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== " ");
  const shown: (DiffLine | number)[] = [];
  let skipped = 0;
  for (const [at, line] of lines.entries()) {
    if (!isNear(at)) {
      skipped++;
      continue;
    }
    if (skipped > 0) shown.push(skipped);
    skipped = 0;
    shown.push(line);
  }
  if (skipped > 0) shown.push(skipped);
  return shown;
}
