import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { AppState } from "./app-state.js";
import { useEmitter } from "./emitter.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";
import { TimeLeft } from "./time-left.js";
import { parentOf, type Row, type TreeNode } from "./tree-model.js";

/** Rows above and below those in sight. */
const OVERSCAN = 12;
/** Browsers draw nothing beyond some millions of pixels. */
const MAX_HEIGHT_PX = 8_000_000;

/** The keys as a tree. Only the rows in sight are elements of the page. */
export function TreeView({ state }: { readonly state: AppState }) {
  const { tree, location, key: selected } = state;
  useEmitter(tree, location, selected);
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [cursor, setCursor] = useState(0);
  const rowHeight = useRowHeight();
  const { rowCount } = tree;
  const fullHeight = Math.min(rowCount * rowHeight, MAX_HEIGHT_PX);
  /** Rows for each pixel of the scroll bar, once the rows do not fit. */
  const scale = rowCount * rowHeight > MAX_HEIGHT_PX ? (rowCount * rowHeight) / fullHeight : 1;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  const place = location.place.key;
  const rowOfPlace = tree.rowOfKey(place);
  useEffect(() => {
    if (rowOfPlace < 0) return;
    setCursor(rowOfPlace);
    bringIntoView(rowOfPlace);
    // Only when another key is shown: a change above it must not scroll.
  }, [place, rowOfPlace >= 0]);

  function bringIntoView(row: number): void {
    const element = box.current;
    if (element === null) return;
    const top = (row * rowHeight) / scale;
    if (top < element.scrollTop) element.scrollTop = top;
    const bottom = top + rowHeight / scale + (scale > 1 ? 1 : 0);
    if (bottom > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight;
    }
  }

  function moveTo(row: number): void {
    const target = Math.max(0, Math.min(rowCount - 1, row));
    setCursor(target);
    bringIntoView(target);
  }

  function toggle(node: TreeNode): void {
    if (tree.isOpen(node.key)) tree.close(node.key);
    else void tree.open(node.key);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const row = tree.rowAt(cursor);
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const node = row?.type === "node" ? row.node : undefined;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => moveTo(cursor + 1),
      ArrowUp: () => moveTo(cursor - 1),
      PageDown: () => moveTo(cursor + page),
      PageUp: () => moveTo(cursor - page),
      Home: () => moveTo(0),
      End: () => moveTo(rowCount - 1),
      ArrowRight: () => {
        if (node?.dir && !tree.isOpen(node.key)) toggle(node);
        else if (node?.dir) moveTo(cursor + 1);
      },
      ArrowLeft: () => {
        if (node?.dir && tree.isOpen(node.key)) toggle(node);
        else if (node !== undefined) moveTo(tree.rowOfKey(parentOf(node.key)));
      },
      Enter: () => node && location.go("keys", node.key),
      " ": () => node?.dir && toggle(node),
    };
    const action = event.ctrlKey || event.altKey || event.metaKey ? undefined : actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  const first = Math.max(0, Math.floor((view.top * scale) / rowHeight) - OVERSCAN);
  const last = Math.min(rowCount, first + Math.ceil(view.height / rowHeight) + 2 * OVERSCAN);
  const offset = scale === 1 ? first * rowHeight : view.top - Math.min(first, OVERSCAN) * rowHeight;
  const rows = Array.from(
    { length: last - first },
    (_, at) => [first + at, tree.rowAt(first + at)] as const,
  );
  const active = Math.min(cursor, rowCount - 1);
  const isActiveShown = active >= first && active < last;

  return (
    <div
      class="tree"
      role="tree"
      aria-label="Keys"
      tabIndex={0}
      ref={box}
      aria-activedescendant={isActiveShown ? `row-${active}` : undefined}
      onScroll={({ currentTarget: { scrollTop: top, clientHeight: height } }) =>
        setView({ top, height })
      }
      onKeyDown={onKeyDown}
    >
      <div class="tree-space" role="none" style={{ height: `${fullHeight}px` }}>
        <div class="tree-window" role="none" style={{ transform: `translateY(${offset}px)` }}>
          {rows.map(
            ([number, row]) =>
              row && (
                <TreeRow
                  key={row.type === "node" ? row.node.key : `row ${number}`}
                  row={row}
                  number={number}
                  state={state}
                  isActive={number === active}
                  onPick={() => setCursor(number)}
                  onToggle={toggle}
                />
              ),
          )}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: Row;
  readonly number: number;
  readonly state: AppState;
  readonly isActive: boolean;
  readonly onPick: () => void;
  readonly onToggle: (node: TreeNode) => void;
}

function TreeRow({ row, number, state, isActive, onPick, onToggle }: RowProps) {
  const style = { "--depth": row.depth };
  const id = `row-${number}`;
  const common = { id, style, "aria-level": row.depth + 1, role: "treeitem" as const };
  if (row.type === "note") {
    const isFailure = row.text !== "empty" && row.text !== "loading …";
    return (
      <div {...common} class={`row note ${isActive ? "active" : ""} ${isFailure ? "failed" : ""}`}>
        {row.text}
      </div>
    );
  }
  const size = { "aria-setsize": row.size, "aria-posinset": row.position };
  if (row.type === "waiting") {
    return (
      <div {...common} {...size} class={`row note ${isActive ? "active" : ""}`}>
        loading …
      </div>
    );
  }
  const { node } = row;
  const isOpen = state.tree.isOpen(node.key);
  const isSelected = state.location.place.key === node.key;
  const isNew = node.changedAt > 0;
  const classes = ["row", isActive && "active", isSelected && "selected", isNew && "changed"];
  return (
    <div
      {...common}
      {...size}
      aria-selected={isSelected}
      aria-expanded={node.dir ? isOpen : undefined}
      class={classes.filter(Boolean).join(" ")}
      onClick={() => {
        onPick();
        if (node.dir && isSelected) onToggle(node);
        else if (node.dir && !isOpen) onToggle(node);
        location.hash = addressOf("keys", node.key);
      }}
    >
      <span
        class={`twisty ${node.dir ? (isOpen ? "open" : "closed") : ""}`}
        onClick={(event) => {
          if (!node.dir) return;
          event.stopPropagation();
          onPick();
          onToggle(node);
        }}
      />
      <span class={node.dir ? "name dir" : "name"}>
        <Text>{node.name}</Text>
        {node.dir && <span class="slash">/</span>}
      </span>
      {isNew && (
        <span key={node.changedAt} class="dot" title="changed since the page was opened">
          <span class="hidden-text">changed</span>
        </span>
      )}
      {!node.dir && (
        <span class="start">{node.start !== undefined && <Text>{oneLine(node.start)}</Text>}</span>
      )}
      <TimeLeft state={state} node={node} />
    </div>
  );
}

/** The first characters of a value, whose line ends and indentation say nothing here. */
function oneLine(start: string): string {
  return start.replace(/[\n\r\t ]+/g, " ");
}

/** Taller where fingers point. */
function useRowHeight(): number {
  const query = "(max-width: 720px)";
  const [isNarrow, setIsNarrow] = useState(matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const update = (): void => setIsNarrow(media.matches);
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, []);
  return isNarrow ? 40 : 28;
}
