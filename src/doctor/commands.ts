import { commandLine } from "./shell.js";

/** An option that every `etcdnet` command of a diagnosis needs, such as `["cacert", "ca.pem"]`. */
export type CommonOption = readonly [name: string, value: string];

/** Writes the command lines for a running cluster. */
export class ClusterCommands {
  readonly #urls: string;
  readonly #options: readonly CommonOption[];
  readonly #to: string | undefined;

  /**
   * @param endpoints URLs
   * @param options no secrets
   * @param to the value of `--to`, if it was given
   */
  constructor(
    endpoints: readonly string[],
    options: readonly CommonOption[] = [],
    to: string | undefined = undefined,
  ) {
    this.#urls = endpoints.join();
    this.#options = options;
    this.#to = to;
  }

  etcdnet(...words: readonly string[]): string {
    return this.#etcdnet(this.#urls, words);
  }

  /** The same check again, with more endpoints or for another release. */
  doctor({ endpoints = [], to = this.#to }: DoctorChange = {}): string {
    const release = to === undefined ? [] : ["--to", to];
    return this.#etcdnet([this.#urls, ...endpoints].join(), ["doctor", ...release]);
  }

  /** Copies the v2 keys to v3 in the same cluster. */
  migrate(hidden: readonly string[], keyPrefix: string): string {
    const sides = ["from", "to"].flatMap((side) => [
      ...[`--${side}`, this.#urls],
      ...this.#options.flatMap(([name, value]) => [`--${side}-${name}`, value]),
    ]);
    const prefix = keyPrefix === "" ? [] : ["--to-key-prefix", keyPrefix];
    const names = hidden.flatMap((key) => ["--hidden", key]);
    return commandLine("etcdnet", "migrate", ...sides, "--to-api", "v3", ...prefix, ...names);
  }

  /** Writes the v2 keys to a file. */
  export(hidden: readonly string[]): string {
    return this.etcdnet(
      ...["export", "--file", "v2-keys.jsonl"],
      ...hidden.flatMap((key) => ["--hidden", key]),
    );
  }

  /** Writes the file of {@link export} to v3. */
  importToV3(keyPrefix: string): string {
    const prefix = keyPrefix === "" ? [] : ["--key-prefix", keyPrefix];
    return this.etcdnet("--api", "v3", ...prefix, "import", "v2-keys.jsonl");
  }

  etcdctl(...words: readonly string[]): string {
    return commandLine("etcdctl", "--endpoints", this.#urls, ...words);
  }

  /** Removes everything that a listing of v2's root shows. */
  removeAll(): string {
    const remove = this.etcdnet("rm", "-r");
    return `${this.etcdnet("ls", "/")} | while IFS= read -r key; do ${remove} "$key" </dev/null; done`;
  }

  #etcdnet(urls: string, words: readonly string[]): string {
    const options = this.#options.flatMap(([name, value]) => [`--${name}`, value]);
    return commandLine("etcdnet", "--endpoints", urls, ...options, ...words);
  }
}

interface DoctorChange {
  /** Endpoints to add. */
  readonly endpoints?: readonly string[];
  readonly to?: string;
}

/** What starts a member again, as far as its files show it. */
export interface MemberStart {
  readonly dataDir: string;
  readonly walDir: string | undefined;
  readonly name: string;
  readonly clientURLs: readonly string[];
  readonly peerURLs: readonly string[];
}

/** The flags of etcd, and of the commands that read the files, for the directories of a member. */
export function directoriesOf({ dataDir, walDir }: Pick<MemberStart, "dataDir" | "walDir">) {
  return ["--data-dir", dataDir, ...(walDir === undefined ? [] : ["--wal-dir", walDir])];
}

/** A command line that starts a member. */
export function etcdLine(start: MemberStart, ...flags: readonly string[]): string {
  const { name, clientURLs, peerURLs } = start;
  const clients = clientURLs.join();
  const urls =
    clients === "" ? [] : ["--listen-client-urls", clients, "--advertise-client-urls", clients];
  return commandLine(
    ...["etcd", "--name", name, ...directoriesOf(start), ...urls],
    ...["--listen-peer-urls", peerURLs.join(), ...flags],
  );
}
