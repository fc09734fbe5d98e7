/** Share of a CPU that this process gets. With eight busy processes beside it on two CPUs, about 0.2. */
export function cpuShare(): number {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if (user + system >= 100_000) return 100 / (performance.now() - startedAt);
  }
}

/** How long a measured share counts. A process runs many test files, for minutes. */
const VALID_MS = 10_000;

let short = { seconds: 0, until: 0 };

/**
 * A short TTL in seconds, in which this process can nevertheless make a few writes: 2, or 12 on a busy machine.
 */
export function shortTtl(): number {
  if (performance.now() > short.until) {
    const seconds = cpuShare() < 0.5 ? 12 : 2;
    short = { seconds, until: performance.now() + VALID_MS };
  }
  return short.seconds;
}
