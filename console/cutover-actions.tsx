import { useState } from "preact/hooks";
import type { CutoverAnswer } from "../src/console/model/page-types.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { CutoverDialog } from "./cutover-dialog.js";
import { CONFIRMATIONS, type ConfirmedStep } from "./cutover-texts.js";
import { Text } from "./text.js";

/** After this time, a check no longer says what is. */
const MAX_CHECK_AGE_MS = 10 * 60 * 1000;

/** The steps that are possible in a state, and why others are not. */
export function CutoverActions({
  state,
  answer,
  onChange,
}: {
  readonly state: AppState;
  readonly answer: CutoverAnswer;
  readonly onChange: () => void;
}) {
  const [asks, setAsks] = useState<ConfirmedStep>();
  const [failure, setFailure] = useState("");
  const [observe, setObserve] = useState("10");
  const [gateways, setGateways] = useState("");
  const [hold, setHold] = useState("2");
  const { status, run, hasSource } = answer;
  const missing = missingText(state.session.info?.writable === true, hasSource === true);
  if (missing !== undefined) return <p class="notice">{missing}</p>;
  if (status === undefined) return null;

  async function start(step: string, body: object = {}): Promise<void> {
    setAsks(undefined);
    try {
      await state.api.post("cutover-step", { step, ...body });
      setFailure("");
    } catch (error) {
      setFailure(messageOf(error));
    }
    onChange();
  }

  const isBusy = run?.isRunning === true;
  const isBefore = status.state === "source" || status.state === "returned";
  const isArmed = status.state === "arming" || status.state === "armed";
  const refusal = isBusy ? undefined : switchRefusal(answer);
  return (
    <div class="cutover">
      {failure !== "" && (
        <p class="notice bad" role="alert">
          <Text>{failure}</Text>
        </p>
      )}
      {(isBefore || isArmed) && (
        <form
          class="new-key"
          onSubmit={(event) => {
            event.preventDefault();
            void start("check", { observe: Number(observe) });
          }}
        >
          <Count
            label="Seconds for which changes of v2 are counted"
            value={observe}
            onInput={setObserve}
          />
          <button type="submit" disabled={isBusy || !isCount(observe)}>
            Check
          </button>
        </form>
      )}
      {isBefore && (
        <form
          class="new-key"
          onSubmit={(event) => {
            event.preventDefault();
            void start("arm", { gateways: Number(gateways), hold: Number(hold) });
          }}
        >
          <Count label="Number of gateways that you run" value={gateways} onInput={setGateways} />
          <Count label="Seconds for which requests may wait" value={hold} onInput={setHold} />
          <button type="submit" disabled={isBusy || !isCount(gateways) || !isCount(hold)}>
            Arm
          </button>
        </form>
      )}
      {isArmed && (
        <div class="buttons">
          <button
            type="button"
            class="danger"
            disabled={isBusy || refusal !== undefined}
            aria-describedby={refusal === undefined ? undefined : "why-no-switch"}
            onClick={() => setAsks("flip")}
          >
            Switch to v3 …
          </button>
          <button
            type="button"
            disabled={isBusy || status.state !== "armed"}
            onClick={() => setAsks("rehearse")}
          >
            Rehearse …
          </button>
          <button type="button" disabled={isBusy} onClick={() => void start("disarm")}>
            Disarm
          </button>
        </div>
      )}
      {isArmed && refusal !== undefined && (
        <p id="why-no-switch" class="quiet">
          {refusal}
        </p>
      )}
      {(status.state === "holding" || status.state === "returning") && !isBusy && (
        <div class="buttons">
          <button type="button" onClick={() => void start("abort")}>
            End the hold
          </button>
        </div>
      )}
      {status.state === "target" && status.wayBack && (
        <div class="buttons">
          <button type="button" class="danger" disabled={isBusy} onClick={() => setAsks("back")}>
            Go back to v2 …
          </button>
        </div>
      )}
      {status.state === "target" && (
        <p class="quiet">
          {status.wayBack
            ? "“etcdnet cutover finish” gives up the way back, when you need it no longer."
            : "The cut-over was finished: there is no way back."}
        </p>
      )}
      {asks !== undefined && (
        <CutoverDialog
          confirmation={CONFIRMATIONS[asks]}
          word={asks}
          answer={answer}
          refusal={asks === "flip" ? refusal : undefined}
          onConfirm={() => void start(asks, { confirmation: asks })}
          onCancel={() => setAsks(undefined)}
        />
      )}
    </div>
  );
}

function Count({
  label,
  value,
  onInput,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}) {
  return (
    <label>
      {label}
      <input
        value={value}
        inputMode="numeric"
        autocomplete="off"
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
    </label>
  );
}

function isCount(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text);
}

/** Which options of the console are missing for every step. */
function missingText(isWritable: boolean, hasSource: boolean): string | undefined {
  const options = [...(isWritable ? [] : ["--write"]), ...(hasSource ? [] : ["--source URLS"])];
  if (options.length === 0) return undefined;
  const named = options.join(" and ");
  return `This page only shows the cut-over. Start the console with ${named} to carry it out here, or use etcdnet cutover.`;
}

/** Why the switch cannot be started now. `flip` itself checks everything again. */
function switchRefusal({ status, check }: CutoverAnswer): string | undefined {
  if (status?.state !== "armed") return "The gateways must be armed before the switch.";
  if (status.blockers.length > 0) return "What the state names above prevents the switch.";
  const found = check?.result?.check;
  if (found === undefined) return "Check before the switch.";
  if (found.blockers.length > 0)
    return "The check has found what prevents the switch. Check again.";
  if (found.state !== "armed")
    return "Check again: the last check was before the gateways were armed.";
  const age = (check?.age ?? 0) - (check?.duration ?? 0);
  if (age > MAX_CHECK_AGE_MS) return "Check again: the last check is older than ten minutes.";
  return undefined;
}
