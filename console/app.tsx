import { useEffect, useRef, useState } from "preact/hooks";
import type { AppState } from "./app-state.js";
import { ChangesView } from "./changes-view.js";
import { ClusterView } from "./cluster-view.js";
import { CutoverView } from "./cutover-view.js";
import { useEmitter } from "./emitter.js";
import { KeyView } from "./key-view.js";
import type { Connection } from "./live-changes.js";
import { addressOf, type View } from "./location.js";
import { RecipesView } from "./recipes-view.js";
import { SearchView } from "./search-view.js";
import { SignIn } from "./sign-in.js";
import { Text } from "./text.js";
import { applyTheme, currentTheme, type Theme } from "./theme.js";
import { TreeView } from "./tree-view.js";

const TABS: readonly (readonly [View, string])[] = [
  ["keys", "Keys"],
  ["search", "Search"],
  ["changes", "Changes"],
  ["cluster", "Cluster"],
  ["recipes", "Recipes"],
  ["cutover", "Cut-over"],
];

const SHORTCUTS: readonly (readonly [string, string])[] = [
  ["g", "go to a key by its name"],
  ["/", "search"],
  ["k, c", "keys, changes"],
  ["arrow keys, Home, End", "move in the tree; right and left open and close a directory"],
  ["Enter", "show the key"],
  ["Ctrl+S", "in the editor: review the changes"],
  ["?", "this list"],
];

export function App({ state }: { readonly state: AppState }) {
  const { session, location, live } = state;
  useEmitter(state, session, location, live);
  const goTo = useRef<HTMLInputElement>(null);
  const [showsHelp, setShowsHelp] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event)) return;
      const actions: Readonly<Record<string, () => void>> = {
        g: () => goTo.current?.focus(),
        "/": () => location.go("search"),
        k: () => location.go("keys", state.key.key),
        c: () => location.go("changes"),
        "?": () => setShowsHelp((shows) => !shows),
      };
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  const { view, key } = location.place;
  useEffect(() => {
    document.title = `${view === "keys" ? key : view} – etcdnet`;
  }, [view, key]);
  const mustSignIn = session.asks !== "nothing";
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <Header state={state} onHelp={() => setShowsHelp(!showsHelp)} />
      <ConnectionNotice state={state} />
      {state.gap !== "" && (
        <p class="notice wide" role="alert">
          <span>
            Changes were missed ({gapText(state.gap)}), so everything was read again. The list of
            changes has a gap.
          </span>
          <button
            type="button"
            class="plain"
            aria-label="Dismiss"
            onClick={() => state.dismissGap()}
          >
            ✕
          </button>
        </p>
      )}
      {showsHelp && <Help onClose={() => setShowsHelp(false)} />}
      <main id="main" tabIndex={-1} class={`view-${view}`}>
        {mustSignIn && <SignIn state={state} />}
        {!mustSignIn && session.info === undefined && session.failure !== "" && (
          <div class="empty">
            <p role="alert">{session.failure}</p>
            <button type="button" onClick={() => void state.start()}>
              Try again
            </button>
          </div>
        )}
        {!mustSignIn && session.info && view === "keys" && (
          <div class={`keys ${key === "/" ? "" : "shows-key"}`}>
            <div class="tree-pane">
              <GoTo state={state} inputRef={goTo} />
              <TreeView state={state} />
            </div>
            <div class="key-pane">
              <a class="back" href={addressOf("keys")}>
                ← All keys
              </a>
              <KeyView state={state} />
            </div>
          </div>
        )}
        {!mustSignIn && session.info && view === "search" && <SearchView state={state} />}
        {!mustSignIn && session.info && view === "changes" && <ChangesView state={state} />}
        {!mustSignIn && session.info && view === "cluster" && <ClusterView state={state} />}
        {!mustSignIn && session.info && view === "recipes" && <RecipesView state={state} />}
        {!mustSignIn && session.info && view === "cutover" && <CutoverView state={state} />}
      </main>
    </>
  );
}

/** Also in the editor, which is in a shadow root. */
function isTyping(event: KeyboardEvent): boolean {
  const [target] = event.composedPath();
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName))
  );
}

function gapText(reason: string): string {
  const texts: Readonly<Record<string, string>> = {
    "history-cleared": "etcd no longer has them",
    "cluster-changed": "another cluster responds",
    "slow-consumer": "there were too many at a time",
  };
  return texts[reason] ?? reason;
}

