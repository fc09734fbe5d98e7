import { request } from "undici";
import type { V2Handler } from "../../src/server/http/message.js";
import { headerObject } from "../support/header-object.js";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface MemberShown {
  readonly id: string;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
}

/** A server of either kind. */
export type Server = (sent: Sent) => Promise<Answer>;

const COMPARED = ["allow", "content-type", "x-content-type-options", "x-etcd-cluster-id"];
/** Its members, in order of their ids. */
export async function membersOf(server: Server): Promise<readonly [MemberShown, ...MemberShown[]]> {
  const { body } = await server({ method: "GET", path: "/v2/members" });
  return JSON.parse(body).members;
}

/** The server at a URL. */
export function serverAt(url: string): Server {
  return async ({ method, path, contentType, body }) => {
    const reply = await request(url + path, {
      method: method as "GET",
      headers: contentType ? { "content-type": contentType } : {},
      body: body ?? null,
    });
    return answerOf(reply.statusCode, reply.headers, await reply.body.text());
  };
}

/** A server in this process. */
export function serverOf(handler: V2Handler): Server {
  return async ({ method, path, contentType, body = "" }) => {
    const reply = await handler({
      method,
      target: path,
      headers: { "content-type": contentType },
      body: async () => body,
      signal: new AbortController().signal,
    });
    if (typeof reply.body !== "string") throw new Error("a body in pieces");
    return answerOf(reply.status, headerObject(reply.headers), method === "HEAD" ? "" : reply.body);
  };
}

function answerOf(status: number, headers: object, body: string): Answer {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const compared = entries.filter(([name]) => COMPARED.includes(name));
  return { status, headers: Object.fromEntries(compared), body: withoutTimes(body) };
}

function withoutTimes(body: string): string {
  return body.replace(/"(startTime|uptime)":"([^"]*)"/g, (_pair, name: string, text: string) => {
    const shape = name === "uptime" ? /^(\d+h)?(\d+m)?[\d.]+(s|ms|µs)$/ : /^\d{4}-.*T.*Z$/;
    return `"${name}":${shape.test(text) ? '"time"' : text}`;
  });
}
