import type { ServerResponse } from "node:http";
import type { Resync, Subscription } from "../../key-space/subscription.js";
import type { Action, EtcdResponse } from "../../model/response.js";
import { failureOf, keyIn, numberIn } from "../http/json-exchange.js";
import { writeText } from "../http/write-text.js";
import type { ChangeEvent, StreamEvent } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** Actions after which the node does not exist. */
const REMOVALS: ReadonlySet<Action> = new Set(["delete", "compareAndDelete", "expire"]);
/** Longer values are not sent with a change. */
const MAX_VALUE_CHARS = 16_384;
const STATUS_INTERVAL_MS = 500;
/** So that proxies keep the connection, and the end of a page is noticed. */
const HEARTBEAT_INTERVAL_MS = 15_000;
const MAX_QUEUED_CHANGES = 10_000;
const POLL_INTERVAL_MS = 10_000;

/**
 * The changes below a directory, as Server-Sent Events: one watch for each open page. A page that was disconnected
 * continues after the last index that it knows. When changes are missed, it gets a `gap`.
 */
export async function streamEvents(request: ConsoleRequest): Promise<void> {
  const { session, query, response, signal } = request;
  const from = numberIn(query, "from", 0);
  const subscription = session.etcd.keySpace.subscribe(
    {
      ...{ key: keyIn(query), recursive: true, state: "none" },
      from: from > 0 ? from : "now",
      clusterId: from > 0 ? (query.get("clusterId") ?? undefined) : undefined,
      ...{ bufferSize: MAX_QUEUED_CHANGES, pollInterval: POLL_INTERVAL_MS },
    },
    { signal },
  );
  const stream = new EventStream(response);
  const watchStatus = statusReporter(subscription, stream);
  const timers = [
    setInterval(watchStatus, STATUS_INTERVAL_MS),
    setInterval(() => {
      session.usedAt = Date.now();
      stream.beat();
    }, HEARTBEAT_INTERVAL_MS),
  ];
  try {
    const opened = subscription.opened.then(({ etcdIndex: index, etcdClusterId: clusterId }) =>
      stream.send({ type: "open", index, clusterId }),
    );
    await Promise.all([opened, deliver(subscription, stream)]);
  } catch (error) {
    if (!signal.aborted) await stream.send({ type: "failed", failure: failureOf(error) });
  } finally {
    timers.forEach(clearInterval);
    subscription.close();
    response.end();
  }
}

async function deliver(subscription: Subscription, stream: EventStream): Promise<void> {
  for await (const item of subscription) {
    await stream.send(
      item.type === "resync"
        ? gapOf(item)
        : { type: "changes", changes: item.changes.map(changeOf) },
    );
  }
}

/** Says when etcd goes away, and when it is back. */
function statusReporter(subscription: Subscription, stream: EventStream): () => void {
  let last = "";
  return () => {
    const message = subscription.lastError?.message ?? "";
    if (message === last) return;
    last = message;
    void stream.send(message === "" ? { type: "connected" } : { type: "disconnected", message });
  };
}

function gapOf({ reason, index, etcdClusterId: clusterId }: Resync): StreamEvent {
  return { type: "gap", reason, index, clusterId };
}

function changeOf({ action, node, prevNode }: EtcdResponse): ChangeEvent {
  const { key, dir, value, ttl, modifiedIndex: index, createdIndex } = node;
  const isRemoved = REMOVALS.has(action);
  const before = prevNode?.value;
  const isShort = (text: string | undefined): boolean =>
    text !== undefined && text.length <= MAX_VALUE_CHARS;
  return {
    ...{ index, action, key, dir: dir === true, createdIndex, isRemoved },
    ...(isShort(value) && { value }),
    ...(value !== undefined && { length: value.length }),
    ...(ttl !== undefined && { ttl }),
    ...(isShort(before) && { previous: before }),
  };
}

/** Server-Sent Events. Waits while the page does not read. */
class EventStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
    });
    response.flushHeaders();
  }

  async send(event: StreamEvent): Promise<void> {
    await writeText(this.#response, `data: ${JSON.stringify(event)}\n\n`);
  }

  beat(): void {
    if (!this.#response.destroyed) this.#response.write(":\n\n");
  }
}
