import { styleText } from "node:util";
import { oneLine } from "../output/one-line.js";
import { valueText } from "../output/value-text.js";
import type { Change } from "./apply-plan.js";

/** A change in one line: `+` is created, `~` is changed, `-` is removed. */
export function changeText(change: Change): string {
  switch (change.kind) {
    case "create":
      return styleText("green", `+ ${textOf(change.wanted)}`);
    case "change": {
      const { before, wanted } = change;
      const values = `${valueText(before.value)} → ${valueText(wanted.value ?? "")}`;
      return styleText("yellow", `~ ${oneLine(before.key)} = ${values}`);
    }
    case "remove":
      return styleText("red", `- ${textOf(change.before)}`);
  }
}

function textOf({
  key,
  value,
}: {
  readonly key: string;
  readonly value?: string | undefined;
}): string {
  return value === undefined ? `${oneLine(key)}/` : `${oneLine(key)} = ${valueText(value)}`;
}
