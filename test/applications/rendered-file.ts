import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const POLL_EVERY_MS = 50;

/** A file that an application renders from a key. The key has a number, which rises. */
export class RenderedFile {
  /** A folder for the application's configuration and the file. */
  readonly directory = mkdtempSync(join(tmpdir(), "etcdnet-rendered-"));
  readonly path = join(this.directory, "rendered");
  readonly #key: string;
  readonly #urls: readonly string[];
  #number = 0;

  /** Writes the first number. */
  static async create(key: string, urls: readonly string[]): Promise<RenderedFile> {
    const file = new RenderedFile(key, urls);
    await file.#setNumber(0);
    return file;
  }

  private constructor(key: string, urls: readonly string[]) {
    this.#key = key;
    this.#urls = urls;
  }

  /**
   * Writes numbers until the file shows one of them. One write is not enough: confd does not see a
   * change between its read and its next watch.
   */
  async followsKey(): Promise<void> {
    const before = this.#number;
    while (this.#rendered() <= before) {
      await this.#setNumber(this.#number + 1);
      await delay(POLL_EVERY_MS);
    }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  #rendered(): number {
    try {
      return Number(readFileSync(this.path, "utf8"));
    } catch {
      return -1;
    }
  }

  /** Through the first gateway that responds. */
  async #setNumber(number: number): Promise<void> {
    const body = new URLSearchParams({ value: `${number}` });
    const set = async (url: string): Promise<void> => {
      const response = await fetch(`${url}/v2/keys${this.#key}`, { method: "PUT", body });
      if (!response.ok) throw new Error(`PUT ${this.#key} failed: ${await response.text()}`);
    };
    await Promise.any(this.#urls.map(set));
    this.#number = number;
  }
}
