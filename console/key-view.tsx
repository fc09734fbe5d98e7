import { useEffect, useState } from "preact/hooks";
import type { SessionInfo } from "../src/console/model/page-types.js";
import type { AppState } from "./app-state.js";
import { DiffView } from "./diff-view.js";
import { Editor } from "./editor.js";
import { useEmitter } from "./emitter.js";
import { decodeBase64, HexView } from "./hex-view.js";
import { HistoryView } from "./history-view.js";
import { KeyPath } from "./key-path.js";
import type { SaveResult } from "./key-state.js";
import { NewKey } from "./new-key.js";
import { RecipeView } from "./recipe-view.js";
import { RemovedView } from "./removed-view.js";
import { Text } from "./text.js";
import { TimeLeft } from "./time-left.js";
import { type Language, languageOf, problemsOf } from "./value-language.js";
import { isBinary } from "./visible-text.js";

/** The key of the address: its value, what etcd says about it, and its editor. */
export function KeyView({ state }: { readonly state: AppState }) {
  const { key: shown, drafts, session, live } = state;
  useEmitter(shown, drafts, session, live);
  const { key, node, isRead, failure } = shown;
  const writable = session.info?.writable === true;
  const draft = drafts.get(key);
  return (
    <section class="key-view" aria-label="Key">
      <KeyPath value={key} />
      {failure !== "" && (
        <p class="notice bad" role="alert">
          {failure}
          {draft && " Your text stays here."}
          {shown.isRefused && hint(session.info)}
          <span class="buttons">
            <button type="button" onClick={() => void shown.read()}>
              Try again
            </button>
            {shown.isRefused && session.info?.user === undefined && (
              <button type="button" onClick={() => session.askUser(true)}>
                Sign in as a user of etcd
              </button>
            )}
          </span>
        </p>
      )}
      {!isRead && failure === "" && <p class="quiet">loading …</p>}
      {isRead && <Facts state={state} />}
      {isRead && live.connection.state === "no watch" && (
        <p class="quiet">
          Changes of this key do not appear by themselves.{" "}
          <button type="button" onClick={() => void shown.read()}>
            Read it again
          </button>
        </p>
      )}
      {isRead && /\/_/.test(key) && (
        <p class="quiet">
          This key is hidden: etcd does not list it and reports no changes of it.{" "}
          <button type="button" onClick={() => void shown.read()}>
            Read it again
          </button>
        </p>
      )}
      {isRead && node?.dir && <DirectoryPart key={key} state={state} />}
      {(isRead || draft) && !node?.dir && (node !== undefined || draft !== undefined) && (
        <ValuePart key={key} state={state} />
      )}
      {isRead && session.info?.api === "v3" && (node === undefined || node.dir) && (
        <RemovedView key={`removed ${key}`} state={state} directory={key} />
      )}
      {isRead && key !== "/" && !node?.dir && <HistoryView key={`history ${key}`} state={state} />}
      {isRead && node === undefined && draft === undefined && (
        <div class="empty">
          <p>This key does not exist.</p>
          {writable && key !== "/" && (
            <button
              type="button"
              onClick={() => drafts.set(key, { text: "", index: undefined, base: "" })}
            >
              Create it
            </button>
          )}
        </div>
      )}
    </section>
  );
}

/** What a refusal can mean. The v2 API does not distinguish a wrong password from a missing right. */
function hint(info: SessionInfo | undefined): string {
  if (info?.user === undefined) return " etcd wants a user.";
  return info.api === "v2"
    ? ` The password of ${info.user} is wrong, or this user may not read the key.`
    : ` The user ${info.user} may not read the key.`;
}

/** What etcd says about the key. */
function Facts({ state }: { readonly state: AppState }) {
  const { key, node, endsAt, changedAt } = state.key;
  if (node === undefined) return null;
  const { dir, value, bytes, children, createdIndex, modifiedIndex } = node;
  return (
    <dl class="facts">
      <div>
        <dt>{dir ? "Directory" : "Value"}</dt>
        <dd>{dir ? childrenText(children ?? 0) : sizeText(value ?? "", bytes)}</dd>
      </div>
      {key !== "/" && (
        <div>
          <dt>Created at index</dt>
          <dd>{createdIndex}</dd>
        </div>
      )}
      {key !== "/" && (
        <div>
          <dt>Changed at index</dt>
          <dd>
            {modifiedIndex}
            {changedAt > 0 && (
              <span key={changedAt} class="badge fresh" role="status">
                changed just now
              </span>
            )}
          </dd>
        </div>
      )}
      {endsAt !== undefined && (
        <div>
          <dt>Time to live</dt>
          <dd>
            <TimeLeft state={state} node={{ key, endsAt }} />
          </dd>
        </div>
      )}
    </dl>
  );
}

