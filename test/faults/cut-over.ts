import { setTimeout } from "node:timers/promises";
import { openTarget } from "../../src/cutover/open-target.js";
import { Cli } from "../support/cli-process.js";
import { cpuShare } from "../support/cpu-share.js";

/** Longer on a machine that is busy with other things than the faults. Keys live so much longer at a switch. */
export const HOLD_S = cpuShare() < 0.4 ? 30 : 5;
const BETWEEN_ATTEMPTS_MS = 1_000;
/** Time for all attempts. The faults are healed before. */
const WITHIN_MS = 600_000;
/** Share of the attempts that are killed, after this time at most. */
const KILLED = 0.4;
const KILLED_WITHIN_MS = 3_000;

/** Longer than links and members hold a write. */
const LATE_S = 20;

export interface CutOverSettings {
  /** Phase in which it ends. */
  readonly to: "target" | "returned";
  /** URLs of both clusters. */
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly gateways: number;
  readonly signal: AbortSignal;
  random(): number;
  note(text: string): void;
}

/** Switches gateways to the other cluster, in as many attempts as the faults make necessary. Some attempts are killed. */
export async function cutOver({ to, source, target, ...settings }: CutOverSettings): Promise<void> {
  const { gateways, signal, random, note } = settings;
  await using reader = openTarget({ urls: target });
  const clusters = ["--source", source.join(","), "--endpoints", target.join(",")];
  const arm = ["arm", "--gateways", `${gateways}`, "--hold", `${HOLD_S}s`, ...clusters];
  const back = ["back", "--late", `${LATE_S}s`, ...clusters];
  const deadline = performance.now() + WITHIN_MS;
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    const phase = await reader.records.read({ signal }).then(
      (state) => state?.phase ?? "source",
      () => "unknown",
    );
    if (phase === to) return;
    const killAfter = random() < KILLED ? random() * KILLED_WITHIN_MS : undefined;
    if (phase === "target") await run(back, killAfter);
    else if (phase === "source" || phase === "returned") await run(arm, undefined);
    else if (phase === "arming") await run(["disarm", "--endpoints", target.join(",")], undefined);
    else if (phase === "armed") await run(["flip", ...clusters], killAfter);
    await setTimeout(BETWEEN_ATTEMPTS_MS, undefined, { signal });
  }
  throw new Error(`the gateways were not switched to ${to} within ${WITHIN_MS / 1000} s`);

  async function run(args: readonly string[], killAfter: number | undefined): Promise<void> {
    await using cli = new Cli("cutover", ...args);
    if (killAfter !== undefined) void setTimeout(killAfter).then(() => cli.kill("SIGKILL"));
    const code = await cli.exit;
    note(`${args[0]}: ${code} ${(cli.stdout + cli.stderr).trim()}`);
  }
}
