import { useEffect, useState } from "preact/hooks";
import type { CutoverAnswer } from "../src/console/model/page-types.js";
import type { AppState } from "./app-state.js";
import { Text } from "./text.js";

const STATES = {
  source: "Gateways serve from v2. The cut-over has not begun.",
  arming: "Gateways serve from v2, and prepare.",
  armed: "Gateways serve from v2, and are ready to switch.",
  holding: "Requests wait while gateways switch to v3.",
  target: "Gateways serve from v3.",
  returning: "Requests wait while gateways return to v2.",
  returned: "Gateways have returned to v2.",
};

/** The state of a cut-over, where there is one; `at` changes when it is to be read again. */
export function CutoverView({ state, at }: { readonly state: AppState; readonly at: object }) {
  const [{ status }, setAnswer] = useState<CutoverAnswer>({});
  useEffect(() => {
    state.api.get<CutoverAnswer>("cutover").then(setAnswer, () => {});
  }, [at]);
  if (status === undefined) return null;
  const { copy, lag, blockers, alarms, gateways, wayBack } = status;
  return (
    <section class="cutover" aria-label="Cut-over">
      <h2>Cut-over</h2>
      <p>
        <span class="badge">{status.state}</span> {STATES[status.state]}
        {wayBack && " There is a way back to v2."}
      </p>
      {copy && (
        <p>
          Copy to {copy.to}: {copy.phase}, {copy.compared.toLocaleString("en")} of{" "}
          {copy.total.toLocaleString("en")} nodes compared; {lag ?? 0} changed keys are not copied
          yet.
        </p>
      )}
      {[...alarms, ...blockers].map((text) => (
        <p key={text} class="notice bad">
          <Text>{text}</Text>
        </p>
      ))}
      <ul>
        {gateways.map(({ url, host, follows }) => (
          <li key={url}>
            <Text>{url}</Text> <span class="quiet">({host})</span>{" "}
            <span class={`badge ${follows === "current" ? "good" : "warn"}`}>
              {follows === "current" ? "follows" : "does not follow yet"}
            </span>
          </li>
        ))}
      </ul>
      <p class="quiet">
        <code>etcdnet cutover</code> carries it out; this page only shows it.
      </p>
    </section>
  );
}
