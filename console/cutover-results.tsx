import type { CheckResult, CutoverRun } from "../src/console/model/page-types.js";
import type { CutoverHistory, CutoverStep } from "../src/cutover/cutover-history.js";
import type { CutoverStatus } from "../src/cutover/cutover-status.js";
import { DONE, FAILED, isCurrent, nextText, RUNNING } from "./cutover-texts.js";
import { Text } from "./text.js";

/** Clients in a table. */
const MAX_CLIENTS = 100;

type State = CutoverStatus["state"];

/** A step that runs, or the outcome of the last one. */
export function RunView({
  run,
  state,
  onStop,
}: {
  readonly run: CutoverRun;
  readonly state: State;
  readonly onStop: () => void;
}) {
  const { step, isRunning, failure, result, duration = 0 } = run;
  if (isRunning) return <Running run={run} state={state} onStop={onStop} />;
  if (failure !== undefined) return <Failed run={run} state={state} failure={failure} />;
  const { moved } = result ?? {};
  const cluster = step === "back" ? "v3" : "v2";
  return (
    <div class="notice good" role="status">
      <p>
        <strong>{DONE[step]}</strong>{" "}
        {moved && (
          <>
            Requests waited for {Math.round(moved.pause).toLocaleString("en")} ms.{" "}
            {whole(moved.copied.compared)} keys were compared and are equal,{" "}
            {whole(moved.copied.written)} were written or removed, up to index {moved.end} of{" "}
            {cluster}. It took {secondsText(duration)}.
          </>
        )}
        {!isCurrent(step, state) && " The state has changed since."}
      </p>
    </div>
  );
}

function Running({
  run,
  state,
  onStop,
}: {
  readonly run: CutoverRun;
  readonly state: State;
  readonly onStop: () => void;
}) {
  const { step, progress, age } = run;
  // A step goes on after the hold: it cleans up, or copies again.
  const isHolding = state === "holding" || state === "returning";
  return (
    <div class="notice" role="status">
      <div class="run">
        <p>
          <strong>{RUNNING[step]}</strong>{" "}
          {isHolding ? "Requests of applications wait." : `For ${secondsText(age)}.`}
        </p>
        {progress && (
          <p>
            <progress aria-label="Progress of this phase" value={progress.share} max={1} />{" "}
            {progress.phase}: {whole(progress.compared)} of{" "}
            {whole(Math.max(progress.total, progress.compared))} keys compared,{" "}
            {whole(progress.waiting)} changes are not copied yet.
          </p>
        )}
        <p class="quiet">It goes on when this page is closed.</p>
      </div>
      {step !== "arm" && step !== "disarm" && step !== "abort" && (
        <button type="button" onClick={onStop}>
          Stop it
        </button>
      )}
    </div>
  );
}

function Failed({
  run: { step, losses },
  state,
  failure: { message, isUnknown, isStopped },
}: {
  readonly run: CutoverRun;
  readonly state: State;
  readonly failure: NonNullable<CutoverRun["failure"]>;
}) {
  return (
    <div class="notice bad" role="alert">
      <div class="run">
        <p>
          <strong>{isStopped ? "Stopped." : FAILED[step]}</strong> <Text>{message}</Text>
        </p>
        {losses.length > 0 && (
          <ul>
            {losses.map((loss) => (
              <li key={loss}>
                <Text>{loss}</Text>
              </li>
            ))}
          </ul>
        )}
        <p>{nextText(step, isUnknown, state)}</p>
        {message.includes("--") && (
          <p>
            The options are those of <code>etcdnet cutover {step}</code>: run it in a terminal.
          </p>
        )}
      </div>
    </div>
  );
}

/** What the last check has found. */
export function CheckView({ run, state }: { readonly run: CutoverRun; readonly state: State }) {
  const { isRunning, failure, result, age, duration = 0 } = run;
  return (
    <section class="cutover" aria-label="Check">
      <h3>Check</h3>
      {isRunning && (
        <p role="status">Checking: the changes of v2 are counted, and all keys are read.</p>
      )}
      {failure && <Failed run={run} state={state} failure={failure} />}
      {result?.check && (
        <>
          <p class="quiet">
            {secondsText(age - duration)} ago, in the state {result.check.state}.
          </p>
          <Found check={result.check} />
        </>
      )}
    </section>
  );
}

