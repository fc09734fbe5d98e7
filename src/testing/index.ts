/// <reference types="node" preserve="true" />

export type { EmbeddedEtcd, EmbeddedEtcdOptions } from "../server/embedded-etcd.js";
export type { Clock } from "../time/clock.js";
export {
  type EtcdFixture,
  type EtcdFixtureOptions,
  etcdFixture,
  type TestHook,
  type TestHooks,
} from "./etcd-fixture.js";
export { ManualClock } from "./manual-clock.js";
