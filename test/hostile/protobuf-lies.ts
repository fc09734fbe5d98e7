/** Changes Protocol Buffers messages at random places. Knows no message types. */

import type { Random } from "./random.js";

interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly value: bigint | Buffer;
}

const ODD_NUMBERS = [
  0n,
  1n,
  2n,
  2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
] as const;

/** The message with up to three changes. */
export function protobufLie(random: Random, message: Buffer): Buffer {
  let changed = message;
  for (let count = random.integer(1, 3); count > 0; count--) changed = change(random, changed, 0);
  return changed;
}

function change(random: Random, message: Buffer, depth: number): Buffer {
  const fields = fieldsOf(message);
  if (fields === undefined || fields.length === 0) return random.bytes(random.integer(0, 20));
  const at = random.integer(0, fields.length - 1);
  const field = fields[at] as Field;
  const inside = Buffer.isBuffer(field.value) && depth < 6 && random.chance(0.7);
  if (inside) fields[at] = { ...field, value: change(random, field.value as Buffer, depth + 1) };
  else fields.splice(at, 1, ...changed(random, field));
  return encode(fields);
}

/** The fields in the place of one. */
function changed(random: Random, field: Field): readonly Field[] {
  const odd = random.pick(...ODD_NUMBERS);
  switch (random.integer(0, 6)) {
    case 0:
      return [];
    case 1:
      return Array(random.pick(2, 2, 500)).fill(field);
    case 2:
      return [{ ...field, number: random.integer(0, 20) }];
    case 3:
      return [{ ...field, wireType: random.integer(0, 7) }];
    case 4:
      return [field, { number: 1, wireType: 2, value: random.bytes(random.integer(0, 30)) }];
    default:
      return [
        typeof field.value === "bigint"
          ? { ...field, value: odd }
          : {
              ...field,
              value: random.pick(Buffer.alloc(0), random.bytes(5), field.value.subarray(1)),
            },
      ];
  }
}

/** `undefined` for bytes that are not a message of numbers and byte strings. */
function fieldsOf(message: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; at < message.length && shift < 70n; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    const number = Math.floor(tag / 8);
    const value = varint();
    if (wireType === 0) fields.push({ number, wireType, value });
    else if (wireType === 2 && Number(value) <= message.length - at) {
      fields.push({ number, wireType, value: message.subarray(at, at + Number(value)) });
      at += Number(value);
    } else return undefined;
  }
  return fields;
}

function encode(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wireType, value }) => {
      const tag = varint(BigInt(number * 8 + wireType));
      if (typeof value === "bigint") return [tag, varint(value)];
      return [tag, varint(BigInt(value.length)), value];
    }),
  );
}

/** A number as Protocol Buffers write it. */
export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
