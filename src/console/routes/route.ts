import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session } from "../http/sessions.js";

/** A request of a page, in its session. */
export interface ConsoleRequest {
  readonly session: Session;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborts when the page has gone, or the session has ended. */
  readonly signal: AbortSignal;
}

/** Sends a stream itself, and then returns nothing. */
export type Handler = (request: ConsoleRequest) => Promise<unknown>;

/** A part of the API. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Whether it changes something, which needs `--write`. */
  readonly writes: boolean;
  readonly handle: Handler;
}

export function reading(handle: Handler): Route {
  return { method: "GET", writes: false, handle };
}

export function writing(handle: Handler): Route {
  return { method: "POST", writes: true, handle };
}
