import { MemoryClusterApi } from "../../src/key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { StoreEvent } from "../../src/key-space/shared/store-event.js";
import { createV2Handler } from "../../src/server/create-v2-handler.js";
import { listen } from "../../src/server/http/http-server.js";
import type { V2Handler } from "../../src/server/http/message.js";
import { type Clock, systemClock } from "../../src/time/clock.js";
import { decodeUtf8 } from "../../src/wire/decode-path.js";
import { startEtcd } from "../support/etcd.js";
import { headerObject } from "../support/header-object.js";
import { HttpPipe, Reply } from "./http-pipe.js";
import type { RawRequest } from "./request.js";

/** Somewhere that requests can be sent to. */
export interface Server {
  call(request: RawRequest): Promise<Reply>;
  /** Resolves when the head of the answer is there. */
  open(request: RawRequest): Promise<Reply>;
}

/** What ends the connection, so that nothing may be sent behind it. */
const ENDS_CONNECTION = /^[^?]*%(?![\da-f]{2})/i;

/** A server behind a socket. */
export class RemoteServer implements Server {
  readonly #url: string;
  readonly #pipes: HttpPipe[] = [];
  #main: HttpPipe | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async call(request: RawRequest): Promise<Reply> {
    if (!ENDS_CONNECTION.test(request.target)) {
      this.#main ??= this.#connect();
      return this.#main.call(request);
    }
    const pipe = this.#connect();
    const reply = await pipe.call(request);
    pipe.close();
    return reply;
  }

  async open(request: RawRequest): Promise<Reply> {
    const free = this.#pipes.find((pipe) => pipe.usable) ?? this.#connect();
    if (!this.#pipes.includes(free)) this.#pipes.push(free);
    return free.open(request);
  }

  /** The next request finds a new connection. */
  hangUp(): void {
    for (const pipe of this.#pipes.splice(0)) pipe.close();
    this.#main?.close();
    this.#main = undefined;
  }

  /** etcd limits the very first request line of a connection, and only that, to 4096 bytes. */
  #connect(): HttpPipe {
    const pipe = new HttpPipe(this.#url);
    void pipe.call({ method: "GET", target: "/v2/keys/" });
    return pipe;
  }
}

/** A handler, called without a socket. */
export class LocalServer implements Server {
  readonly #handler: V2Handler;

  constructor(handler: V2Handler) {
    this.#handler = handler;
  }

  async call(request: RawRequest): Promise<Reply> {
    const reply = await this.open(request);
    if (!reply.ended) throw new Error("a watch was opened where none was expected");
    return reply;
  }

  async open({ method, target, type, body = "" }: RawRequest): Promise<Reply> {
    const abort = new AbortController();
    const answer = await this.#handler({
      method,
      target,
      headers: { host: "fuzz", ...(type !== undefined && { "content-type": type }) },
      body: async () => decodeUtf8(Buffer.from(body, "latin1")),
      signal: abort.signal,
    });
    const reply = new Reply();
    reply.status = answer.status;
    reply.cancel = () => abort.abort();
    for (const [name, value] of Object.entries(headerObject(answer.headers))) {
      reply.headers.set(name.toLowerCase(), value);
    }
    if (typeof answer.body !== "string") {
      void collect(answer.body, reply);
      return reply;
    }
    if (method !== "HEAD") reply.body = answer.body;
    reply.ended = true;
    return reply;
  }
}

async function collect(pieces: AsyncIterable<string>, reply: Reply): Promise<void> {
  try {
    for await (const piece of pieces) reply.body += piece;
    reply.ended = true;
  } catch {
    // Cancelled.
  }
}

/** The real time, but nothing expires before the test says so. */
class HeldClock implements Clock {
  #due: (() => void) | undefined;
  readonly now = systemClock.now;
  readonly monotonic = systemClock.monotonic;

  after(_milliseconds: number, callback: () => void): () => void {
    this.#due = callback;
    return () => {
      this.#due = undefined;
    };
  }

  sweep(): void {
    this.#due?.();
  }
}

/** A real etcd and a server of ours; both were started empty and are told the same. */
export interface Pair {
  readonly etcd: Server;
  readonly ours: Server;
  /** Ours, through a socket. */
  readonly oursBySocket: Server;
  readonly index: () => number;
  readonly history: () => readonly StoreEvent[];
  /** Lets expire what should have. */
  readonly sweep: () => void;
  /** Whether a request is sent at all; absent: all are. */
  readonly takes?: (request: RawRequest) => Promise<boolean>;
  /** Before a sequence: brings the indexes of both together, where they can part. */
  readonly align?: () => Promise<void>;
  /** Whether ours passes on the events of an etcd, with their repetitions. */
  readonly passesEvents?: boolean;
  /** Whether a set keeps the createdIndex of the file that it replaces. */
  readonly createdIndexSurvives?: boolean;
  /** Forgets the connections, after something went wrong. */
  readonly hangUp: () => void;
  stop(): Promise<void>;
}

export async function startPair(): Promise<Pair> {
  const cluster = await startEtcd({ release: "3.4", args: ["--snapshot-count=1000000"] });
  const clock = new HeldClock();
  const keySpace = new MemoryKeySpace({ clock });
  const handler = createV2Handler({
    keySpace,
    clusterApi: new MemoryClusterApi(keySpace),
    authKeySpace: new MemoryKeySpace(),
    clusterId: async () => keySpace.clusterId,
    // As etcd by default.
    cors: ["*"],
  });
  const server = await listen(handler, { host: "127.0.0.1", port: 0 });
  const etcd = new RemoteServer(cluster.urls[0]);
  const oursBySocket = new RemoteServer(server.url);
  const hangUp = (): void => {
    etcd.hangUp();
    oursBySocket.hangUp();
  };
  return {
    etcd,
    ours: new LocalServer(handler),
    oursBySocket,
    index: () => keySpace.index,
    history: () => keySpace.snapshot().history,
    sweep: () => clock.sweep(),
    hangUp,
    async stop() {
      hangUp();
      await Promise.all([keySpace.close(), server.close(), cluster.stop()]);
    },
  };
}
