import { Emitter } from "./emitter.js";

export type View = "keys" | "search" | "changes" | "cluster" | "recipes" | "cutover";

const VIEWS: readonly View[] = ["keys", "search", "changes", "cluster", "recipes", "cutover"];

/** What the address shows: `#/keys/config/greeting`. A link leads others to the same key. */
export interface Place {
  readonly view: View;
  readonly key: string;
  readonly query: URLSearchParams;
}

/** Names are encoded one by one, since a name can have every character but a slash. */
export function addressOf(view: View, key = "/", query = ""): string {
  const path = key.split("/").map(encodeName).join("/");
  return `#/${view}${path === "/" ? "" : path}${query === "" ? "" : `?${query}`}`;
}

function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", ...names] = path.split("/");
  const view = VIEWS.find((each) => each === first) ?? "keys";
  const key = `/${names
    .filter((name) => name !== "")
    .map(decodeName)
    .join("/")}`;
  return { view, key, query: new URLSearchParams(query) };
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The place that the address names. */
export class Location extends Emitter {
  place = placeOf(location.hash);

  constructor() {
    super();
    addEventListener("hashchange", () => {
      this.place = placeOf(location.hash);
      this.emit();
    });
  }

  go(view: View, key?: string, query?: string): void {
    location.hash = addressOf(view, key, query);
  }
}
