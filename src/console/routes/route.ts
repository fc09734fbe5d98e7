import type { IncomingMessage, ServerResponse } from "node:http";
import { ConsoleError } from "../http/json-exchange.js";
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

/** Of all pages together. */
const MAX_COSTLY_REQUESTS = 8;
let costlyRequests = 0;

/** A route of which few requests are served at a time, since each lets etcd search its past or read many keys. */
export function costly({ handle, ...route }: Route): Route {
  return {
    ...route,
    handle: async (request) => {
      if (costlyRequests >= MAX_COSTLY_REQUESTS) {
        throw new ConsoleError(429, "too many requests for the past at a time; try again");
      }
      costlyRequests++;
      try {
        return await handle(request);
      } finally {
        costlyRequests--;
      }
    },
  };
}
