import { useEffect, useState } from "preact/hooks";
import type { KeyHistory } from "../src/console/model/page-types.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { DiffView } from "./diff-view.js";
import { useEmitter } from "./emitter.js";
import { TimeText } from "./time-text.js";

/** A value that the key has had; absent: it was deleted, or the value is not known. */
interface Entry {
  readonly id: string;
  readonly title: string;
  readonly isRemoval: boolean;
  readonly value: string | undefined;
  /** Whether the value has bytes that are not UTF-8, so that the text is not all of it. */
  readonly isLossy: boolean;
}

/** The values that a key has had: on v3 from etcd's revisions, on v2 since the page was opened. */
export function HistoryView({ state }: { readonly state: AppState }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      class="history"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>History</summary>
      {isOpen && <Entries state={state} />}
    </details>
  );
}

function Entries({ state }: { readonly state: AppState }) {
  const { key: shown, changes, session, api } = state;
  useEmitter(changes, shown);
  const { key, node } = shown;
  const isV3 = session.info?.api === "v3";
  const [history, setHistory] = useState<KeyHistory>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    if (!isV3) return;
    const controller = new AbortController();
    api.get<KeyHistory>("history", { key }, controller.signal).then(
      (read) => {
        setHistory(read);
        setFailure("");
      },
      (error) => controller.signal.aborted || setFailure(messageOf(error)),
    );
    return () => controller.abort();
  }, [key, node?.modifiedIndex, isV3]);

  if (failure !== "") {
    return (
      <p class="notice bad" role="alert">
        {failure}
      </p>
    );
  }
  if (isV3 && history === undefined) return <p class="quiet">loading …</p>;
  const entries = isV3 ? ofRevisions(history) : ofChanges(state);
  return (
    <>
      <p class="quiet">
        {isV3 ? (
          textOf(history)
        ) : (
          <>
            etcd v2 keeps no past values: these are the changes since{" "}
            <TimeText at={changes.since} />, when the page was opened.
          </>
        )}
      </p>
      {entries.length === 0 && <p class="quiet">No change is known.</p>}
      <ol class="entries">
        {entries.map((entry, at) => (
          <HistoryEntry key={entry.id} state={state} entry={entry} before={entries[at + 1]} />
        ))}
      </ol>
    </>
  );
}

function textOf(history: KeyHistory | undefined): string {
  const { compacted = 0, isComplete = true } = history ?? {};
  const start = compacted > 0 ? `etcd has compacted the revisions before ${compacted}. ` : "";
  return `${start}${isComplete ? "" : "There may be more revisions than these."}`;
}

function ofRevisions(history: KeyHistory | undefined): readonly Entry[] {
  return (history?.past ?? []).map(({ revision, isRemoval, value, bytes }) => ({
    ...{ id: String(revision), title: `Revision ${revision}`, isRemoval, value },
    isLossy: bytes !== undefined,
  }));
}

function ofChanges({ changes, key }: AppState): readonly Entry[] {
  const logged = changes.of(key.key);
  const entries = logged.map(({ change, at }) => ({
    id: String(change.index),
    title: `${change.action}, index ${change.index}, ${at.toLocaleTimeString()}`,
    isRemoval: change.isRemoved,
    value: change.value,
    isLossy: isLossyText(change.value),
  }));
  const previous = logged.at(-1)?.change.previous;
  if (previous === undefined) return entries;
  const before = { id: "before", title: "Before", isRemoval: false, value: previous };
  return [...entries, { ...before, isLossy: isLossyText(previous) }];
}

/** The v2 API has U+FFFD in place of bytes that are not UTF-8. */
function isLossyText(value: string | undefined): boolean {
  return value?.includes("\ufffd") === true;
}

interface EntryProps {
  readonly state: AppState;
  readonly entry: Entry;
  readonly before: Entry | undefined;
}

function HistoryEntry({ state, entry, before }: EntryProps) {
  const [isOpen, setOpen] = useState(false);
  const { key: shown, drafts, session } = state;
  const { title, isRemoval, value, isLossy } = entry;
  const isPresent = value !== undefined && value === shown.node?.value;

  /** Puts the value into the editor, where it is reviewed and saved like any other. */
  function putBack(): void {
    if (value === undefined) return;
    const { key, node } = shown;
    drafts.set(key, { text: value, index: node?.modifiedIndex, base: node?.value ?? "" });
  }

  return (
    <li>
      <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          {title} {isRemoval && <span class="badge bad">deleted</span>}
          {isPresent && <span class="badge">present value</span>}
        </summary>
        {isOpen && !isRemoval && value === undefined && (
          <p class="quiet">The value is too large to be shown here.</p>
        )}
        {isOpen && isLossy && (
          <p class="quiet">
            It has bytes that are not UTF-8, shown as U+FFFD. Only etcdctl can put them back.
          </p>
        )}
        {isOpen && value !== undefined && (
          <DiffView
            before={before?.value ?? ""}
            after={value}
            label={`What ${title} has changed`}
          />
        )}
      </details>
      {session.info?.writable && value !== undefined && !isLossy && !isPresent && (
        <button type="button" onClick={putBack} aria-label={`Put back ${title}`}>
          Put back
        </button>
      )}
    </li>
  );
}
