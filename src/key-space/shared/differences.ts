import type { Condition } from "../../model/key-request.js";

/**
 * Describes how a file differs from a condition, in the format of the cause of error 101; empty
 * when the condition is met.
 */
export function differences(
  { prevValue, prevIndex }: Condition,
  file: { readonly value: string; readonly modifiedIndex: number },
): string {
  const found: string[] = [];
  if (prevValue !== undefined && prevValue !== file.value) {
    found.push(`[${prevValue} != ${file.value}]`);
  }
  if (prevIndex !== undefined && prevIndex !== 0 && prevIndex !== file.modifiedIndex) {
    found.push(`[${prevIndex} != ${file.modifiedIndex}]`);
  }
  return found.join(" ");
}
