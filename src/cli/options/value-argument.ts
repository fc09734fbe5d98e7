import { buffer } from "node:stream/consumers";

/** The value of a write: the argument, else all of standard input. */
export async function givenValue(argument: string | undefined, usage: string): Promise<string> {
  if (argument !== undefined) return argument;
  const value = utf8(await buffer(process.stdin));
  if (value === "") throw new Error(`value required: ${usage}, or give it on standard input`);
  return value;
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error("value: is not UTF-8; encode it, e.g. with base64", { cause });
  }
}
