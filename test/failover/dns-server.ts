import { createSocket } from "node:dgram";
import { once } from "node:events";

/** The content of an SRV record. */
interface SrvRecord {
  readonly name: string;
  readonly port: number;
}

/** The response for a name: records, none, a failure, or no response. */
export type Zone = Map<string, readonly SrvRecord[] | "fails" | "silent">;

export interface DnsServer extends AsyncDisposable {
  /** For `setServers` of `node:dns`. */
  readonly address: string;
  /** Queried names so far. */
  readonly questions: readonly string[];
}

const HEADER_BYTES = 12;
const ANSWERED = 0x8180;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;
const SRV_IN = [0, 33, 0, 1];
const TTL_NONE = [0, 0, 0, 0];
const NAME_OF_QUESTION = [0xc0, HEADER_BYTES];

/** A DNS server for SRV records, over UDP. */
export async function startDns(zone: Zone): Promise<DnsServer> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const questions: string[] = [];
  socket.on("message", (query, { port, address }) => {
    const name = questionOf(query);
    questions.push(name);
    const records = zone.get(name);
    if (records !== "silent") socket.send(reply(query, name, records), port, address);
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

function questionOf(query: Buffer): string {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; query[at]; at += (query[at] ?? 0) + 1) {
    labels.push(query.toString("latin1", at + 1, at + 1 + (query[at] ?? 0)));
  }
  return labels.join(".").toLowerCase();
}

function reply(query: Buffer, name: string, found: readonly SrvRecord[] | "fails" | undefined) {
  const records = found === "fails" || found === undefined ? [] : found;
  const code = found === "fails" ? SERVER_FAILURE : found === undefined ? NO_SUCH_NAME : 0;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(ANSWERED | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, encodeName(name), Buffer.from(SRV_IN), ...records.map(encode)]);
}

function encode({ name, port }: SrvRecord): Buffer {
  const target = encodeName(name);
  const data = Buffer.alloc(8);
  data.writeUInt16BE(6 + target.length, 0);
  data.writeUInt16BE(port, 6);
  return Buffer.concat([Buffer.from([...NAME_OF_QUESTION, ...SRV_IN, ...TTL_NONE]), data, target]);
}

function encodeName(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.of(0)]);
}
