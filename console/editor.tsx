import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";
import { type Language, type Problem, problemsOf } from "./value-language.js";

/** Direction marks that the editor does not show by itself. */
const MORE_SPECIAL_CHARACTERS = /[\u202a-\u202c\u2068]/g;

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-name)" },
  { tag: [tags.string, tags.content], color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--code-literal)" },
  { tag: [tags.comment], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: "var(--quiet)" },
]);

const THEME = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--field)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", minHeight: "12em" },
  ".cm-gutters": { backgroundColor: "var(--field)", color: "var(--quiet)", border: "none" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": {
    backgroundColor: "var(--selection) !important",
  },
  ".cm-problem": { textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" },
  ".cm-specialChar": { color: "var(--warn)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
  },
});

const SHOW_PROBLEMS = StateEffect.define<readonly Problem[]>();
const PROBLEM = Decoration.mark({ class: "cm-problem" });

/** Underlines problems. CodeMirror's own package for this loads images that the page's policy refuses. */
const PROBLEMS = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (shown, { changes, effects, newDoc }) =>
    effects.reduce((before, effect) => {
      if (!effect.is(SHOW_PROBLEMS)) return before;
      const ranges = effect.value.flatMap(({ from, to }) => {
        const start = Math.min(from, newDoc.length);
        const end = Math.min(Math.max(to, start), newDoc.length);
        return start === end ? [] : [PROBLEM.range(start, end)];
      });
      return Decoration.set(ranges, true);
    }, shown.map(changes)),
  provide: (field) => EditorView.decorations.from(field),
});

interface EditorProps {
  readonly value: string;
  readonly language: Language;
  readonly isReadOnly: boolean;
  readonly label: string;
  /** The value at this moment: a rendering may be older than what was typed since. */
  readonly latestValue: () => string;
  readonly onChange: (value: string) => void;
  readonly onSave: () => void;
}

/**
 * The value in an editor. It is in a shadow root, where its styles are objects instead of elements, which the
 * Content-Security-Policy of the page refuses.
 */
export function Editor(props: EditorProps) {
  const { value, language, isReadOnly, label } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const parts = useRef({ language: new Compartment(), mode: new Compartment() }).current;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const save = (): boolean => {
      latest.current.onSave();
      return true;
    };
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const created = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: value,
        extensions: [
          // A carriage return is a part of the value.
          EditorState.lineSeparator.of("\n"),
          lineNumbers(),
          history(),
          drawSelection(),
          highlightSpecialChars({ addSpecialChars: MORE_SPECIAL_CHARACTERS }),
          syntaxHighlighting(COLOURS),
          PROBLEMS,
          EditorView.lineWrapping,
          THEME,
          keymap.of([
            { key: "Mod-s", preventDefault: true, run: save },
            ...searchKeymap,
            ...historyKeymap,
            ...defaultKeymap,
          ]),
          parts.language.of([]),
          parts.mode.of([]),
          EditorView.updateListener.of(({ docChanged, state }) => {
            const text = state.doc.toString();
            if (docChanged && text !== latest.current.latestValue()) latest.current.onChange(text);
          }),
        ],
      }),
    });
    view.current = created;
    return () => created.destroy();
  }, []);

  useEffect(() => {
    const current = view.current;
    const wanted = latest.current.latestValue();
    if (current === null || current.state.doc.toString() === wanted) return;
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: wanted } });
  }, [value]);

  useEffect(() => {
    const support = language === "json" ? json() : language === "yaml" ? yaml() : [];
    view.current?.dispatch({ effects: parts.language.reconfigure(support) });
  }, [language]);

  useEffect(() => {
    const mode = [
      EditorState.readOnly.of(isReadOnly),
      EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": String(isReadOnly) }),
    ];
    view.current?.dispatch({ effects: parts.mode.reconfigure(mode) });
  }, [isReadOnly, label]);

  useEffect(() => {
    const current = view.current;
    if (current === null) return;
    current.dispatch({ effects: SHOW_PROBLEMS.of(problemsOf(value, language)) });
  }, [value, language]);

  return <div class="editor" ref={host} />;
}
