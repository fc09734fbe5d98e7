import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";

/** What etcd does while nobody asks anything. */
export interface EtcdLoad {
  /** Seconds of CPU in a second. */
  readonly cpu: number;
  /** The most of several samples: without any client, their number goes up and down by two. */
  readonly goroutines: number;
}

const SAMPLES = 10;
const SAMPLE_MS = 100;
/** Cores: more than a busy machine adds to the same work. */
const CPU_TOLERANCE = 0.1;

/** Measures an etcd for a second. */
export async function measureLoad(url: string): Promise<EtcdLoad> {
  const first = await metricsOf(url);
  let last = first;
  let { goroutines } = first;
  for (let sample = 0; sample < SAMPLES; sample++) {
    await sleep(SAMPLE_MS);
    last = await metricsOf(url);
    goroutines = Math.max(goroutines, last.goroutines);
  }
  const cpu = (last.cpuSeconds - first.cpuSeconds) / ((last.at - first.at) / 1000);
  return { cpu, goroutines };
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
