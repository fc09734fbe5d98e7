import { useEffect, useState } from "preact/hooks";
import type { Removal, RemovalsAnswer } from "../src/console/model/page-types.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { addressOf } from "./location.js";
import { PastView } from "./past-view.js";
import { Text } from "./text.js";

interface Props {
  readonly state: AppState;
  readonly directory: string;
}

/** What was deleted below a directory, which may be gone itself: from the revisions that etcd keeps. */
export function RemovedView({ state, directory }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      class="history"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>Deleted earlier below this key</summary>
      {isOpen && <Removals state={state} directory={directory} />}
    </details>
  );
}

/** A directory, and the revision of the state to compare with. */
interface Chosen {
  readonly directory: string;
  readonly revision: number;
}

function Removals({ state, directory }: Props) {
  const [answer, setAnswer] = useState<RemovalsAnswer>();
  const [failure, setFailure] = useState("");
  const [chosen, setChosen] = useState<Chosen>();
  const [revision, setRevision] = useState("");
  const [reads, setReads] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    state.api.get<RemovalsAnswer>("removals", { key: directory }, controller.signal).then(
      (read) => {
        setAnswer(read);
        setFailure("");
      },
      (error) => controller.signal.aborted || setFailure(messageOf(error)),
    );
    return () => controller.abort();
  }, [directory, reads]);

  return (
    <>
      {failure !== "" && (
        <p class="notice bad" role="alert">
          <Text>{failure}</Text>
        </p>
      )}
      {failure === "" && answer === undefined && <p class="quiet">loading …</p>}
      {answer && <p class="quiet">{textOf(answer)}</p>}
      <ol class="entries">
        {answer?.removals.map((removal) => (
          <RemovalEntry key={removal.revision} removal={removal} onChoose={setChosen} />
        ))}
      </ol>
      <form
        class="buttons"
        onSubmit={(event) => {
          event.preventDefault();
          setChosen({ directory, revision: Number(revision) });
        }}
      >
        <label>
          Revision{" "}
          <input
            type="number"
            min={1}
            required
            value={revision}
            onInput={({ currentTarget }) => setRevision(currentTarget.value)}
          />
        </label>
        <button type="submit">Compare with now</button>
        <button type="button" onClick={() => setReads(reads + 1)}>
          Search again
        </button>
      </form>
      {chosen && (
        <PastView key={`${chosen.directory} ${chosen.revision}`} state={state} {...chosen} />
      )}
    </>
  );
}

const NOT_FOUND = "No removal was found, but etcd does not say whether there was none.";

function textOf({ removals, compacted, isComplete }: RemovalsAnswer): string {
  const start = compacted > 0 ? `etcd has compacted the revisions before ${compacted}. ` : "";
  if (removals.length > 0) {
    return `${start}${isComplete ? "" : "There may be more removals than these."}`;
  }
  return `${start}${isComplete ? "No key was removed since." : NOT_FOUND}`;
}

interface EntryProps {
  readonly removal: Removal;
  readonly onChoose: (chosen: Chosen) => void;
}

function RemovalEntry({ removal, onChoose }: EntryProps) {
  const { revision, keys, at } = removal;
  return (
    <li>
      <span class="what">
        Revision {revision}: {keys === 1 ? "1 key, " : `${keys.toLocaleString("en")} keys in `}
        <a class="mono" href={addressOf("keys", at)}>
          <Text>{at}</Text>
        </a>
      </span>
      {keys > 1 && (
        <button
          type="button"
          aria-label={`Compare with now: revision ${revision - 1}`}
          onClick={() => onChoose({ directory: at, revision: revision - 1 })}
        >
          Compare with now
        </button>
      )}
    </li>
  );
}
