import { stat } from "node:fs/promises";
import { fileVersion } from "../../files/file-version.js";
import type { Clock } from "../../time/clock.js";

/** Files that are used together, such as a certificate and its key. */
export interface MonitoredFiles {
  /** For the log, e.g. `the password of the cluster's user`. */
  readonly name: string;
  readonly files: readonly string[];
  /**
   * Reads the files, checks them and starts to use them.
   *
   * @returns what is new, for the log; `undefined` if nothing has changed
   * @throws Error when they cannot be used; those in use before stay in use
   */
  reload(): Promise<string | undefined>;
}

/** Interval of the checks. Kubernetes takes up to a minute to replace the files of a secret. */
const CHECK_INTERVAL_MS = 5_000;

/** Reloads files that were replaced. It compares their times, which works with links and remote file systems. */
export class FileMonitor {
  readonly #watches: readonly Watch[];
  readonly #clock: Clock;
  #checking: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: () => void = () => {};

  constructor(files: readonly MonitoredFiles[], clock: Clock, log: (line: string) => void) {
    this.#clock = clock;
    this.#watches = files.map((group) => new Watch(group, log));
  }

  /** Checks the files at intervals. Without files it does nothing. */
  start(onCheck: () => void = () => {}): void {
    if (this.#watches.length === 0) return;
    const repeat = (): void => {
      if (this.#stopped) return;
      this.#cancel = this.#clock.after(CHECK_INTERVAL_MS, () => {
        onCheck();
        void this.check().then(repeat);
      });
    };
    repeat();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /**
   * Reloads the files that have changed.
   *
   * @param all reload all files, and report a failure at once. Otherwise it is reported by the second
   *   check: until then, another program may be replacing the files one by one
   */
  check(all = false): Promise<void> {
    this.#checking = this.#checking.then(async () => {
      for (const watch of this.#watches) await watch.check(all, this.#clock.now());
    });
    return this.#checking;
  }
}

class Watch {
  readonly #group: MonitoredFiles;
  readonly #log: (line: string) => void;
  /** Identifies the versions of the files in use. `undefined`: they may have changed. */
  #version: string | undefined;
  #failures = 0;
  #reported: string | undefined;

  constructor(group: MonitoredFiles, log: (line: string) => void) {
    this.#group = group;
    this.#log = log;
  }

  async check(all: boolean, now: number): Promise<void> {
    const version = await versionOf(this.#group.files, now);
    if (!all && version !== undefined && version === this.#version) return;
    try {
      const news = await this.#group.reload();
      this.#version = version;
      this.#report(news, all);
    } catch (error) {
      this.#version = undefined;
      this.#failures++;
      if (all || this.#failures > 1) this.#reportFailure((error as Error).message);
    }
  }

  #report(news: string | undefined, all: boolean): void {
    const { name } = this.#group;
    const wasReported = this.#reported !== undefined;
    this.#failures = 0;
    this.#reported = undefined;
    if (news !== undefined) this.#log(`reloaded ${name}: ${news}`);
    else if (wasReported) this.#log(`${name}: the files can be read again, and have not changed`);
    else if (all) this.#log(`${name}: not changed`);
  }

  #reportFailure(reason: string): void {
    if (reason === this.#reported) return;
    this.#reported = reason;
    this.#log(`warning: ${this.#group.name}: not reloaded, the former stays in use: ${reason}`);
  }
}

async function versionOf(files: readonly string[], now: number): Promise<string | undefined> {
  try {
    const all = await Promise.all(files.map((file) => stat(file)));
    const versions = all.map((stats) => fileVersion(stats, now));
    return versions.includes(undefined) ? undefined : versions.join("\n");
  } catch {
    return undefined;
  }
}
