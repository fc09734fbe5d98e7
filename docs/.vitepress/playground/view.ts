import { EtcdClient } from "../../../src/client/etcd-client.js";
import { MemoryKeySpace } from "../../../src/key-space/memory/memory-key-space.js";
import type { EtcdNode } from "../../../src/model/node.js";
import { lockStory } from "./lock-story.js";
import lockSource from "./lock-story.ts?raw";
import { Stage, type Story } from "./stage.js";
import { type StoryCode, storyCode } from "./story-code.js";
import { WATCH_STORY_HISTORY, watchStory } from "./watch-story.js";
import watchSource from "./watch-story.ts?raw";

const FIRST_CODE = `await etcd.setNode("/config/mode", "day");
await etcd.setNode("/config/mail/port", "25");
await etcd.setNode("/session", "ann", { ttl: 10 }); // watch it disappear

const { node } = await etcd.getNode("/config/mode");
print(node.key, node.value, node.modifiedIndex);

try {
  await etcd.compareAndSwapNode("/config/mode", { prevValue: "night" }, "dawn");
} catch (error) {
  print(error.name, error.message);
}
`;

/** A part of the page that can be shown. */
interface Scene {
  readonly name: string;
  /** Fills the place for code and buttons. Returns what the tree shows. */
  open(parts: Parts): MemoryKeySpace;
}

interface Parts {
  readonly code: HTMLElement;
  print(...values: readonly unknown[]): void;
  clear(): void;
  refresh(): Promise<void>;
}

const SCENES: readonly Scene[] = [
  { name: "Try it", open: openEditor },
  { name: "Story: the paused holder of a lock", open: storyScene(lockStory, lockSource) },
  {
    name: "Story: the lost connection",
    open: storyScene(watchStory, watchSource, WATCH_STORY_HISTORY),
  },
];

/** Builds the playground in an element. Returns a function that ends it. */
export function mount(root: HTMLElement): () => void {
  const tabs = element("div", { className: "tabs", role: "tablist" });
  const tree = element("div", { className: "tree", role: "list", ariaLabel: "The keys" });
  const code = element("div", { className: "code" });
  const output = element("pre", {
    className: "output",
    role: "log",
    ariaLabel: "The output",
    // The keyboard scrolls only what can have the focus.
    tabIndex: 0,
  });
  const left = element("div", { className: "left" }, element("h2", { textContent: "Keys" }), tree);
  const right = element("div", { className: "right" }, code, output);
  root.replaceChildren(tabs, element("div", { className: "panes" }, left, right));

  let keySpace: MemoryKeySpace | undefined;
  const parts: Parts = {
    code,
    print: (...values) => {
      output.textContent += `${values.map(textOf).join(" ")}\n`;
      output.scrollTop = output.scrollHeight;
    },
    clear: () => {
      output.textContent = "";
    },
    refresh: async () => {
      if (keySpace === undefined) return;
      const request = { action: "get", key: "/", recursive: true, sorted: true } as const;
      const { node } = await keySpace.execute(request);
      tree.replaceChildren(...rowsOf(node as EtcdNode));
    },
  };

  function open(scene: Scene): void {
    for (const tab of tabs.children) {
      tab.setAttribute("aria-selected", String(tab.textContent === scene.name));
    }
    parts.clear();
    keySpace = scene.open(parts);
    void parts.refresh();
  }

  for (const scene of SCENES) {
    const tab = element("button", { textContent: scene.name, role: "tab", type: "button" });
    tab.addEventListener("click", () => open(scene));
    tabs.append(tab);
  }
  const [first] = SCENES;
  if (first !== undefined) open(first);
  // TTLs count down, and keys disappear.
  const timer = setInterval(() => void parts.refresh(), 500);
  return () => clearInterval(timer);
}

const EMPTY = { className: "empty", role: "listitem" };

/** The rows of the tree: directories before their content. */
function rowsOf(top: EtcdNode): readonly HTMLElement[] {
  const rows = (nodes: readonly EtcdNode[], level: number): readonly HTMLElement[] =>
    nodes.flatMap((node) => [rowOf(node, level), ...rows(node.nodes ?? [], level + 1)]);
  const all = rows(top.nodes ?? [], 1);
  return all.length > 0 ? all : [element("div", { ...EMPTY, textContent: "no keys" })];
}

function rowOf({ key, dir, value, ttl, modifiedIndex }: EtcdNode, level: number): HTMLElement {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const row = element("div", { className: "row", role: "listitem", ariaLevel: String(level) });
  row.style.paddingInlineStart = `${level - 1}em`;
  row.append(
    element("span", { className: dir ? "directory" : "", textContent: dir ? `${name}/` : name }),
  );
  if (!dir)
    row.append(" = ", element("span", { className: "value", textContent: JSON.stringify(value) }));
  const facts = [`index ${modifiedIndex}`, ...(ttl === undefined ? [] : [`${ttl} s left`])];
  row.append(element("span", { className: "facts", textContent: facts.join(", ") }));
  return row;
}

/** Code that the reader changes. */
function openEditor({ code, print, clear, refresh }: Parts): MemoryKeySpace {
  const keySpace = new MemoryKeySpace();
  const etcd = new EtcdClient({ keySpace });
  const editor = element("textarea", { value: FIRST_CODE, spellcheck: false, ariaLabel: "Code" });
  const start = element("button", { textContent: "Run", type: "button" });
  const help = element("p", {
    textContent:
      "etcd is a client of a key space in this page, print() writes below. Nothing leaves your browser.",
  });
  start.addEventListener("click", async () => {
    clear();
    try {
      const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
      await new AsyncFunction("etcd", "print", editor.value)(etcd, print);
    } catch (error) {
      print(String(error));
    }
    await refresh();
  });
  code.replaceChildren(help, editor, element("div", { className: "buttons" }, start));
  return keySpace;
}

/** A story to step through. */
function storyScene(
  tell: (stage: Stage) => Story,
  source: string,
  historySize?: number,
): Scene["open"] {
  const shown = storyCode(source);
  return (parts) => {
    const stage = new Stage(parts.print, historySize);
    const story = tell(stage);
    showStep(parts, stage, { story, shown, at: 0 });
    return stage.keySpace;
  };
}

interface Place {
  readonly story: Story;
  readonly shown: StoryCode;
  readonly at: number;
}

function showStep(parts: Parts, stage: Stage, place: Place): void {
  const { story, shown, at } = place;
  const step = story.steps[at];
  if (step === undefined) {
    const end = "The end of the story. Choose it again to begin anew.";
    parts.code.replaceChildren(element("p", { textContent: end }));
    return;
  }
  const next = element("button", { textContent: "Run this step", type: "button" });
  const setup = element(
    "details",
    {},
    element("summary", { textContent: "Code before the first step" }),
  );
  setup.append(element("pre", { tabIndex: 0, textContent: shown.setup }));
  next.addEventListener("click", async () => {
    next.disabled = true;
    parts.print(`— ${at + 1}. ${step.title}`);
    await step.run();
    await stage.settle();
    await parts.refresh();
    showStep(parts, stage, { story, shown, at: at + 1 });
  });
  parts.code.replaceChildren(
    element("h2", { textContent: `${at + 1} of ${story.steps.length}: ${step.title}` }),
    element("p", { textContent: step.text }),
    element("pre", { className: "step", tabIndex: 0, textContent: shown.steps[at] ?? "" }),
    element("div", { className: "buttons" }, next),
    setup,
  );
  next.focus({ preventScroll: true });
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
  ...children: readonly Node[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) Reflect.set(created, key, value);
  created.append(...children);
  return created;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
