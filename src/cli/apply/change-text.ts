import { styleText } from "node:util";
import { jsonText } from "../output/json-text.js";
import { oneLine } from "../output/one-line.js";
import type { Change } from "./apply-plan.js";

/** Longer values are cut. */
const MAX_VALUE_LENGTH = 60;

/** A change in one line: `+` is created, `~` is changed, `-` is removed. */
export function changeText(change: Change): string {
  switch (change.kind) {
    case "create":
      return styleText("green", `+ ${textOf(change.wanted)}`);
    case "change": {
      const { before, wanted } = change;
      const values = `${shown(before.value)} → ${shown(wanted.value ?? "")}`;
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
  return value === undefined ? `${oneLine(key)}/` : `${oneLine(key)} = ${shown(value)}`;
}

function shown(value: string): string {
  const characters = [...value.slice(0, 2 * MAX_VALUE_LENGTH)];
  if (characters.length <= MAX_VALUE_LENGTH) return jsonText(value);
  const start = characters.slice(0, MAX_VALUE_LENGTH).join("");
  return `${jsonText(start)}… (${Buffer.byteLength(value)} bytes)`;
}
