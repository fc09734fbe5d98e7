/** What a hostile server does during one exchange. */

import { framed } from "../../src/wire/grpc.js";
import { frame } from "../support/http2-frame.js";
import { deliver } from "./delivery.js";
import { GRPC_ERRORS } from "./error-bodies.js";
import { truthOf } from "./etcd-truth.js";
import type { Addresses, Protocol } from "./exchange-plan.js";
import type { Behaviour } from "./hostile-server.js";
import { answerHttp1 } from "./http1-lies.js";
import { HTTP2_LIES } from "./http2-known-lies.js";
import {
  answerHttp2,
  END_HEADERS,
  END_STREAM,
  FRAME,
  fieldsOf,
  malformed,
  oddFrame,
} from "./http2-lies.js";
import type { StreamLie } from "./http2-relay.js";
import { KNOWN_HTTP1_LIES } from "./known-lies.js";
import { protobufLie } from "./protobuf-lies.js";
import type { Random } from "./random.js";

interface Context {
  readonly protocol: Protocol;
  readonly addresses: Addresses;
  readonly etcd: URL;
}

/** Tells random lies in a share of the responses. */
export function randomBehaviour(random: Random, { protocol, etcd }: Context): Behaviour {
  const hostility = random.pick(0.1, 0.3, 0.7, 0.9);
  return {
    greet(socket) {
      if (!random.chance(hostility / 15)) return;
      if (random.chance(0.5)) socket.destroy();
      else socket.write(random.bytes(20));
    },
    async answerHttp1(socket, request) {
      const truth = await truthOf(etcd, request);
      void deliver(random, socket, answerHttp1(random, hostility, truth));
    },
    answerHttp2(socket, stream) {
      void deliver(random, socket, answerHttp2(random, hostility, stream, protocol !== "v2"));
    },
    lieOn: (stream) => (random.chance(hostility) ? randomLie(random, stream) : undefined),
  };
}

/** Tells the same lie in every response after the first `truths`. */
export function knownBehaviour(
  random: Random,
  lie: string,
  { protocol, addresses, etcd }: Context,
): Behaviour {
  let truths = random.pick(0, 0, 0, 1, 2, 3, 5);
  const isTruthful = () => truths-- > 0;
  return {
    async answerHttp1(socket, request) {
      const known = protocol === "grpc" ? undefined : KNOWN_HTTP1_LIES[protocol][lie];
      const isTrue = isTruthful() || known === undefined || request.method === "PRI";
      const answer = isTrue
        ? answerHttp1(random, 0, await truthOf(etcd, request))
        : known(request, addresses);
      void deliver(random, socket, answer);
    },
    answerHttp2(socket, stream) {
      void deliver(random, socket, answerHttp2(random, 0, stream, protocol !== "v2"));
    },
    lieOn(stream) {
      const known = HTTP2_LIES[lie];
      if (isTruthful() || known === undefined) return undefined;
      return { kind: "replace", answer: known(stream), random };
    },
  };
}

function randomLie(random: Random, stream: number): StreamLie {
  const kind = random.next();
  if (kind < 0.5) return { kind: "change", change: (message) => protobufLie(random, message) };
  if (kind < 0.6) return { kind: "insert", bytes: oddFrame(random, stream) };
  const known = HTTP2_LIES[random.pick("no response", ...Object.keys(HTTP2_LIES))];
  const answer =
    kind < 0.75
      ? errorOn(random, stream)
      : kind < 0.9 || known === undefined
        ? malformed(random, stream, true)
        : known(stream);
  return { kind: "replace", answer, random };
}

/** A response that is only an error, or a message and an error. */
function errorOn(random: Random, stream: number) {
  const [code, message] = random.pick(...GRPC_ERRORS);
  const status = { "grpc-status": `${code}`, "grpc-message": encodeURIComponent(message) };
  const fields = { ":status": "200", "content-type": "application/grpc" };
  const last = END_HEADERS | END_STREAM;
  const bytes = random.chance(0.5)
    ? frame(FRAME.headers, last, stream, fieldsOf({ ...fields, ...status }))
    : Buffer.concat([
        frame(FRAME.headers, END_HEADERS, stream, fieldsOf(fields)),
        frame(FRAME.data, 0, stream, framed(random.bytes(random.integer(0, 40)))),
        frame(FRAME.headers, last, stream, fieldsOf(status)),
      ]);
  return { bytes, after: "stay" } as const;
}
