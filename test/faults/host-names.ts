import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const LOOKUP = pathToFileURL(join(import.meta.dirname, "lookup/lookup.mjs")).href;

/** Names of servers below `.test`. The processes that are started with `nodeArgs` find their addresses here, as in DNS. */
export class HostNames implements Disposable {
  /** Arguments of Node. */
  readonly nodeArgs: readonly string[];
  readonly #directory = mkdtempSync(join(tmpdir(), "etcdnet-names-"));
  readonly #file = join(this.#directory, "names.json");
  readonly #addresses = new Map<string, string>();
  #lastAddress = 1;

  constructor() {
    this.nodeArgs = ["--import", `${LOOKUP}?${encodeURIComponent(this.#file)}`];
    this.#write();
  }

  point(name: string, address: string): void {
    this.#addresses.set(name, address);
    this.#write();
  }

  /** An address of this machine that no name has had for long. Only Linux has more than one without configuration. */
  nextAddress(): string {
    this.#lastAddress = 2 + ((this.#lastAddress - 1) % 250);
    return `127.0.0.${this.#lastAddress}`;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  /** A process never reads a part of the file. */
  #write(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#addresses)));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
