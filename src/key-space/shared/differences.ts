import type { Condition } from "../../model/key-request.js";

/**
 * How a file differs from what a condition asks for, in the words of error 101's cause; empty when
 * the condition holds.
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
