import { clientClock, gatewayClock } from "./clocks.js";
import { dns } from "./dns.js";
import { http2Faults } from "./http2.js";
import { linkFaults } from "./links.js";
import { replaceMember, upgrade } from "./membership.js";
import type { Nemesis } from "./nemesis.js";
import { isolate, isolateLeader, separate } from "./peers.js";
import {
  kill,
  killGateway,
  killLeader,
  pause,
  pauseGateway,
  pauseGatewayLong,
  pauseLeader,
  pauseMinute,
  rollingRestart,
} from "./processes.js";
import { restore } from "./restore.js";
import { compaction, noSpace } from "./store.js";

export const nemeses: readonly Nemesis[] = [
  kill,
  killLeader,
  pause,
  pauseLeader,
  pauseMinute,
  rollingRestart,
  isolate,
  isolateLeader,
  separate,
  ...linkFaults,
  dns,
  http2Faults,
  clientClock,
  gatewayClock,
  compaction,
  noSpace,
  replaceMember,
  upgrade,
  restore,
  killGateway,
  pauseGateway,
  pauseGatewayLong,
];
