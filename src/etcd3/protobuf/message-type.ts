import { ProtocolError } from "../../errors/cluster-errors.js";
import { BackwardWriter } from "./backward-writer.js";
import { Reader, SIZED, VARINT } from "./reader.js";

/** The types of fields that are not messages, and of their values. */
interface Scalars {
  readonly bytes: Buffer;
  readonly text: string;
  readonly flag: boolean;
  /** A signed number used for arithmetic. */
  readonly integer: number;
  /** A signed number that etcd never makes negative, such as a revision. */
  readonly natural: number;
  /** A signed 64-bit number that is only compared, as decimal text. */
  readonly id: string;
  /** An unsigned 64-bit number that is only compared, as decimal text. */
  readonly uid: string;
}

/**
 * The type of a field. A list: an enum's names, from value 0. A function: a type that is defined
 * later, for recursive messages.
 */
type FieldType =
  | keyof Scalars
  | readonly string[]
  | MessageType<unknown>
  | (() => MessageType<unknown>);

/** By name: a field's number, its type, and whether it is repeated. */
type Fields = Readonly<Record<string, readonly [number, FieldType, "repeated"?]>>;

type ValueOf<Type> = Type extends keyof Scalars
  ? Scalars[Type]
  : Type extends readonly (infer Name)[]
    ? Name
    : Type extends MessageType<infer Message> | (() => MessageType<infer Message>)
      ? Message
      : never;

/** Only the absence of a message is visible; other absent fields have default values. */
type FieldValue<F> = F extends readonly [number, infer Type, "repeated"]
  ? readonly ValueOf<Type>[]
  : F extends readonly [number, infer Type]
    ? Type extends MessageType<unknown> | (() => MessageType<unknown>)
      ? ValueOf<Type> | undefined
      : ValueOf<Type>
    : never;

/** A complete message of a {@link MessageType}. An absent field has its default value. */
export type MessageOf<Type> = Type extends MessageType<infer Message> ? Message : never;

/** A message to encode. Fields may be omitted, and text may be given for its UTF-8 bytes. */
export type MessageInit<Message> = Message extends Uint8Array
  ? Uint8Array | string
  : Message extends readonly (infer Item)[]
    ? readonly MessageInit<Item>[]
    : Message extends object
      ? { readonly [Name in keyof Message]?: MessageInit<Message[Name]> | undefined }
      : Message;

/** One field of a message type. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: FieldType;
  readonly repeated: boolean;
  readonly wireType: number;
}

/** Maximum nesting of messages: more than etcd sends, less than the stack supports. */
const MAX_NESTING = 200;

const NO_BYTES = Buffer.alloc(0);
const NO_ITEMS: readonly unknown[] = Object.freeze([]);

/** A Protocol Buffers message type, created with {@link message}. */
export class MessageType<Message> {
  readonly #byName = new Map<string, Field>();
  readonly #byNumber: (Field | undefined)[] = [];
  readonly #empty: Readonly<Record<string, unknown>>;

  constructor(fields: Fields) {
    const empty: Record<string, unknown> = {};
    for (const [name, [number, type, repeated]] of Object.entries(fields)) {
      const field: Field = {
        name,
        number,
        type,
        repeated: repeated !== undefined,
        wireType: isNumeric(type) ? VARINT : SIZED,
      };
      this.#byName.set(name, field);
      this.#byNumber[number] = field;
      empty[name] = defaultOf(field);
    }
    this.#empty = empty;
  }

  /** The field with this name. */
  field(name: string): Field | undefined {
    return this.#byName.get(name);
  }

  /** @throws TypeError if the messages have no field with this name */
  requireField(name: string): Field {
    const field = this.#byName.get(name);
    if (field !== undefined) return field;
    throw new TypeError(`the message has no field ${name}`);
  }

  /** Creates a message with the default values, to be filled by a decoder. */
  empty(): Record<string, unknown> {
    return { ...this.#empty };
  }

  /** @throws TypeError for a field that the message does not have */
  encode(message: MessageInit<Message>): Buffer {
    const writer = new BackwardWriter();
    this.#write(writer, Object(message));
    return writer.take();
  }

  /** @throws ProtocolError if the bytes are not such a message */
  decode(bytes: Buffer): Message {
    return this.#read(new Reader(bytes), bytes.length, 0) as Message;
  }

  #write(writer: BackwardWriter, message: object): void {
    for (const name of Object.keys(message).reverse()) {
      const field = this.requireField(name);
      const value: unknown = Reflect.get(message, name);
      if (value === undefined) continue;
      if (field.repeated) this.#writeRepeated(writer, field, Object(value));
      else this.#writeField(writer, field, value);
    }
  }

