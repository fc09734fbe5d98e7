import type { Workload } from "../workload.js";
import { register } from "./register.js";

export const workloads: readonly Workload[] = [register];