function childrenText(children: number): string {
  const count = children.toLocaleString("en");
  return children === 0 ? "empty" : children === 1 ? "1 child" : `${count} children`;
}

function sizeText(value: string, known: string | undefined): string {
  const { length: bytes } =
    known === undefined ? new TextEncoder().encode(value) : decodeBase64(known);
  return bytes === 1 ? "1 byte" : `${bytes.toLocaleString("en")} bytes`;
}

function DirectoryPart({ state }: { readonly state: AppState }) {
  const { key, result } = state.key;
  const { info } = state.session;
  return (
    <>
      {result && <ResultNotice state={state} result={result} />}
      <RecipeView state={state} directory={key} />
      {info?.writable && <NewKey state={state} directory={key} />}
      {info?.writable && key !== "/" && <RemoveButton state={state} />}
      <p class="quiet">
        etcd lists no hidden keys, whose names begin with <code>_</code>. Write such a key into “Go
        to key” to see it.
      </p>
    </>
  );
}

function ValuePart({ state }: { readonly state: AppState }) {
  const { key: shown, drafts, session } = state;
  const { key, node, result } = shown;
  const current = node?.value ?? "";
  const draft = drafts.get(key);
  const text = draft?.text ?? current;
  const [chosen, setChosen] = useState<Language>();
  const [isReviewing, setReviewing] = useState(false);
  const [replacesBytes, setReplacesBytes] = useState(false);
  const language = chosen ?? languageOf(key, text);
  const writable = session.info?.writable === true;
  const isBytes = draft === undefined && !replacesBytes && isBinary(current);
  const api = session.info?.api ?? "v2";
  // With v3, bytes that are not UTF-8 are known as such. With v2, U+FFFD may be one, or stand for them.
  const losesBytes = node?.bytes !== undefined || (api === "v2" && current.includes("\ufffd"));
  // With an empty value and a new key, there is something to save though the texts are equal.
  const isChanged = draft !== undefined && (draft.text !== current || node === undefined);
  const isOvertaken = draft !== undefined && draft.index !== node?.modifiedIndex && shown.isRead;

  useEffect(() => {
    if (!isChanged || result?.state === "saved") setReviewing(false);
  }, [isChanged, result]);

  function onChange(value: string): void {
    const { node: present } = shown;
    const begun = drafts.get(key) ?? {
      index: present?.modifiedIndex,
      base: present?.value ?? "",
    };
    const isAsBefore = value === begun.base && begun.index === present?.modifiedIndex;
    if (isAsBefore && begun.index !== undefined) drafts.drop(key);
    else drafts.set(key, { text: value, index: begun.index, base: begun.base });
  }

  /** Takes the value that etcd has now as the one that the text replaces. */
  function acceptBase(): void {
    drafts.set(key, { text, index: node?.modifiedIndex, base: current });
    shown.dismiss();
  }

  function discard(): void {
    drafts.drop(key);
    shown.dismiss();
    setReviewing(false);
  }

  if (isBytes) {
    return (
      <>
        <HexView value={current} bytes={node?.bytes} api={api} />
        {writable && <EditBytes losesBytes={losesBytes} onEdit={() => setReplacesBytes(true)} />}
        {writable && <RemoveButton state={state} />}
      </>
    );
  }
  return (
    <>
      <ValueStatus value={text} language={language} onChoose={setChosen} />
      <Editor
        value={text}
        language={language}
        isReadOnly={!writable}
        label={`Value of ${key}`}
        latestValue={() => drafts.get(key)?.text ?? shown.node?.value ?? ""}
        onChange={onChange}
        onSave={() => isChanged && setReviewing(true)}
      />
      {result && <ResultNotice state={state} result={result} />}
      {isOvertaken && (
        <div class="notice bad" role="alert">
          <p>
            {node === undefined
              ? "The key was deleted since you began to edit."
              : "Another value was saved since you began to edit. Nothing is overwritten:"}
          </p>
          {node !== undefined && (
            <DiffView before={draft?.base ?? ""} after={current} label="What has changed in etcd" />
          )}
          <div class="buttons">
            <button type="button" onClick={acceptBase}>
              {node === undefined ? "Keep my text" : "Compare my text with the new value"}
            </button>
            <button type="button" onClick={discard}>
              Discard my text
            </button>
          </div>
        </div>
      )}
      {writable && !isReviewing && (
        <div class="buttons">
          <button
            type="button"
            class="primary"
            disabled={!isChanged || isOvertaken}
            onClick={() => setReviewing(true)}
          >
            Review changes
          </button>
          {draft && (
            <button type="button" onClick={discard}>
              Discard
            </button>
          )}
          {draft === undefined && node !== undefined && <RemoveButton state={state} />}
        </div>
      )}
      {!writable && (
        <p class="quiet">
          Read-only: <code>etcdnet console --write</code> starts a console that can change keys.
        </p>
      )}
      {isReviewing && !isOvertaken && draft && (
        <div class="review" role="group" aria-label="Review changes" ref={bringIntoView}>
          <h3>{node === undefined ? "The new key" : "Your changes"}</h3>
          <DiffView before={draft.base} after={draft.text} label="Your changes" />
          <div class="buttons">
            <button
              type="button"
              class="primary"
              disabled={result?.state === "saving"}
              onClick={() => void shown.save()}
            >
              {node === undefined ? "Create" : "Save"}
            </button>
            <button type="button" onClick={() => setReviewing(false)}>
              Back to the editor
            </button>
          </div>
        </div>
      )}
    </>
  );
}

