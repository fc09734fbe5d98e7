import type { CopyStatus } from "./copy-status.js";
import type { CutoverRecords } from "./cutover-records.js";
import type { CutoverPhase } from "./cutover-state.js";

/** The state of a cut-over, for operators. */
export interface CutoverStatus {
  /** `source`: it has not begun. */
  readonly state: "source" | CutoverPhase;
  /** In `target`: index of v2 up to which its changes count. In `returned`: index of v3. 0 before the switch. */
  readonly end: number;
  /** Whether `back` can return to v2. */
  readonly wayBack: boolean;
  /** The copy that runs; `null`: none does. */
  readonly copy: CopyStatus | null;
  /** Changed keys that are not copied yet; `null`: nothing is copied. */
  readonly lag: number | null;
  /** What prevents the next step. */
  readonly blockers: readonly string[];
  /** After the switch: what has happened on v2 since, and must not. */
  readonly alarms: readonly string[];
  readonly gateways: readonly GatewayStatus[];
}

interface GatewayStatus {
  readonly url: string;
  /** Host name and process ID. */
  readonly host: string;
  /** `current`: the gateway follows the state; `earlier`: it does not follow yet. */
  readonly follows: "current" | "earlier";
  /** Hidden keys that its clients have asked for. */
  readonly hidden: readonly string[];
}

export async function cutoverStatus(records: CutoverRecords): Promise<CutoverStatus> {
  const [state, gateways, copy = null] = await Promise.all([
    records.read(),
    records.gateways(),
    records.copy(),
  ]);
  const revision = state?.revision ?? 0;
  const isCurrent = ({ acknowledged }: { readonly acknowledged: number }): boolean =>
    acknowledged === revision || state?.phase === "target";
  const blockers = gateways.flatMap((gateway) => {
    const { url, problem } = gateway;
    if (problem !== "") return [`${url}: ${problem}`];
    return isCurrent(gateway) ? [] : [`${url} does not follow the state`];
  });
  if (state?.phase === "armed" && gateways.length < state.gateways) {
    blockers.push(`${gateways.length} of ${state.gateways} gateways are registered`);
  }
  const isSwitched = state?.phase === "target";
  return {
    state: state?.phase ?? "source",
    end: state?.end ?? 0,
    wayBack: isSwitched && !state.isFinished,
    copy,
    lag: copy?.waiting ?? null,
    blockers: isSwitched ? [] : blockers,
    alarms: isSwitched ? blockers : [],
    gateways: gateways.map((gateway) => ({
      ...{ url: gateway.url, host: gateway.host, hidden: gateway.hidden },
      follows: isCurrent(gateway) ? "current" : "earlier",
    })),
  };
}
