// @ts-check
// OpenTelemetry: a span for each call, from the client's diagnostics channels.
/** @import { TracingChannel } from "node:diagnostics_channel" */
/** @import { Span } from "@opentelemetry/api" */
/** @import { FailoverTrace, RequestTrace, WatchTrace } from "etcdnet" */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, tracingChannel } from "node:diagnostics_channel";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { EtcdClient } from "etcdnet";

/** Creates spans for the calls of all clients. Call it once in a process. */
function traceEtcd() {
  const tracer = trace.getTracer("etcdnet");
  /** @type {AsyncLocalStorage<Span>} the span of the current call */
  const spans = new AsyncLocalStorage();
  /** @type {TracingChannel<Span, RequestTrace>} */
  const calls = tracingChannel("etcdnet:request");

  // Runs in the context of the caller, so the new span is a child of the caller's span.
  calls.start.bindStore(spans, ({ operation, safety }) => {
    const [method = ""] = operation.split(" ");
    return tracer.startSpan(`etcd ${method}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        "db.system.name": "etcd",
        "db.operation.name": method,
        "db.query.text": operation, // the key, but never a value
        "etcd.safety": safety,
      },
    });
  });

  calls.asyncEnd.subscribe((message) => {
    const { endpoint, attempts, error } =
      /** @type {RequestTrace & { error?: Error & { code?: string } }} */ (message);
    const span = spans.getStore();
    span?.setAttribute("etcd.attempts", attempts);
    if (endpoint !== undefined) span?.setAttribute("server.address", endpoint);
    if (error !== undefined) {
      span?.setAttribute("error.type", error.code ?? error.name);
      span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span?.end();
  });

  subscribe("etcdnet:failover", (message) => {
    const { endpoint, cause } = /** @type {FailoverTrace} */ (message);
    spans.getStore()?.addEvent("failover", { endpoint, cause: cause.message });
  });

  // A watch can last for days, which is too long for a span. It becomes two events of the active span.
  subscribe("etcdnet:watch", (message) => {
    const { event, operation, endpoint } = /** @type {WatchTrace} */ (message);
    trace.getActiveSpan()?.addEvent(`watch ${event}`, { operation, endpoint });
  });
}

// In production, use an exporter to your collector and a BatchSpanProcessor.
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
traceEtcd();

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-opentelemetry";

await trace.getTracer("example").startActiveSpan("handle a request", async (span) => {
  const { node } = await etcd.setNode(key, "1");
  await etcd.watchNode(key, { waitIndex: node.modifiedIndex });
  await etcd.deleteNode(key);
  await etcd.deleteNode(key, { ignoreKeyNotFound: true });
  span.end();
});
await etcd.close();

// A call to an endpoint that is down, outside of any span.
const unreachable = new EtcdClient({ endpoints: "http://127.0.0.1:1" });
await unreachable.getNode(key).catch(() => {});
await unreachable.close();

await provider.forceFlush();
const spans = exporter.getFinishedSpans();
for (const span of spans) {
  const parent = spans.find(
    (other) => other.spanContext().spanId === span.parentSpanContext?.spanId,
  );
  const status = span.attributes["error.type"] ?? "ok";
  const events = span.events.map(({ name }) => name);
  console.log(
    `${span.name}, child of ${parent?.name ?? "none"}: ${[status, ...events].join(", ")}`,
  );
}
await provider.shutdown();
