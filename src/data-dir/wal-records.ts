import { crc32c } from "./crc32c.js";
import { DamagedFileError } from "./member-data-error.js";
import { WalRecordMessage } from "./messages.js";
import { WalFile } from "./wal-file.js";
import {
  FRAME_HEADER_BYTES,
  type FrameSize,
  frameSizeAt,
  hasUnwrittenSector,
  hasValidRecords,
  isZero,
} from "./wal-frame.js";

/** Types of records. A `crc` record begins each file. */
export const METADATA = 1;
export const ENTRY = 2;
export const STATE = 3;
const CRC = 4;
export const SNAPSHOT = 5;

/** The position of a record's frame. */
export interface RecordPlace {
  readonly file: string;
  readonly offset: number;
}

/** A record whose checksum is valid. */
export interface WalRecord extends RecordPlace {
  readonly type: number;
  readonly data: Buffer;
}

/** Number of bytes behind an invalid frame that are searched for valid records. */
const SEARCHED_BYTES = 16 * 1024 ** 2;

/**
 * Reads the records of consecutive files, and checks their checksums across the files. Like etcd, it ends at
 * an interrupted write at the end of the last file, and calls `onTornTail`.
 *
 * @throws DamagedFileError for every other invalid record
 */
export function* walRecords(
  paths: readonly string[],
  onTornTail: (problem: string) => void = () => {},
): Generator<WalRecord, void, undefined> {
  const last = paths.at(-1);
  let crc = 0;
  for (const path of paths) {
    using file = new WalFile(path);
    for (;;) {
      const { offset } = file;
      const record = path === last ? readLast(file, crc, onTornTail) : readRecord(file, crc);
      if (record === undefined) break;
      crc = record.crc;
      if (record.type !== CRC) yield { type: record.type, data: record.data, file: path, offset };
    }
  }
}

type Read = ReturnType<typeof WalRecordMessage.decode>;

/** An invalid frame. */
class FrameError extends Error {
  /** Whether the frame was only written in part. */
  readonly torn: boolean;

  constructor(problem: string, torn: boolean, cause?: unknown) {
    super(problem, { cause });
    this.torn = torn;
  }
}

/** Reads a record of a file that is not the last one. */
function readRecord(file: WalFile, crc: number): Read | undefined {
  const { path, offset } = file;
  try {
    return readFrame(file, crc);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new DamagedFileError(path, offset, error.message, error);
  }
}

/** Reads a record of the last file, whose end may be missing. */
function readLast(
  file: WalFile,
  crc: number,
  onTornTail: (problem: string) => void,
): Read | undefined {
  const { path, offset } = file;
  let problem = "there is data behind the end";
  try {
    const record = readFrame(file, crc);
    if (record !== undefined) return record;
    if (isZero(file.peek(SEARCHED_BYTES))) return undefined;
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    problem = error.message;
    if (!error.torn) throw new DamagedFileError(path, offset, problem, error);
  }
  // Frames begin at multiples of 8 bytes, also if the damage has led to another position.
  const toNextFrame = -offset & (FRAME_HEADER_BYTES - 1);
  if (hasValidRecords(file.peek(SEARCHED_BYTES).subarray(toNextFrame))) {
    throw new DamagedFileError(path, offset, `${problem}, and valid records follow`);
  }
  onTornTail(`${path}: the last write was interrupted at byte ${offset}: ${problem}`);
  return undefined;
}

/** Undefined at the end of the data. @throws FrameError; the file is then still at the frame */
function readFrame(file: WalFile, crc: number): Read | undefined {
  if (file.remaining === 0) return undefined;
  const header = file.peek(FRAME_HEADER_BYTES);
  if (header.length < FRAME_HEADER_BYTES) throw new FrameError("the frame is not complete", true);
  const size = frameSizeAt(header);
  if (size === undefined) return undefined;
  const length = FRAME_HEADER_BYTES + size.record + size.padding;
  if (length > file.remaining) throw new FrameError("the frame extends beyond the file", true);
  const record = decode(file.peek(length).subarray(FRAME_HEADER_BYTES), size, file.offset, crc);
  file.skip(length);
  return record;
}

/** @throws FrameError */
function decode(content: Buffer, { record }: FrameSize, offset: number, crc: number): Read {
  const isTorn = (): boolean => hasUnwrittenSector(content, offset + FRAME_HEADER_BYTES);
  let read: Read;
  try {
    read = WalRecordMessage.decode(content.subarray(0, record));
  } catch (error) {
    throw new FrameError("the record cannot be read", isTorn(), error);
  }
  const isStart = read.type === CRC && crc === 0;
  const expected = read.type === CRC ? crc : crc32c(read.data, crc);
  if (!isStart && read.crc !== expected) {
    throw new FrameError("the checksum of the record is wrong", isTorn());
  }
  return read;
}
