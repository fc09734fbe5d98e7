import { useEffect, useRef, useState } from "preact/hooks";
import type { SearchEvent, SearchMatch } from "../src/console/model/page-types.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { useEmitter } from "./emitter.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";

interface Progress {
  readonly state: "idle" | "running" | "done" | "stopped" | "failed";
  readonly directories: number;
  readonly keys: number;
  readonly at: string;
  readonly isCut: boolean;
  readonly failure: string;
}

const IDLE: Progress = {
  state: "idle",
  directories: 0,
  keys: 0,
  at: "",
  isCut: false,
  failure: "",
};

/** Searches the whole tree at the server, also what is not loaded here. The address has the search. */
export function SearchView({ state }: { readonly state: AppState }) {
  const { location } = state;
  useEmitter(location);
  const { query, key } = location.place;
  const sought = query.get("text") ?? "";
  const [text, setText] = useState(sought);
  const [where, setWhere] = useState(query.get("in") ?? "both");
  const [matchCase, setMatchCase] = useState(query.get("case") === "true");
  const [below, setBelow] = useState(key);
  const [matches, setMatches] = useState<readonly SearchMatch[]>([]);
  const [progress, setProgress] = useState(IDLE);
  const running = useRef<AbortController>(null);

  async function run(): Promise<void> {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    let found: SearchMatch[] = [];
    let latest: Progress = { ...IDLE, state: "running" };
    const show = (next: Partial<Progress>): void => {
      if (signal.aborted) return;
      latest = { ...latest, ...next };
      setMatches(found);
      setProgress(latest);
    };
    show({});
    const request = {
      ...{ key, text: sought, matchCase: query.get("case") === "true" },
      keys: query.get("in") !== "values",
      values: query.get("in") !== "keys",
    };
    try {
      for await (const event of state.api.lines<SearchEvent>("search", request, signal)) {
        if (event.type === "match") found = [...found, event.match];
        else if (event.type === "progress") show(event as Omit<typeof event, "type">);
        else if (event.type === "failed") {
          show({ state: "failed", failure: event.failure.message });
          return;
        } else
          show({
            state: "done",
            keys: event.keys,
            directories: event.directories,
            isCut: event.isCut,
          });
      }
      if (latest.state === "running")
        show({ state: "failed", failure: "The connection was lost." });
    } catch (error) {
      show({ state: "failed", failure: messageOf(error) });
    }
  }

  useEffect(() => {
    if (sought !== "") void run();
    return () => running.current?.abort();
  }, [key, query.toString()]);

  function stop(): void {
    running.current?.abort();
    setProgress({ ...progress, state: "stopped" });
  }

  function submit(event: Event): void {
    event.preventDefault();
    if (text === "") return;
    const next = new URLSearchParams({ text, in: where, case: String(matchCase) });
    const place = below.startsWith("/") ? below : `/${below}`;
    if (addressOf("search", place, next.toString()) === window.location.hash) void run();
    else location.go("search", place, next.toString());
  }

  return (
    <section class="panel" aria-label="Search">
      <form class="search" role="search" onSubmit={submit}>
        <label class="wide">
          Text
          <input
            type="search"
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
            autoFocus
            spellcheck={false}
          />
        </label>
        <label>
          In
          <select value={where} onChange={({ currentTarget }) => setWhere(currentTarget.value)}>
            <option value="both">keys and values</option>
            <option value="keys">keys</option>
            <option value="values">values</option>
          </select>
        </label>
        <label>
          Below
          <input
            value={below}
            onInput={({ currentTarget }) => setBelow(currentTarget.value)}
            spellcheck={false}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={matchCase}
            onChange={({ currentTarget }) => setMatchCase(currentTarget.checked)}
          />
          Match case
        </label>
        {progress.state === "running" ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary">
            Search
          </button>
        )}
      </form>
      <p class="quiet" role="status">
        {progressText(progress, matches.length)}
        {progress.state === "running" && progress.at !== "" && (
          <>
            {" "}
            Now in <Text>{progress.at}</Text>
          </>
        )}
      </p>
      {progress.failure !== "" && (
        <p class="notice bad" role="alert">
          <Text>{progress.failure}</Text>
        </p>
      )}
      {progress.state === "done" && matches.length === 0 && (
        <p class="empty">
          Nothing found. Hidden keys, whose names begin with _, are searched only below a hidden key
          that “Below” names.
        </p>
      )}
      <ul class="matches">
        {matches.map(({ key: found, dir, line }) => (
          <li key={found}>
            <a href={addressOf("keys", found)}>
              <Text>{found}</Text>
              {dir && <span class="slash">/</span>}
            </a>
            {line && (
              <span class="line">
                <span class="number">{line.number}</span>
                <Text>{line.text}</Text>
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function progressText({ state, directories, keys, isCut }: Progress, found: number): string {
  if (state === "idle")
    return "Searches every key and every value, also what the tree has not loaded.";
  const count = (number: number, one: string, many: string): string =>
    `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  const read = `${count(keys, "key", "keys")} in ${count(directories, "directory", "directories")} read`;
  const matches = `${count(found, "match", "matches")}`;
  const end = {
    running: " so far.",
    done: isCut ? ": the first ones; make the search narrower to see others." : ". Complete.",
    stopped: ". Stopped.",
    failed: ". Incomplete.",
  }[state];
  return `${matches}; ${read}${end}`;
}
