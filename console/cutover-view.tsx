import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CutoverAnswer } from "../src/console/model/page-types.js";
import type { CutoverHistory } from "../src/cutover/cutover-history.js";
import type { CutoverStatus } from "../src/cutover/cutover-status.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { CutoverActions } from "./cutover-actions.js";
import { CheckView, HistoryTable, RunView } from "./cutover-results.js";
import { STATES } from "./cutover-texts.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";

const REFRESH_MS = 2_000;
const RUNNING_REFRESH_MS = 300;

/** A cut-over of gateways to this cluster: its state, its steps, and what they have found. */
export function CutoverView({ state }: { readonly state: AppState }) {
  const [answer, setAnswer] = useState<CutoverAnswer>();
  const [failure, setFailure] = useState("");
  const [wake, setWake] = useState({});
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const run = async (): Promise<void> => {
      while (!signal.aborted) {
        let isRunning = false;
        try {
          const read = await state.api.get<CutoverAnswer>("cutover", {}, signal);
          isRunning = read.run?.isRunning === true;
          setAnswer(read);
          setFailure("");
        } catch (error) {
          if (!signal.aborted) setFailure(messageOf(error));
        }
        const delay = isRunning ? RUNNING_REFRESH_MS : REFRESH_MS;
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    };
    void run();
    return () => controller.abort();
  }, [wake]);
  const { status, run, check } = answer ?? {};
  return (
    <section class="panel cutover" aria-label="Cut-over">
      {failure !== "" && (
        <p class="notice bad" role="alert">
          <Text>{failure}</Text>
        </p>
      )}
      {answer === undefined && failure === "" && <p class="quiet">loading …</p>}
      {answer !== undefined && status === undefined && (
        <p>
          A cut-over needs a console of the v3 cluster, started with <code>--api v3</code>.
        </p>
      )}
      {status && (
        <>
          <h2>Cut-over</h2>
          <StateView status={status} />
          <h3>Gateways</h3>
          <GatewayList status={status} />
          {run && run.step !== "check" && (
            <RunView run={run} state={status.state} onStop={() => stop(state)} />
          )}
          <CutoverActions state={state} answer={answer ?? {}} onChange={() => setWake({})} />
          {check && <CheckView run={check} state={status.state} />}
          <History state={state} at={`${status.state} ${status.end} ${status.wayBack}`} />
        </>
      )}
    </section>
  );
}

/** Its outcome, and why it may have failed, is that of the step. */
function stop(state: AppState): void {
  state.api.post("cutover-stop", {}).catch(() => {});
}

/** For the page of the cluster: only what there is of a cut-over; `at` changes when it is to be read again. */
export function CutoverSummary({ state, at }: { readonly state: AppState; readonly at: object }) {
  const [{ status }, setAnswer] = useState<CutoverAnswer>({});
  useEffect(() => {
    state.api.get<CutoverAnswer>("cutover").then(setAnswer, () => {});
  }, [at]);
  const hasBegun = status && (status.state !== "source" || status.gateways.length > 0);
  if (!hasBegun) return null;
  return (
    <section class="cutover" aria-label="Cut-over">
      <h2>Cut-over</h2>
      <StateView status={status} />
      <p>
        <a href={addressOf("cutover")}>Gateways, checks and steps</a>
      </p>
    </section>
  );
}

function StateView({ status }: { readonly status: CutoverStatus }) {
  const { copy, lag, blockers, alarms, wayBack } = status;
  return (
    <>
      <p role="status">
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
      <Texts texts={[...alarms, ...blockers]} />
    </>
  );
}

function Texts({ texts }: { readonly texts: readonly string[] }): ComponentChildren {
  return texts.map((text) => (
    <p key={text} class="notice bad">
      <Text>{text}</Text>
    </p>
  ));
}

function GatewayList({ status: { gateways } }: { readonly status: CutoverStatus }) {
  if (gateways.length === 0) {
    return (
      <p class="quiet">
        No gateway is registered. Start each with <code>--source</code> and <code>--endpoints</code>
        .
      </p>
    );
  }
  return (
    <ul aria-label="Gateways">
      {gateways.map(({ url, host, follows, hidden }) => (
        <li key={`${url} ${host}`}>
          <Text>{url}</Text>{" "}
          <span class="quiet">
            (<Text>{host}</Text>)
          </span>{" "}
          <span class={`badge ${follows === "current" ? "good" : "warn"}`}>
            {follows === "current" ? "follows" : "does not follow yet"}
          </span>
          {hidden.length > 0 && (
            <span class="quiet">
              {" "}
              hidden keys: <Text>{hidden.join(", ")}</Text>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** @param at changes when there is another step */
function History({ state, at }: { readonly state: AppState; readonly at: string }) {
  const [history, setHistory] = useState<CutoverHistory>();
  useEffect(() => {
    state.api.get<CutoverHistory>("cutover-history").then(setHistory, () => {});
  }, [at]);
  return history === undefined ? null : <HistoryTable history={history} />;
}
