import { linkFaults } from "./links.js";
import type { Nemesis } from "./nemesis.js";
import {
  kill,
  killGateway,
  killLeader,
  pause,
  pauseGateway,
  pauseLeader,
  pauseMinute,
  rollingRestart,
} from "./processes.js";

export const nemeses: readonly Nemesis[] = [
  kill,
  killLeader,
  pause,
  pauseLeader,
  pauseMinute,
  rollingRestart,
  killGateway,
  pauseGateway,
  ...linkFaults,
];
