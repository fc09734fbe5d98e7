/// <reference types="node" preserve="true" />

export type { ServerRequestTrace, ServerStateTrace } from "../diagnostics/server-channels.js";
export {
  MemoryClusterApi,
  type MemoryClusterOptions,
} from "../key-space/memory/memory-cluster-api.js";
export {
  type KeySpaceSnapshot,
  MemoryKeySpace,
  type MemoryKeySpaceOptions,
} from "../key-space/memory/memory-key-space.js";
export type { StoreSnapshot } from "../key-space/memory/store.js";
export type { SnapshotNode } from "../key-space/memory/store-walk.js";
export type { StoreEvent } from "../key-space/shared/store-event.js";
export type { AnyNode } from "../model/node.js";
export type { Clock } from "../time/clock.js";
export { createV2Handler, type V2HandlerParts } from "./create-v2-handler.js";
export {
  type EmbeddedEtcd,
  type EmbeddedEtcdOptions,
  startEmbeddedEtcd,
} from "./embedded-etcd.js";
export {
  createGateway,
  type Gateway,
  type GatewayEtcdOptions,
  type GatewayOptions,
} from "./gateway.js";
export type { BrowserOptions } from "./http/browser-access.js";
export type { ServerLimits, ServerTls } from "./http/http-server.js";
export type { V2Handler } from "./http/message.js";
export {
  BodyError,
  type HeaderList,
  type PiecedBody,
  type ServerReply,
  type ServerRequest,
} from "./http/message.js";
export type { MetricFamily, MetricSample } from "./metrics/prometheus-text.js";
export type { ServedGateway } from "./serve-gateway.js";
export {
  createSourceGateway,
  type GatewaySourceOptions,
  type SourceGatewayOptions,
} from "./source-gateway.js";
