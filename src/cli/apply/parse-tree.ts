import { isAlias, isMap, isScalar, LineCounter, type Node, parseAllDocuments, Scalar } from "yaml";
import type { WantedTree } from "./wanted-tree.js";

/** Tags that change nothing. */
const KNOWN_TAGS = new Set([undefined, ...["!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map"]]);

/**
 * Adds the nodes of a file in YAML or JSON, a part of YAML. Nothing is expanded: aliases, merge keys and tags are
 * refused. So a small file never becomes a large tree.
 *
 * @throws Error naming the file, the line and the key
 */
export function parseTree(name: string, text: string, tree: WantedTree): void {
  try {
    new TreeParser(name, tree).parse(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Error(`${name}: is nested too deeply`, { cause: error });
  }
}

class TreeParser {
  readonly #name: string;
  readonly #tree: WantedTree;
  readonly #lines = new LineCounter();

  constructor(name: string, tree: WantedTree) {
    this.#name = name;
    this.#tree = tree;
  }

  parse(text: string): void {
    // Keys are compared by WantedTree, which also knows those of other files. Without `strict`, a key may be
    // longer than 1024 characters, as in JSON.
    const documents = parseAllDocuments(text, {
      lineCounter: this.#lines,
      uniqueKeys: false,
      strict: false,
      stringKeys: false,
      prettyErrors: false,
    });
    for (const { errors, warnings, contents } of documents) {
      const [problem] = [...errors, ...warnings];
      if (problem?.code === "RESOURCE_EXHAUSTION") throw new RangeError(problem.message);
      if (problem !== undefined) {
        throw new Error(`${this.#place(problem.pos[0])}: ${problem.message}`);
      }
      // A file of comments, and the end of a document that "---" begins.
      if (contents === null || (isScalar(contents) && contents.value === null)) continue;
      this.#addTop(contents);
    }
  }

  #addTop(contents: Node): void {
    const place = this.#placeOf(contents);
    this.#refuseExpansion(contents, place, "the document");
    if (!isMap(contents)) {
      throw new Error(`${place}: the document must be a map of keys, such as /config: {}`);
    }
    for (const { key, value } of contents.items) {
      const { text, place } = this.#nameOf(key as Node, "the document");
      const top = topKey(text, place);
      this.#tree.tops.add(top);
      this.#addNode(top, value as Node | null, place);
    }
  }

  #addNode(key: string, content: Node | null, place: string): void {
    if (content !== null) this.#refuseExpansion(content, place, key);
    if (isMap(content)) {
      if (content.items.length === 0) this.#tree.add({ key, place });
      for (const { key: name, value } of content.items) {
        const { text, place } = this.#nameOf(name as Node, key);
        checkName(text, place, key);
        this.#addNode(key === "/" ? `/${text}` : `${key}/${text}`, value as Node | null, place);
      }
      return;
    }
    if (key === "/") throw new Error(`${place}: / is a directory, and cannot have a value`);
    this.#tree.add({ key, value: stringOf(content, place, key), place });
  }

  /** The name that a key of a map gives. Numbers and words such as `true` are names as they are written. */
  #nameOf(node: Node | null, above: string): { readonly text: string; readonly place: string } {
    const place = node === null ? this.#name : this.#placeOf(node);
    if (node !== null) this.#refuseExpansion(node, place, `a name in ${above}`);
    if (!isScalar(node)) throw new Error(`${place}: ${above} has a name that is not a string`);
    if (node.value === "<<" && node.type === Scalar.PLAIN) {
      throw new Error(`${place}: ${above} has a merge key (<<), which is not supported`);
    }
    const text = typeof node.value === "string" ? node.value : (node.source ?? "");
    return { text, place };
  }

  #refuseExpansion(node: Node, place: string, what: string): void {
    if (isAlias(node)) {
      throw new Error(`${place}: ${what} is an alias (*${node.source}), which is not supported`);
    }
    if ("anchor" in node && node.anchor !== undefined) {
      throw new Error(`${place}: ${what} has an anchor (&${node.anchor}), which is not supported`);
    }
    if (!KNOWN_TAGS.has(node.tag)) {
      throw new Error(`${place}: ${what} has the tag ${node.tag}, which is not supported`);
    }
  }

  #placeOf({ range }: Node): string {
    return this.#place(range?.[0] ?? 0);
  }

  #place(offset: number): string {
    return `${this.#name}:${this.#lines.linePos(offset).line}`;
  }
}

function topKey(text: string, place: string): string {
  const key = text.startsWith("/") ? text : `/${text}`;
  if (key === "/") {
    if (text === "/") return key;
    throw new Error(`${place}: a key is empty`);
  }
  for (const name of key.slice(1).split("/")) checkName(name, place, key);
  return key;
}

function checkName(name: string, place: string, above: string): void {
  const problem = problemOf(name);
  if (problem !== undefined) {
    throw new Error(`${place}: ${JSON.stringify(name)} in ${above} is no name: ${problem}`);
  }
}

function problemOf(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return "etcd reads it as a path";
  if (name.includes("/")) return "it has a slash; write a map for each directory";
  return name.isWellFormed() ? undefined : "it is not valid Unicode";
}

function stringOf(content: Node | null, place: string, key: string): string {
  if (content === null || (isScalar(content) && content.value === null)) {
    throw new Error(`${place}: ${key} has no value; write "" or, for an empty directory, {}`);
  }
  if (!isScalar(content)) throw new Error(`${place}: ${key} is a list; write a string or a map`);
  const { value } = content;
  if (typeof value !== "string") {
    const written = content.source ?? String(value);
    throw new Error(`${place}: ${key} is a ${typeof value}; write "${written}" with quotes`);
  }
  if (!value.isWellFormed()) throw new Error(`${place}: ${key}: the value is not valid Unicode`);
  return value;
}
