import { useState } from "preact/hooks";
import type { AppState } from "./app-state.js";
import type { ChangeFilter, LoggedChange } from "./change-log.js";
import { useEmitter } from "./emitter.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";
import { TimeText } from "./time-text.js";

const ACTIONS = [
  "set",
  "create",
  "update",
  "compareAndSwap",
  "delete",
  "compareAndDelete",
  "expire",
];
/** Of those that the filter lets through. */
const SHOWN = 300;

/** The changes since the page was opened: filtered, paused, saved to a file. */
export function ChangesView({ state }: { readonly state: AppState }) {
  const { changes, location } = state;
  useEmitter(changes, location);
  const [filter, setFilter] = useState<ChangeFilter>({
    key: location.place.key,
    action: "",
    text: "",
  });
  const [paused, setPaused] = useState<readonly LoggedChange[]>();
  const all = changes.find(filter);
  const shown = paused ?? all;
  const set = (part: Partial<ChangeFilter>): void => {
    const next = { ...filter, ...part };
    setFilter(next);
    if (paused !== undefined) setPaused(changes.find(next));
  };
  return (
    <section class="panel" aria-label="Changes">
      <form class="search" onSubmit={(event) => event.preventDefault()}>
        <label class="wide">
          Below
          <input
            value={filter.key}
            spellcheck={false}
            onInput={({ currentTarget: { value } }) =>
              set({ key: `/${value.replace(/^\/+|\/+$/g, "")}` })
            }
          />
        </label>
        <label>
          Action
          <select
            value={filter.action}
            onChange={({ currentTarget }) => set({ action: currentTarget.value })}
          >
            <option value="">every action</option>
            {ACTIONS.map((action) => (
              <option key={action}>{action}</option>
            ))}
          </select>
        </label>
        <label>
          Text
          <input
            value={filter.text}
            spellcheck={false}
            onInput={({ currentTarget }) => set({ text: currentTarget.value })}
          />
        </label>
        <div class="buttons">
          <button
            type="button"
            aria-pressed={paused !== undefined}
            onClick={() => setPaused(paused === undefined ? all : undefined)}
          >
            {paused === undefined ? "Pause" : "Continue"}
          </button>
          <button type="button" disabled={shown.length === 0} onClick={() => exportChanges(shown)}>
            Export
          </button>
          <button
            type="button"
            disabled={shown.length === 0}
            onClick={() => {
              setPaused(undefined);
              changes.clear();
            }}
          >
            Clear
          </button>
        </div>
      </form>
      <p class="quiet" role="status">
        {shown.length.toLocaleString("en")} {shown.length === 1 ? "change" : "changes"} since{" "}
        <TimeText at={changes.since} />
        {changes.isCut && "; not all of them are kept, or some were missed"}
        {paused !== undefined && `; paused, ${all.length - paused.length} more have arrived`}.
      </p>
      {shown.length === 0 && <p class="empty">No change yet. They appear here as they happen.</p>}
      {shown.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="List of changes">
          <table class="list">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Index</th>
                <th scope="col">Action</th>
                <th scope="col">Key</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, SHOWN).map(({ change, at }) => (
                <tr key={`${change.index} ${change.key}`}>
                  <td>
                    <TimeText at={at} />
                  </td>
                  <td class="number">{change.index}</td>
                  <td>
                    <span class={`badge ${change.isRemoved ? "bad" : ""}`}>{change.action}</span>
                  </td>
                  <td class="mono">
                    <a href={addressOf("keys", change.key)}>
                      <Text>{change.key}</Text>
                    </a>
                  </td>
                  <td class="mono value">
                    <ChangedValue logged={change} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown.length > SHOWN && (
        <p class="quiet">The newest {SHOWN} are shown; the export has all of them.</p>
      )}
    </section>
  );
}

function ChangedValue({
  logged: { dir, value, length },
}: {
  readonly logged: LoggedChange["change"];
}) {
  if (dir) return <span class="quiet">directory</span>;
  if (value !== undefined) return <Text>{value.slice(0, 200)}</Text>;
  return length === undefined ? null : <span class="quiet">{length} characters</span>;
}

/** As JSON lines. */
function exportChanges(shown: readonly LoggedChange[]): void {
  const lines = shown.toReversed().map(({ change, at }) => JSON.stringify({ at, ...change }));
  const blob = new Blob([`${lines.join("\n")}\n`], { type: "application/x-ndjson" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "etcd-changes.jsonl";
  link.click();
  URL.revokeObjectURL(link.href);
}
