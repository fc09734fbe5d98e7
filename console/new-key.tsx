import { useState } from "preact/hooks";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";

/** Creates a key or a directory in a directory. */
export function NewKey({
  state,
  directory,
}: {
  readonly state: AppState;
  readonly directory: string;
}) {
  const [name, setName] = useState("");
  const [failure, setFailure] = useState("");
  const path = name
    .split("/")
    .filter((each) => each !== "")
    .join("/");
  const key = `${directory === "/" ? "" : directory}/${path}`;
  const isGiven = path !== "";

  function createKey(): void {
    if (!isGiven) return;
    if (state.drafts.get(key) === undefined) {
      state.drafts.set(key, { text: "", index: undefined, base: "" });
    }
    state.location.go("keys", key);
  }

  async function createDirectory(): Promise<void> {
    try {
      await state.api.post("directory", { key });
      state.location.go("keys", key);
    } catch (error) {
      setFailure(messageOf(error));
    }
  }

  return (
    <form
      class="new-key"
      onSubmit={(event) => {
        event.preventDefault();
        createKey();
      }}
    >
      <label>
        New key in this directory
        <input
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
          placeholder="name"
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <div class="buttons">
        <button type="submit" disabled={!isGiven}>
          New key
        </button>
        <button type="button" disabled={!isGiven} onClick={() => void createDirectory()}>
          New directory
        </button>
      </div>
      {failure !== "" && (
        <p class="notice bad" role="alert">
          {failure}
        </p>
      )}
    </form>
  );
}
