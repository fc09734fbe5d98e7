import { ProtocolError } from "../../errors/cluster-errors.js";
import type { JsonObject } from "../../wire/json.js";
import { BackwardWriter } from "./backward-writer.js";
import { Reader, SIZED, VARINT } from "./reader.js";

/**
 * The type of a field. `integer`: a signed number used for arithmetic. `id` and `uid`: a signed and
 * an unsigned number that is only compared. A list: an enum's names, from value 0. A function: a
 * type that is defined later, for recursive messages.
 */
type FieldType =
  | "bytes"
  | "text"
  | "flag"
  | "integer"
  | "id"
  | "uid"
  | readonly string[]
  | MessageType
  | (() => MessageType);

/** Maximum nesting of messages: more than etcd sends, less than the stack supports. */
const MAX_NESTING = 200;

/** By name: a field's number, its type, and whether it is repeated. */
type Fields = Readonly<Record<string, readonly [number, FieldType, "repeated"?]>>;

interface Field {
  readonly name: string;
  readonly number: number;
  readonly kind: FieldType;
  readonly repeated: boolean;
  readonly wireType: number;
}

/**
 * A Protocol Buffers message type. In JavaScript, a message is the object of the standard JSON
 * mapping: bytes are base64, ids are decimal text, and default values are omitted. So callers need
 * not know whether a request uses gRPC or JSON.
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

  /** @throws ProtocolError if the bytes are not such a message */
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
      throw new ProtocolError(`the message has more than ${MAX_NESTING} nested messages`);
    }
    const message: Record<string, unknown> = {};
    while (reader.at < end) {
      const tag = reader.smallNumber();
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
    if (reader.at > end) throw new ProtocolError("a field extends beyond the end of the message");
    return message;
  }

  #readField(reader: Reader, kind: FieldType, nesting: number): unknown {
    if (kind === "bytes") return reader.text("base64");
    if (kind === "text") return reader.text("utf8");
    if (kind === "flag") return reader.smallNumber() !== 0;
    if (kind === "uid") return reader.varint().toString();
    if (kind === "id") return signed(reader.varint()).toString();
    if (kind === "integer") return signed(reader.varint());
    if (isEnum(kind)) return kind[reader.smallNumber()];
    return typeOf(kind).#read(reader, reader.endOfNext(), nesting + 1);
  }
}

function isNumeric(kind: FieldType): boolean {
  if (typeof kind === "string") return kind !== "bytes" && kind !== "text";
  return isEnum(kind);
}

function isEnum(kind: FieldType): kind is readonly string[] {
  return Array.isArray(kind);
}

function typeOf(kind: MessageType | (() => MessageType)): MessageType {
  return kind instanceof MessageType ? kind : kind();
}

/** @param value a number, or decimal text */
function writeNumber(writer: BackwardWriter, value: unknown): void {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) writer.varint(number);
  else writer.varint64(BigInt(String(value)));
}

/** Converts an unsigned 64-bit number to a signed one. Negative ones arrive as bigints. */
function signed(value: number | bigint): number | bigint {
  if (typeof value === "number") return value;
  const number = BigInt.asIntN(64, value);
  return number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER
    ? Number(number)
    : number;
}
