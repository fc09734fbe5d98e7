import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";

/** What etcd does while nobody asks anything. */
export interface EtcdLoad {
  /** Seconds of CPU in a second. */
  readonly cpu: number;
  readonly goroutines: number;
}

const SAMPLE_MS = 1_000;
/** Cores: more than a busy machine adds to the same work. */
const CPU_TOLERANCE = 0.1;

/** Measures an etcd for a second. */
export async function measureLoad(url: string): Promise<EtcdLoad> {
  const before = await metricsOf(url);
  await sleep(SAMPLE_MS);
  const after = await metricsOf(url);
  const cpu = (after.cpuSeconds - before.cpuSeconds) / ((after.at - before.at) / 1000);
  return { cpu, goroutines: after.goroutines };
}

/** Waits until an etcd does no more than `before`, with so many more goroutines. */
export async function returnsTo(
  before: EtcdLoad,
  url: string,
  moreGoroutines: number,
): Promise<EtcdLoad> {
  let load = before;
  const excess = async () => {
    load = await measureLoad(url);
    const isQuiet = load.cpu <= before.cpu + CPU_TOLERANCE;
    const isSmall = load.goroutines <= before.goroutines + moreGoroutines;
    return isQuiet && isSmall ? undefined : load;
  };
  await expect.poll(excess, { timeout: 60_000, interval: 0 }).toBeUndefined();
  return load;
}

async function metricsOf(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const at = performance.now();
  const value = (name: string): number =>
    Number(RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  return { at, cpuSeconds: value("process_cpu_seconds_total"), goroutines: value("go_goroutines") };
}