function Found({ check }: { readonly check: CheckResult }) {
  const { blockers, warnings, hidden, nodes, leased, census } = check;
  return (
    <>
      {blockers.length === 0 && <p class="notice good">Nothing prevents the switch.</p>}
      {blockers.map((text) => (
        <p key={text} class="notice bad">
          <span>
            <strong>Blocker:</strong> <Text>{text}</Text>
          </span>
        </p>
      ))}
      {warnings.map((text) => (
        <p key={text} class="notice">
          <span>
            <strong>Warning:</strong> <Text>{text}</Text>
          </span>
        </p>
      ))}
      <ul>
        {nodes !== undefined && (
          <li>
            {whole(nodes)} nodes, {whole(leased ?? 0)} of them with a TTL.
          </li>
        )}
        {hidden.length > 0 && (
          <li>
            Hidden keys that are copied: <Text>{hidden.join(", ")}</Text>
          </li>
        )}
        {census && <li>{whole(census.changes)} changes of v2 were counted.</li>}
      </ul>
      {census && <Clients clients={census.clients} />}
    </>
  );
}

type Census = NonNullable<CheckResult["census"]>;

/** Who uses the gateways. A program that is missing still uses v2 directly. */
function Clients({ clients }: Pick<Census, "clients">) {
  const more = clients.length - MAX_CLIENTS;
  return (
    <>
      <h4>Who has used the gateways since they were started</h4>
      <p class="quiet">
        Compare it with the programs that you know: one that is missing still uses v2 directly.
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Clients of the gateways">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Address</th>
              <th scope="col">User-Agent</th>
              <th scope="col">Reads</th>
              <th scope="col">Writes</th>
              <th scope="col">Watches</th>
              <th scope="col">with waitIndex</th>
            </tr>
          </thead>
          <tbody>
            {clients.slice(0, MAX_CLIENTS).map((each) => (
              <tr key={`${each.address} ${each.agent}`}>
                <td class="mono">
                  <Text>{each.address || "unknown"}</Text>
                </td>
                <td>
                  <Text>{each.agent || "none"}</Text>
                </td>
                <td class="number">{whole(each.reads)}</td>
                <td class="number">{whole(each.writes)}</td>
                <td class="number">{whole(each.watches)}</td>
                <td class="number">{whole(each.indexedWatches)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 && (
        <p class="quiet">
          And {whole(more)} more: <code>etcdnet cutover check -o json</code> shows them.
        </p>
      )}
    </>
  );
}

/** The states from etcd's history, the newest first. */
export function HistoryTable({ history }: { readonly history: CutoverHistory }) {
  const { steps, isComplete } = history;
  if (steps.length === 0) return null;
  return (
    <section class="cutover" aria-label="History of the cut-over">
      <h3>History</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of states">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Revision of v3</th>
              <th scope="col">State</th>
              <th scope="col">What has happened</th>
            </tr>
          </thead>
          <tbody>
            {steps.map((step, at) => (
              <tr key={step.revision}>
                <td class="number">{step.revision}</td>
                <td>{step.state}</td>
                <td>{stepText(step, steps[at + 1])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!isComplete && <p class="quiet">etcd has compacted earlier states.</p>}
    </section>
  );
}

function stepText(
  { state, end, isFinished }: CutoverStep,
  before: CutoverStep | undefined,
): string {
  if (isFinished) return "the way back was given up";
  const texts: Readonly<Record<CutoverStep["state"], string>> = {
    source: "disarmed",
    arming: "gateways were asked to prepare",
    armed:
      before?.state === "holding"
        ? "the hold ended without a switch"
        : "all gateways were prepared",
    holding: "requests waited",
    target:
      before?.state === "returning"
        ? "the hold ended without a return"
        : `switched to v3, at index ${end} of v2`,
    returning: "requests waited",
    returned: before?.state === "returning" ? `returned to v2, at index ${end} of v3` : "disarmed",
  };
  return texts[state];
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function secondsText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