  #writeRepeated(writer: BackwardWriter, field: Field, values: readonly unknown[]): void {
    for (let i = values.length - 1; i >= 0; i--) this.#writeField(writer, field, values[i]);
  }

  #writeField(writer: BackwardWriter, field: Field, value: unknown): void {
    const { type, number, wireType } = field;
    const before = writer.length;
    if (type === "flag") writer.varint(value === true ? 1 : 0);
    else if (type === "bytes" && value instanceof Uint8Array) writer.bytes(value);
    else if (type === "bytes" || type === "text") writer.text(String(value));
    else if (typeof type === "string") writeNumber(writer, value);
    else if (isEnum(type)) writer.varint(type.indexOf(String(value)));
    else typeOf(type).#write(writer, Object(value));
    if (wireType === SIZED) writer.varint(writer.length - before);
    writer.varint(number * 8 + wireType);
  }

  #read(reader: Reader, end: number, nesting: number): Record<string, unknown> {
    requireNesting(nesting);
    const message = this.empty();
    while (reader.at < end) {
      const tag = reader.smallNumber();
      const field = this.#byNumber[Math.floor(tag / 8)];
      if (field?.wireType !== tag % 8) {
        reader.skip(tag % 8);
        continue;
      }
      const value = this.#readField(reader, field, nesting);
      if (field.repeated) append(message, field, value);
      else message[field.name] = value;
    }
    if (reader.at > end) throw new ProtocolError("a field extends beyond the end of the message");
    return message;
  }

  #readField(reader: Reader, { name, type }: Field, nesting: number): unknown {
    if (type === "bytes") return reader.bytes();
    if (type === "text") return reader.text();
    if (type === "flag") return reader.smallNumber() !== 0;
    if (type === "uid") return reader.varint().toString();
    if (type === "id") return signed(reader.varint()).toString();
    if (type === "integer") return safeInteger(signed(reader.varint()), name);
    if (type === "natural") return naturalNumber(signed(reader.varint()), name);
    if (isEnum(type)) return enumName(type, reader.smallNumber(), name);
    return typeOf(type).#read(reader, reader.endOfNext(), nesting + 1);
  }
}

/** Defines a message type. The static type of its messages follows from the fields. */
export function message<const F extends Fields>(
  fields: F,
): MessageType<{ readonly [Name in keyof F]: FieldValue<F[Name]> }> {
  return new MessageType(fields);
}

/** Appends to a repeated field. */
export function append(message: Record<string, unknown>, { name }: Field, value: unknown): void {
  const items = message[name];
  if (items !== NO_ITEMS && Array.isArray(items)) items.push(value);
  else message[name] = [value];
}

/** @throws ProtocolError beyond JavaScript's safe integers */
export function safeInteger(value: unknown, name: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new ProtocolError(`${name} is not an integer up to 2^53 - 1`);
}

/**
 * Greater than any revision. The sum of a revision and an index offset that is not greater either is a safe
 * integer.
 */
export const MAX_NATURAL = 2 ** 52 - 1;

/** @throws ProtocolError for a negative number, and beyond {@link MAX_NATURAL} */
export function naturalNumber(value: unknown, name: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= MAX_NATURAL) return number;
  throw new ProtocolError(`${name} is not an integer from 0 to 2^52 - 1`);
}

/** @throws ProtocolError for a message that is nested too deeply */
export function requireNesting(nesting: number): void {
  if (nesting <= MAX_NESTING) return;
  throw new ProtocolError(`the message has more than ${MAX_NESTING} nested messages`);
}

function enumName(names: readonly string[], value: number, field: string): string {
  const name = names[value];
  if (name !== undefined) return name;
  throw new ProtocolError(`${field} has the unknown value ${value}`);
}

function defaultOf({ type, repeated }: Field): unknown {
  if (repeated) return NO_ITEMS;
  if (type === "bytes") return NO_BYTES;
  if (type === "text") return "";
  if (type === "flag") return false;
  if (type === "integer" || type === "natural") return 0;
  if (type === "id" || type === "uid") return "0";
  return isEnum(type) ? type[0] : undefined;
}

function isNumeric(type: FieldType): boolean {
  if (typeof type === "string") return type !== "bytes" && type !== "text";
  return isEnum(type);
}

export function isEnum(type: FieldType): type is readonly string[] {
  return Array.isArray(type);
}

export function typeOf(
  type: MessageType<unknown> | (() => MessageType<unknown>),
): MessageType<unknown> {
  return type instanceof MessageType ? type : type();
}

/** @param value a number, or decimal text */
function writeNumber(writer: BackwardWriter, value: unknown): void {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) writer.varint(number);
  else writer.varint64(BigInt(String(value)));
}

/** Converts an unsigned 64-bit number to a signed one. Negative ones arrive as bigints. */
function signed(value: number | bigint): number | bigint {
  return typeof value === "number" ? value : BigInt.asIntN(64, value);
}
