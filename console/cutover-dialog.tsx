import { useEffect, useRef, useState } from "preact/hooks";
import type { CutoverAnswer } from "../src/console/model/page-types.js";
import type { CONFIRMATIONS, ConfirmedStep } from "./cutover-texts.js";
import { Text } from "./text.js";

/** Says what a step does, and asks for a word, so that nobody starts it by mistake. */
export function CutoverDialog({
  confirmation: { title, button, happens, failure },
  word,
  answer: { status, check },
  refusal,
  onConfirm,
  onCancel,
}: {
  readonly confirmation: (typeof CONFIRMATIONS)[ConfirmedStep];
  readonly word: ConfirmedStep;
  readonly answer: CutoverAnswer;
  /** Why it cannot be confirmed any more. */
  readonly refusal: string | undefined;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const gateways = status?.gateways ?? [];
  const warnings = word === "back" ? [] : (check?.result?.check?.warnings ?? []);
  const isConfirmed = text.trim() === word && refusal === undefined;
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onCancel}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isConfirmed) onConfirm();
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        <ol>
          {happens.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ol>
        <p>{failure}</p>
        <p>
          {gateways.length === 1 ? "1 gateway takes" : `${gateways.length} gateways take`} part:{" "}
          <Text>{gateways.map(({ url }) => url).join(", ")}</Text>. A gateway that is missing here
          does not take part.
        </p>
        {warnings.map((warning) => (
          <p key={warning} class="notice">
            <Text>{warning}</Text>
          </p>
        ))}
        {refusal !== undefined && (
          <p class="notice bad" role="alert">
            {refusal}
          </p>
        )}
        <label>
          Write “{word}” to confirm
          <input
            value={text}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="submit" class="primary" disabled={!isConfirmed}>
            {button}
          </button>
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