function Header({ state, onHelp }: { readonly state: AppState; readonly onHelp: () => void }) {
  const { session, location, live, drafts } = state;
  useEmitter(drafts);
  const { info } = session;
  const [theme, setTheme] = useState(currentTheme());
  const choose = (chosen: Theme): void => {
    applyTheme(chosen);
    setTheme(chosen);
  };
  return (
    <header>
      <h1>
        <a href={addressOf("keys")}>etcdnet</a>
      </h1>
      <nav aria-label="Views">
        {TABS.filter(([view]) => view !== "cutover" || info?.api === "v3").map(([view, name]) => (
          <a
            key={view}
            href={view === "keys" ? addressOf(view, state.key.key) : addressOf(view)}
            aria-current={location.place.view === view ? "page" : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <div class="header-facts">
        {info && (
          <span class="endpoints" title={info.endpoints.join("\n")}>
            <Text>{hostsOf(info.endpoints)}</Text> · {info.api}
            {info.prefix !== undefined && (
              <>
                {" · "}
                <Text>{info.prefix}</Text>
              </>
            )}
          </span>
        )}
        {info && !info.writable && <span class="badge">read-only</span>}
        {drafts.size > 0 && (
          <span class="badge warn">
            {drafts.size === 1 ? "1 text not saved" : `${drafts.size} texts not saved`}
          </span>
        )}
        <ConnectionBadge connection={live.connection} hasSession={info !== undefined} />
        {info && (
          <button
            type="button"
            class="plain"
            onClick={() => {
              if (info.user === undefined) session.askUser(true);
              else void state.signOut();
            }}
          >
            {info.user === undefined ? (
              "Sign in"
            ) : (
              <>
                Sign out <Text>{info.user}</Text>
                {drafts.size > 0 && " and discard what is not saved"}
              </>
            )}
          </button>
        )}
        <label class="theme">
          <span class="hidden-text">Colours</span>
          <select
            value={theme}
            onChange={({ currentTarget }) => choose(currentTarget.value as Theme)}
          >
            <option value="system">System</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
        <button type="button" class="plain" aria-label="Keyboard shortcuts" onClick={onHelp}>
          ?
        </button>
      </div>
    </header>
  );
}

function hostsOf(endpoints: readonly string[]): string {
  const [first = "", ...others] = endpoints.map((url) => url.replace(/^https?:\/\//, ""));
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function ConnectionBadge({
  connection,
  hasSession,
}: {
  readonly connection: Connection;
  readonly hasSession: boolean;
}) {
  if (!hasSession) return null;
  const [text, kind] = {
    connecting: ["connecting", ""],
    live: ["live", "good"],
    "etcd away": ["etcd unreachable", "bad"],
    "console away": ["console unreachable", "bad"],
    "no watch": ["not live", "warn"],
  }[connection.state] as [string, string];
  return (
    <span class={`badge ${kind}`} role="status">
      {text}
    </span>
  );
}

/** Says when what is shown may be old. */
function ConnectionNotice({ state }: { readonly state: AppState }) {
  const { connection } = state.live;
  const { drafts } = state;
  useEmitter(drafts);
  if (state.session.info === undefined) return null;
  const texts: Readonly<Record<string, string>> = {
    "etcd away":
      "etcd cannot be reached. What you see may be old; it is brought up to date when etcd is back.",
    "console away": "The server of the console cannot be reached. The page tries again.",
    "no watch": "Changes do not appear by themselves:",
  };
  const text = texts[connection.state];
  if (text === undefined) return null;
  return (
    <div class="notice bad wide" role="alert">
      <span>
        {text} {drafts.size > 0 && "Your text stays here."}
        {"message" in connection && (
          <span class="detail">
            <Text>{connection.message}</Text>
          </span>
        )}
      </span>
    </div>
  );
}

/** Opens a key by its name: a hidden one, or one that is far down. */
function GoTo({
  state,
  inputRef,
}: {
  readonly state: AppState;
  readonly inputRef: { current: HTMLInputElement | null };
}) {
  const [text, setText] = useState("");
  return (
    <form
      class="go-to"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === "") return;
        state.location.go("keys", `/${text.split("/").filter(Boolean).join("/")}`);
        setText("");
      }}
    >
      <label class="hidden-text" for="go-to">
        Go to key
      </label>
      <input
        id="go-to"
        ref={inputRef}
        value={text}
        placeholder="Go to key, e.g. /config/_hidden"
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </form>
  );
}

function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <section class="notice wide help" aria-label="Keyboard shortcuts">
      <dl>
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="plain" aria-label="Close" onClick={onClose}>
        ✕
      </button>
    </section>
  );
}
