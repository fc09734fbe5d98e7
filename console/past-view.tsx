import { useEffect, useRef, useState } from "preact/hooks";
import type {
  ChangedKey,
  PastDirectory,
  RecoverEvent,
  RecoverRequest,
} from "../src/console/model/page-types.js";
import { ApiError, messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { DiffView } from "./diff-view.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";

/** Keys that a list shows. */
const SHOWN = 200;

interface Props {
  readonly state: AppState;
  readonly directory: string;
  readonly revision: number;
}

/** A directory as it was at a revision, its difference from now, and what puts the missing keys back. */
export function PastView({ state, directory, revision }: Props) {
  const [past, setPast] = useState<PastDirectory>();
  const [failure, setFailure] = useState("");
  const [reads, setReads] = useState(0);
  const [replaced, setReplaced] = useState<ReadonlySet<string>>(new Set());
  const [temporary, setTemporary] = useState(false);
  const [event, setEvent] = useState<RecoverEvent>();
  const running = useRef<AbortController>(null);
  const [isRunning, setRunning] = useState(false);
  const [broken, setBroken] = useState("");
  useEffect(() => {
    const controller = new AbortController();
    const query = { key: directory, revision };
    state.api.get<PastDirectory>("past", query, controller.signal).then(
      (read) => {
        setPast(read);
        setFailure("");
      },
      (error) => controller.signal.aborted || setFailure(messageOf(error)),
    );
    return () => controller.abort();
  }, [directory, revision, reads]);
  useEffect(() => () => running.current?.abort(), []);

  async function recover(seen: number): Promise<void> {
    const controller = new AbortController();
    running.current = controller;
    setEvent(undefined);
    setBroken("");
    setRunning(true);
    const request: RecoverRequest = {
      ...{ key: directory, revision, seen, temporary, replace: [...replaced] },
    };
    try {
      let last: RecoverEvent | undefined;
      for await (const each of state.api.postLines<RecoverEvent>(
        "recover",
        request,
        controller.signal,
      )) {
        last = each;
        setEvent(each);
      }
      if (last?.type !== "end") setBroken(LOST);
    } catch (error) {
      if (controller.signal.aborted) setBroken(STOPPED);
      else setBroken(error instanceof ApiError ? error.message : LOST);
    }
    setReplaced(new Set());
    setRunning(false);
    setReads((count) => count + 1);
  }

  function choose(key: string, isChosen: boolean): void {
    const next = new Set(replaced);
    if (isChosen) next.add(key);
    else next.delete(key);
    setReplaced(next);
  }

  const writable = state.session.info?.writable === true;
  const missing = past?.missing ?? [];
  const lasting = missing.filter(({ wasTemporary }) => !wasTemporary);
  const count = (temporary ? missing : lasting).length + replaced.size;
  return (
    <section class="past" aria-label="Directory in the past">
      <h3>
        <Text>{directory}</Text> at revision {revision}
      </h3>
      {failure !== "" && failure !== broken && (
        <p class="notice bad" role="alert">
          <Text>{failure}</Text>
        </p>
      )}
      {failure === "" && past === undefined && <p class="quiet">loading …</p>}
      {past && (
        <>
          <p>{summaryOf(past)}</p>
          {missing.length > lasting.length && (
            <p class="quiet">
              {countOf(missing.length - lasting.length, "missing key")} had a TTL, as locks and
              registrations have.
            </p>
          )}
        </>
      )}
      {past && writable && missing.length > lasting.length && (
        <label class="check">
          <input
            type="checkbox"
            checked={temporary}
            onChange={({ currentTarget }) => setTemporary(currentTarget.checked)}
          />
          Recover those with a TTL, too, without a TTL: a lock stays held, and a registration stays
          listed, until somebody deletes the key
        </label>
      )}
      {past && writable && (
        <div class="buttons">
          <button
            type="button"
            class="primary"
            disabled={isRunning || count === 0}
            onClick={() => void recover(past.seen)}
          >
            Recover {countOf(count, "key")}
          </button>
          {!isRunning && (
            <button type="button" onClick={() => setReads(reads + 1)}>
              Compare again
            </button>
          )}
          {isRunning && (
            <button type="button" onClick={() => running.current?.abort()}>
              Stop
            </button>
          )}
        </div>
      )}
      {broken !== "" && (
        <p class="notice bad" role="alert">
          <Text>{broken}</Text>
        </p>
      )}
      {event && (isRunning || event.type === "end") && <Report event={event} />}
      {past && (
        <>
          <KeyList title="Missing now" keys={missing.map(({ key }) => key)} />
          <ChangedKeys
            changed={past.changed}
            replaced={replaced}
            onChoose={writable ? choose : undefined}
          />
        </>
      )}
    </section>
  );
}

const STOPPED = "Stopped. What was put back before is not missing any more.";
const LOST =
  "The connection was lost, so the recovery has ended. What it has put back is not missing any more.";

function summaryOf({ keys, same, added, missing, changed }: PastDirectory): string {
  const parts = [
    `${countOf(keys, "key")} then`,
    `${same.toLocaleString("en")} as they were`,
    `${missing.length.toLocaleString("en")} missing now`,
    `${changed.length.toLocaleString("en")} with another value now`,
    `${added.toLocaleString("en")} new since`,
  ];
  return `${parts.join(", ")}.`;
}

function countOf(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : `${one}s`}`;
}

function KeyList({ title, keys }: { readonly title: string; readonly keys: readonly string[] }) {
  if (keys.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul class="matches" aria-label={title}>
        {keys.slice(0, SHOWN).map((key) => (
          <li key={key}>
            <a href={addressOf("keys", key)}>
              <Text>{key}</Text>
            </a>
          </li>
        ))}
      </ul>
      {keys.length > SHOWN && (
        <p class="quiet">and {(keys.length - SHOWN).toLocaleString("en")} more.</p>
      )}
    </>
  );
}

interface ChangedProps {
  readonly changed: readonly ChangedKey[];
  readonly replaced: ReadonlySet<string>;
  /** Absent: nothing can be changed. */
  readonly onChoose: ((key: string, isChosen: boolean) => void) | undefined;
}

/** They are left as they are unless they are chosen. */
function ChangedKeys({ changed, replaced, onChoose }: ChangedProps) {
  if (changed.length === 0) return null;
  return (
    <>
      <h4>Another value now</h4>
      <ul class="changed-keys" aria-label="Another value now">
        {changed.slice(0, SHOWN).map(({ key, before, now }) => (
          <li key={key}>
            <div class="check">
              {onChoose && (
                <input
                  type="checkbox"
                  aria-label={`Put back the value of ${key}`}
                  checked={replaced.has(key)}
                  onChange={({ currentTarget }) => onChoose(key, currentTarget.checked)}
                />
              )}
              <a href={addressOf("keys", key)}>
                <Text>{key}</Text>
              </a>
            </div>
            {before !== undefined && now !== undefined ? (
              <DiffView before={now} after={before} label={`What putting back ${key} changes`} />
            ) : (
              <p class="quiet">Its values are too large to be shown here, or no text.</p>
            )}
          </li>
        ))}
      </ul>
      {changed.length > SHOWN && (
        <p class="quiet">and {(changed.length - SHOWN).toLocaleString("en")} more.</p>
      )}
    </>
  );
}

function Report({ event }: { readonly event: RecoverEvent }) {
  const { type, total, created, replaced } = event;
  const done = created + replaced;
  if (type === "progress") {
    return (
      <p class="quiet" role="status">
        {done.toLocaleString("en")} of {countOf(total, "key")} put back …
      </p>
    );
  }
  const { left, failure } = event;
  const isWhole = failure === undefined && left.length === 0;
  return (
    <div class={`notice ${isWhole ? "good" : "bad"}`} role={isWhole ? "status" : "alert"}>
      <span>
        {countOf(created, "key")} created
        {replaced > 0 && `, ${countOf(replaced, "value")} put back`}
        {total > done && `, ${(total - done).toLocaleString("en")} left`}.{" "}
        {failure && (
          <>
            It ended early: <Text>{failure.message}</Text>. Recover again to continue.
          </>
        )}
      </span>
      {left.length > 0 && (
        <ul class="matches" aria-label="Not recovered">
          {left.map(({ key, reason }) => (
            <li key={key}>
              <a href={addressOf("keys", key)}>
                <Text>{key}</Text>
              </a>
              <span class="line">
                <Text>{reason}</Text>
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
