import { crc32c } from "./crc32c.js";
import { WalRecordMessage } from "./messages.js";

/**
 * A record is framed by its length and padding: 8 bytes, little-endian. The lower 56 bits are the length
 * of the record. If the highest bit is set, the bits 56 to 58 are the number of bytes of padding.
 */
export const FRAME_HEADER_BYTES = 8;

/** etcd's unit of writing: a disk writes it completely or not at all. */
const SECTOR_BYTES = 512;

const ZEROS = Buffer.alloc(1 << 16);

/** Weight of bit 32. */
const TWO_32 = 2 ** 32;

/** A frame without its header. */
export interface FrameSize {
  readonly record: number;
  readonly padding: number;
}

/** Reads the header of a frame; undefined at the preallocated zeros behind the last frame. */
export function frameSizeAt(bytes: Buffer, at = 0): FrameSize | undefined {
  const low = bytes.readUInt32LE(at);
  const high = bytes.readUInt32LE(at + 4);
  if (low === 0 && high === 0) return undefined;
  const record = (high & 0xffffff) * TWO_32 + low;
  return { record, padding: high >>> 31 === 1 ? (high >>> 24) & 7 : 0 };
}

/** Whether a sector of a frame was not written, as in etcd. `offset`: position of the frame's content. */
export function hasUnwrittenSector(content: Buffer, offset: number): boolean {
  for (let at = 0; at < content.length; ) {
    const end = at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES);
    if (isZero(content.subarray(at, end))) return true;
    at = end;
  }
  return false;
}

export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}

/** How often the search for valid records may read the same bytes, on average. */
const MAX_READS = 8;

/**
 * Whether bytes that begin with an invalid frame contain valid records behind it. Then the frame is not the
 * end of an interrupted write. A checksum covers the records before it, so a record is known to be valid
 * by the checksum of the record before.
 */
export function hasValidRecords(bytes: Buffer): boolean {
  const previous = storedCrc(bytes);
  // In hostile bytes, every position may look like a long record.
  let unread = MAX_READS * bytes.length;
  // Frames are padded to multiples of 8 bytes.
  for (let at = 0; at + FRAME_HEADER_BYTES < bytes.length; at += FRAME_HEADER_BYTES) {
    const first = recordAt(bytes, at);
    if (first === undefined) continue;
    unread -= first.end - at;
    if (unread < 0) return false;
    if (previous !== undefined && at > 0 && follows(first, previous)) return true;
    const second = recordAt(bytes, first.end);
    if (second !== undefined && follows(second, first.crc)) return true;
  }
  return false;
}

interface FoundRecord {
  readonly crc: number;
  readonly data: Buffer;
  /** Position of the next frame. */
  readonly end: number;
}

function follows({ crc, data }: FoundRecord, previous: number): boolean {
  return data.length > 0 && crc32c(data, previous) === crc;
}

/** The record of a frame, if there may be one. */
function recordAt(bytes: Buffer, at: number): FoundRecord | undefined {
  const begin = at + FRAME_HEADER_BYTES;
  // A record begins with the tag of its first field.
  if (begin >= bytes.length || bytes[begin] !== 0x08) return undefined;
  const { record, padding } = frameSizeAt(bytes, at) ?? { record: 0, padding: 0 };
  const end = begin + record + padding;
  if (record === 0 || end > bytes.length || end % FRAME_HEADER_BYTES !== 0) return undefined;
  try {
    return { ...WalRecordMessage.decode(bytes.subarray(begin, begin + record)), end };
  } catch {
    return undefined;
  }
}

/** The checksum in a record whose frame is invalid. It is among the first bytes. */
function storedCrc(bytes: Buffer): number | undefined {
  const begin = FRAME_HEADER_BYTES;
  for (let length = 4; length <= 8; length++) {
    const start = bytes.subarray(begin, begin + length);
    try {
      // The data follows the checksum.
      if (bytes[begin + length] === 0x1a) return WalRecordMessage.decode(start).crc;
    } catch {
      // The checksum is longer.
    }
  }
  return undefined;
}