interface EditBytesProps {
  /** Whether saving a text would replace bytes that the text does not have. */
  readonly losesBytes: boolean;
  readonly onEdit: () => void;
}

/** Opens the editor for a value that is shown as bytes; after a confirmation, if it cannot keep them. */
function EditBytes({ losesBytes, onEdit }: EditBytesProps) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button type="button" onClick={() => (losesBytes ? setAsking(true) : onEdit())}>
        Edit it as a text{losesBytes && " …"}
      </button>
    );
  }
  return (
    <div class="notice bad" role="alertdialog" aria-label="Edit it as a text">
      <span>
        The text has U+FFFD in place of each byte that is not UTF-8, and only text can be saved
        here. What you save replaces those bytes; they cannot be restored from the text. etcdctl can
        write them.
      </span>
      <div class="buttons">
        <button type="button" class="danger" onClick={onEdit}>
          Edit the text
        </button>
        <button type="button" autoFocus onClick={() => setAsking(false)}>
          Keep the bytes
        </button>
      </div>
    </div>
  );
}

/** Constant, so that it runs once for each review. */
function bringIntoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

interface StatusProps {
  readonly value: string;
  readonly language: Language;
  readonly onChoose: (language: Language) => void;
}

/** The language of a value, and what is wrong with it. */
function ValueStatus({ value, language, onChoose }: StatusProps) {
  const [problem] = problemsOf(value, language);
  const name = language === "json" ? "JSON" : "YAML";
  return (
    <div class="value-status">
      <label>
        Format{" "}
        <select
          value={language}
          onChange={({ currentTarget }) => onChoose(currentTarget.value as Language)}
        >
          <option value="text">Text</option>
          <option value="json">JSON</option>
          <option value="yaml">YAML</option>
        </select>
      </label>
      <span role="status" class={problem ? "bad-text" : "good-text"}>
        {problem && (
          <>
            Line {problem.line}: <Text>{problem.message}</Text>
          </>
        )}
        {!problem && language !== "text" && value.trim() !== "" && `valid ${name}`}
      </span>
    </div>
  );
}

function ResultNotice({
  state,
  result,
}: {
  readonly state: AppState;
  readonly result: SaveResult;
}) {
  const texts = {
    saving: "Saving …",
    saved: "Saved.",
    conflict: "Not saved: the key has changed meanwhile.",
    failed: "Not saved.",
  };
  const isBad = result.state === "conflict" || result.state === "failed";
  return (
    <p class={`notice ${isBad ? "bad" : "good"}`} role={isBad ? "alert" : "status"}>
      <span>
        {texts[result.state]} {result.state === "failed" && <Text>{result.message}</Text>}
        {result.state === "failed" && state.drafts.get(state.key.key) && " Your text stays here."}
      </span>
      {result.state !== "saving" && (
        <button
          type="button"
          class="plain"
          aria-label="Dismiss"
          onClick={() => state.key.dismiss()}
        >
          ✕
        </button>
      )}
    </p>
  );
}

/** Deletes a key after a confirmation. A file is deleted only as it is shown. */
function RemoveButton({ state }: { readonly state: AppState }) {
  const { key, node } = state.key;
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        Delete …
      </button>
    );
  }
  const what = node?.dir ? "this directory and everything below it" : "this key";
  return (
    <div class="notice bad" role="alertdialog" aria-label="Delete">
      <span>
        Delete {what}, <Text>{key}</Text>?
      </span>
      <div class="buttons">
        <button
          type="button"
          class="danger"
          onClick={() => {
            setAsking(false);
            void state.key.remove();
          }}
        >
          Delete
        </button>
        <button type="button" autoFocus onClick={() => setAsking(false)}>
          Keep
        </button>
      </div>
    </div>
  );
}
