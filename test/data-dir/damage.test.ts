import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { crc32c } from "../../src/data-dir/crc32c.js";
import { MemberDataError } from "../../src/data-dir/member-data-error.js";
import { EntryMessage, HardStateMessage, WalRecordMessage } from "../../src/data-dir/messages.js";
import { type MemberData, readMemberData } from "../../src/data-dir/read-member-data.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { randomFrom } from "../support/random-from.js";
import { SEED } from "../support/seed.js";
import { sendRandomly, writeKeys } from "./v2-load.js";

const scratch = mkdtempSync(join(tmpdir(), "etcdnet-damage-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A member's directory whose files a test replaces. */
const directory = join(scratch, "member");
const walDirectory = join(directory, "wal");
let wal = "";
/** The log of a real member, without the zeros behind it. */
let log = Buffer.alloc(0);
/** The position of each frame, and the end of the last one. */
let frames: readonly number[] = [];
/** What the log has up to each frame. */
let states: readonly string[] = [];

const FLIPS = Number(process.env.DATA_DIR_FLIPS ?? 150);

function stateOf({ store }: MemberData): string {
  return JSON.stringify([store.index, ...store.nodes.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

function readLog(content: Buffer): MemberData {
  writeFileSync(wal, content);
  return readMemberData(directory, { uncommitted: true });
}

function framesOf(content: Buffer): readonly number[] {
  const found = [0];
  for (let at = 0; at + 8 <= content.length; ) {
    const length = content.readUInt32LE(at);
    if (length === 0) break;
    const padding = content.readUInt8(at + 7);
    at += 8 + length + (padding & 0x80 ? padding & 7 : 0);
    found.push(at);
  }
  return found;
}

/** A frame like etcd's, behind content whose checksum is `crc`. */
function frameOf(type: number, data: Buffer, crc: number): Buffer {
  const record = WalRecordMessage.encode({ type, crc: crc32c(data, crc), data });
  const padding = (8 - (record.length % 8)) % 8;
  const header = Buffer.alloc(8);
  header.writeUInt32LE(record.length);
  if (padding > 0) header.writeUInt8(0x80 | padding, 7);
  return Buffer.concat([header, record, Buffer.alloc(padding)]);
}

describeWithEtcd("3.5", "damaged files of a member", () => {
  beforeAll(async () => {
    await using etcd = await startEtcd({ release: "3.5", args: ["--snapshot-count=1000"] });
    const [member] = etcd.members;
    await sendRandomly(member.url, 30, SEED);
    await writeKeys(member.url, 1, 4);
    await expect(() => readMemberData(member.dataDir)).toThrow(/a running etcd uses .*: stop it/);
    await member.kill();
    mkdirSync(directory);
    const filter = (path: string): boolean => !path.endsWith(".tmp");
    cpSync(join(member.dataDir, "member"), directory, { recursive: true, filter });
    wal = join(walDirectory, readdirSync(walDirectory)[0] ?? "");
    const content = readFileSync(wal);
    frames = framesOf(content);
    log = Buffer.from(content.subarray(0, frames.at(-1)));
    // The first records are about the member itself.
    states = frames.map((end, n) => (n < 4 ? "" : stateOf(readLog(log.subarray(0, end)))));
  });

  it("can be read when the last write was cut at any byte", () => {
    const last = frames.length - 1;
    for (let frame = last - 3; frame < last; frame++) {
      const [begin = 0, end = 0] = frames.slice(frame);
      for (let cut = begin + 1; cut < end; cut++) {
        const data = readLog(log.subarray(0, cut));
        expect(stateOf(data)).toBe(states[frame]);
        expect(data.warnings).toEqual([
          expect.stringContaining(`the last write was interrupted at byte ${begin}`),
        ]);
      }
      expect(readLog(log.subarray(0, end))).toMatchObject({ warnings: [] });
    }
  });

  it("can be read when sectors of the last write are missing", () => {
    const begin = frames.at(-2) ?? 0;
    const big = frameOf(2, EntryMessage.encode({ index: 9_999, data: Buffer.alloc(3_000, 1) }), 7);
    const content = Buffer.concat([log.subarray(0, begin), big, Buffer.alloc(4_096)]);
    content.fill(0, Math.ceil(begin / 512 + 2) * 512);
    const data = readLog(content);
    expect(stateOf(data)).toBe(states.at(-2));
    expect(data.warnings).toHaveLength(1);
  });

  it("are refused, or give the right data, when any bit is wrong", () => {
    const random = randomFrom(SEED);
    let refused = 0;
    // The last byte of a frame's header says where the next frame begins.
    const headers = frames.slice(0, -1).flatMap((at) => [0, 1, 2, 7].map((n) => (at + 7) * 8 + n));
    const others = Array.from({ length: FLIPS }, () => Math.floor(random() * log.length * 8));
    for (const bit of [...headers, ...others]) {
      const content = Buffer.concat([log, Buffer.alloc(4_096)]);
      content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        const data = readLog(content);
        const isComplete = stateOf(data) === states.at(-1);
        const isCut = data.warnings.length > 0 && states.includes(stateOf(data));
        expect([bit, isComplete || isCut]).toEqual([bit, true]);
      } catch (error) {
        if (!(error instanceof MemberDataError)) throw error;
        expect(error.message).toContain(wal);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(FLIPS / 2);
  });

  it("give the state before the damage, on request", () => {
    const middle = Math.floor(frames.length / 2);
    const content = Buffer.from(log);
    const at = (frames[middle] ?? 0) + 20;
    content[at] = (content[at] ?? 0) ^ 1;
    expect(() => readLog(content)).toThrow(`${wal} is damaged at byte ${frames[middle]}: `);
    const data = readMemberData(directory, { uncommitted: true, untilDamage: true });
    expect(stateOf(data)).toBe(states[middle]);
    expect(data.warnings).toEqual([expect.stringContaining("everything behind it is ignored")]);
  });

  it("are refused when they are hostile, although their checksums are right", () => {
    const crc = WalRecordMessage.decode(lastRecord()).crc;
    const entry = (fields: object) => frameOf(2, EntryMessage.encode(fields), crc);
    const huge = Buffer.from("ffffffffffffff0008021000", "hex");
    const cases: readonly (readonly [Buffer, RegExp])[] = [
      [frameOf(9, Buffer.from("x"), crc), /the record has the unknown type 9/],
      [frameOf(2, Buffer.from("\xff\xff"), crc), /the message ends in the middle of a field/],
      [frameOf(1, Buffer.from([8, 1, 16, 1]), crc), /the metadata is that of another member/],
      [entry({ index: 1, term: 9 }), /entry 1 was committed before, and is replaced/],
      [entry({ index: 2 ** 40, term: 9 }), /entry \d+ is missing: entry 1099511627776 follows/],
      [
        frameOf(3, HardStateMessage.encode({ term: 9, commit: 2 ** 40 }), crc),
        /entries \d+ to 1099511627776 are committed, but missing in the log/,
      ],
    ];
    for (const [frame, problem] of cases) {
      expect(() => readLog(Buffer.concat([log, frame]))).toThrow(problem);
      expect(() => readLog(Buffer.concat([log, frame]))).toThrow(MemberDataError);
    }
    // The length of a frame is checked before memory is allocated.
    expect(readLog(Buffer.concat([log, huge])).warnings).toHaveLength(1);
  });

  it("are read from an older snapshot, or from the log alone, when the newest snapshot is damaged", () => {
    writeFileSync(wal, log);
    const snap = join(directory, "snap", "0000000000000002-0000000000000014.snap");
    writeFileSync(snap, "damaged");
    const data = readMemberData(directory);
    rmSync(snap);
    expect(stateOf(data)).toBe(states.at(-1));
    expect(data.snapshot).toBeUndefined();
    expect(data.warnings).toEqual([expect.stringMatching(/^.*14\.snap is not used: /)]);
  });
});

function lastRecord(): Buffer {
  const begin = frames.at(-2) ?? 0;
  return log.subarray(begin + 8, begin + 8 + log.readUInt32LE(begin));
}
