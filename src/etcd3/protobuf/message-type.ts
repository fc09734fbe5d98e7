import { ProtocolError } from "../../errors/cluster-errors.js";
import type { JsonObject } from "../../wire/json.js";
import { BackwardWriter } from "./backward-writer.js";
import { Reader, SIZED, VARINT } from "./reader.js";

/**
 * What a field holds. `integer` is a signed number that is used as one; `id` and `uid`, a signed and
 * an unsigned one that is only compared; a list, the names of an enum's values from 0 on. A message
 * that holds itself is named by a function.
 */
type Kind =
  | "bytes"
  | "text"
  | "flag"
  | "integer"
  | "id"
  | "uid"
  | readonly string[]
  | MessageType
  | (() => MessageType);

/** How deep messages may lie in one another: more than etcd answers, less than the stack can take. */
const MAX_NESTING = 200;

/** By name: a field's number, what it holds, and whether it holds that many times. */
type Fields = Readonly<Record<string, readonly [number, Kind, "repeated"?]>>;

interface Field {
  readonly name: string;
  readonly number: number;
  readonly kind: Kind;
  readonly repeated: boolean;
  readonly wireType: number;
}

/**
 * A message of Protocol Buffers. In JavaScript it is the object that their mapping to JSON makes of
 * it: bytes are in base64, ids decimal text, and a field that has its default is left out. So what
 * asks etcd need not know in which of the two forms it is asked.
 */
export class MessageType {
  readonly #byName = new Map<string, Field>();
  readonly #byNumber: (Field | undefined)[] = [];

  constructor(fields: Fields) {
    for (const [name, [number, kind, repeated]] of Object.entries(fields)) {
      const wireType = isNumeric(kind) ? VARINT : SIZED;
      const field = { name, number, kind, repeated: repeated !== undefined, wireType };
      this.#byName.set(name, field);
      this.#byNumber[number] = field;
    }
  }

  /** @throws TypeError for a field that the message does not have */
  encode(message: object): Buffer {
    const writer = new BackwardWriter();
    this.#write(writer, message);
    return writer.take();
  }

  /** @throws ProtocolError for what is no such message */
  decode(bytes: Buffer): JsonObject {
    return this.#read(new Reader(bytes), bytes.length, 0);
  }

  #write(writer: BackwardWriter, message: object): void {
    for (const [name, value] of Object.entries(message).reverse()) {
      const field = this.#byName.get(name);
      if (field === undefined) throw new TypeError(`the message has no field ${name}`);
      if (value === undefined) continue;
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      for (let i = values.length - 1; i >= 0; i--) this.#writeField(writer, field, values[i]);
    }
  }

  #writeField(writer: BackwardWriter, { kind, number, wireType }: Field, value: unknown): void {
    const before = writer.length;
    if (kind === "bytes") writer.text(String(value), "base64");
    else if (kind === "text") writer.text(String(value), "utf8");
    else if (kind === "flag") writer.varint(value === true ? 1 : 0);
    else if (typeof kind === "string") writeNumber(writer, value);
    else if (isEnum(kind)) writer.varint(kind.indexOf(String(value)));
    else typeOf(kind).#write(writer, Object(value));
    if (wireType === SIZED) writer.varint(writer.length - before);
    writer.varint(number * 8 + wireType);
  }

  #read(reader: Reader, end: number, nesting: number): JsonObject {
    if (nesting > MAX_NESTING) {
      throw new ProtocolError(`the message has more than ${MAX_NESTING} messages in one another`);
    }
    const message: Record<string, unknown> = {};
    while (reader.at < end) {
      const tag = reader.small();
      const field = this.#byNumber[Math.floor(tag / 8)];
      if (field?.wireType !== tag % 8) {
        reader.skip(tag % 8);
        continue;
      }
      const value = this.#readField(reader, field.kind, nesting);
      const earlier = message[field.name];
      if (!field.repeated) message[field.name] = value;
      else if (Array.isArray(earlier)) earlier.push(value);
      else message[field.name] = [value];
    }
    if (reader.at > end) throw new ProtocolError("the message has a field that goes beyond it");
    return message;
  }

  #readField(reader: Reader, kind: Kind, nesting: number): unknown {
    if (kind === "bytes") return reader.text("base64");
    if (kind === "text") return reader.text("utf8");
    if (kind === "flag") return reader.small() !== 0;
    if (kind === "uid") return reader.varint().toString();
    if (kind === "id") return signed(reader.varint()).toString();
    if (kind === "integer") return signed(reader.varint());
    if (isEnum(kind)) return kind[reader.small()];
    return typeOf(kind).#read(reader, reader.end(), nesting + 1);
  }
}

function isNumeric(kind: Kind): boolean {
  if (typeof kind === "string") return kind !== "bytes" && kind !== "text";
  return isEnum(kind);
}

function isEnum(kind: Kind): kind is readonly string[] {
  return Array.isArray(kind);
}

function typeOf(kind: MessageType | (() => MessageType)): MessageType {
  return kind instanceof MessageType ? kind : kind();
}

/** @param value a number, or one in decimal text */
function writeNumber(writer: BackwardWriter, value: unknown): void {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) writer.varint(number);
  else writer.varint64(BigInt(String(value)));
}

/** A number of 64 bits as a signed one. Negative ones have their highest bit set: they are bigints. */
function signed(value: number | bigint): number | bigint {
  if (typeof value === "number") return value;
  const number = BigInt.asIntN(64, value);
  return number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER
    ? Number(number)
    : number;
}
