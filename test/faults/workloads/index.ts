import type { Workload } from "../workload.js";
import { counter } from "./counter.js";
import { election } from "./election.js";
import { inOrder } from "./in-order.js";
import { lock } from "./lock.js";
import { mirror } from "./mirror.js";
import { queue } from "./queue.js";
import { register } from "./register.js";
import { ttl } from "./ttl.js";
import { watch } from "./watch.js";

export const workloads: readonly Workload[] = [
  register,
  counter,
  inOrder,
  lock,
  election,
  queue,
  watch,
  mirror,
  ttl,
];
