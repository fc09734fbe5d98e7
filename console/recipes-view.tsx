import { useEffect, useState } from "preact/hooks";
import type { FoundRecipe, RecipesEvent } from "../src/console/model/page-types.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { useEmitter } from "./emitter.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";
import { nameOf } from "./tree-model.js";

interface Scan {
  readonly state: "idle" | "running" | "complete" | "cut" | "failed";
  readonly directories: number;
  readonly keys: number;
  readonly found: readonly FoundRecipe[];
  readonly failure: string;
}

const IDLE: Scan = { state: "idle", directories: 0, keys: 0, found: [], failure: "" };

/** All locks, elections and registries of the tree, found at the server. The address has the scan. */
export function RecipesView({ state }: { readonly state: AppState }) {
  const { location } = state;
  useEmitter(location);
  const { query, key } = location.place;
  // Another number scans again.
  const wanted = query.get("scan");
  const [below, setBelow] = useState(key);
  const [scan, setScan] = useState(IDLE);
  useEffect(() => {
    if (wanted === null) return;
    const controller = new AbortController();
    void scanTree(state, key, controller.signal, setScan);
    return () => controller.abort();
  }, [key, wanted]);

  function submit(event: Event): void {
    event.preventDefault();
    const place = below.startsWith("/") ? below : `/${below}`;
    location.go("recipes", place, `scan=${Number(wanted) + 1}`);
  }

  return (
    <section class="panel" aria-label="Recipes">
      <form class="search" onSubmit={submit}>
        <label class="wide">
          Find locks, elections and registries below
          <input
            value={below}
            spellcheck={false}
            autocomplete="off"
            onInput={({ currentTarget }) => setBelow(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Find
        </button>
      </form>
      <p class="quiet" role="status">
        {scanText(scan)}
      </p>
      {scan.failure !== "" && (
        <p class="notice bad" role="alert">
          <Text>{scan.failure}</Text>
        </p>
      )}
      {scan.found.length > 0 && <Table found={scan.found} />}
    </section>
  );
}

async function scanTree(
  { api }: AppState,
  key: string,
  signal: AbortSignal,
  show: (scan: Scan) => void,
): Promise<void> {
  let scan: Scan = { ...IDLE, state: "running" };
  const update = (next: Partial<Scan>): void => {
    scan = { ...scan, ...next };
    if (!signal.aborted) show(scan);
  };
  update({});
  try {
    for await (const event of api.lines<RecipesEvent>("recipes", { key }, signal)) {
      if (event.type === "recipe") scan = { ...scan, found: [...scan.found, event.recipe] };
      else if (event.type === "failed") update({ state: "failed", failure: event.failure.message });
      else {
        const { directories, keys } = event;
        const isRunning = event.type === "progress";
        update({
          directories,
          keys,
          ...(!isRunning && { state: event.isCut ? "cut" : "complete" }),
        });
      }
    }
    if (scan.state === "running") update({ state: "failed", failure: "The connection was lost." });
  } catch (error) {
    update({ state: "failed", failure: messageOf(error) });
  }
}

function scanText({ state, directories, keys, found }: Scan): string {
  if (state === "idle") return "Reads the whole tree once. Hidden keys are not read.";
  const ends = {
    running: " so far.",
    complete: ". Complete, except for hidden keys.",
    cut: ": the first ones; name a directory to see others.",
    failed: ". Incomplete.",
  };
  const count = (number: number, one: string, many: string): string =>
    `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  const read = `${count(keys, "key", "keys")} in ${count(directories, "directory", "directories")} read`;
  return `${found.length} found; ${read}${ends[state]}`;
}

function Table({ found }: { readonly found: readonly FoundRecipe[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of recipes">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Directory</th>
            <th scope="col">Kind</th>
            <th scope="col">Holder, leader or instances</th>
            <th scope="col">Fencing token</th>
            <th scope="col">Others</th>
          </tr>
        </thead>
        <tbody>
          {found.map((recipe) => (
            <Row key={recipe.key} recipe={recipe} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ recipe: { key, kind, count, first } }: { readonly recipe: FoundRecipe }) {
  const isQueue = kind === "queue";
  const [holder] = first;
  const others = count - (isQueue ? 1 : first.length);
  return (
    <tr>
      <td class="mono">
        <a href={addressOf("keys", key)}>
          <Text>{key}</Text>
        </a>
      </td>
      <td>{isQueue ? "lock or election" : "registry"}</td>
      <td class="mono value">
        {isQueue && holder ? (
          <a href={addressOf("keys", holder.key)}>
            <Text>{holder.data || "(says nothing)"}</Text>
          </a>
        ) : (
          first.map((each) => (
            <span key={each.key}>
              <a href={addressOf("keys", each.key)}>
                <Text>{nameOf(each.key)}</Text>
              </a>{" "}
            </span>
          ))
        )}
      </td>
      <td class="number">{isQueue && holder?.token}</td>
      <td class="number">{others > 0 && `${others} ${isQueue ? "waiting" : "more"}`}</td>
    </tr>
  );
}
