import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../../scripts/etcd-process.mjs";
import { pythonEnv } from "../python.js";
import type { Patroni } from "./install.js";

export const SCOPE = "demo";
/** Patroni's smallest TTL. It requires that `ttl` is at least `loop_wait + 2 * retry_timeout`. */
const TTL_SECONDS = 20;
const LOOP_WAIT_SECONDS = 2;
const RETRY_TIMEOUT_SECONDS = 9;
const QUERY_TIMEOUT_MS = 10_000;

/** A PostgreSQL server with the Patroni that manages it. */
export class PatroniNode {
  readonly name: string;
  readonly #patroni: Patroni;
  readonly #directory: string;
  readonly #config: string;
  readonly #restUrl: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  /** Why Patroni does not run, although nobody stopped it. */
  #failure: Error | undefined;

  static async create(
    name: string,
    patroni: Patroni,
    parent: string,
    gateways: readonly string[],
  ): Promise<PatroniNode> {
    const directory = join(parent, name);
    mkdirSync(directory);
    if (patroni.user) chownSync(directory, patroni.user.uid, patroni.user.gid);
    const [restPort, port] = [await freePort(), await freePort()];
    return new PatroniNode(name, patroni, directory, gateways, restPort, port);
  }

  private constructor(
    name: string,
    patroni: Patroni,
    directory: string,
    gateways: readonly string[],
    restPort: number,
    port: number,
  ) {
    this.name = name;
    this.#patroni = patroni;
    this.#directory = directory;
    this.#restUrl = `http://127.0.0.1:${restPort}`;
    this.#port = port;
    this.#config = join(directory, "patroni.json");
    // JSON is YAML.
    writeFileSync(this.#config, JSON.stringify(this.#configuration(gateways, restPort)));
  }

  start(): void {
    const { python, packages, user } = this.#patroni;
    const log = openSync(this.#logFile, "a");
    const child = spawn(python, [join(packages, "bin/patroni"), this.#config], {
      cwd: this.#directory,
      env: { ...process.env, ...pythonEnv(packages), HOME: this.#directory },
      stdio: ["ignore", log, log],
      ...user,
    });
    this.#child = child;
    child.once("exit", (code) => {
      if (this.#child === child) this.#failure = new Error(`Patroni ${this.name} ended: ${code}`);
    });
  }

  /** SIGKILL for Patroni and PostgreSQL, as when their machine dies. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
    const postmaster = Number(readOrEmpty(join(this.#data, "postmaster.pid")).split("\n")[0]);
    if (postmaster > 0) killIfRunning(postmaster);
  }

  /** Patroni stops PostgreSQL and releases the leader's key. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /**
   * Members by name, as this Patroni sees them; empty while it does not respond.
   *
   * @throws Error when Patroni has ended by itself
   */
  async members(): Promise<ReadonlyMap<string, PatroniMember>> {
    if (this.#failure) throw this.#failure;
    try {
      const response = await fetch(`${this.#restUrl}/cluster`);
      const { members } = (await response.json()) as { readonly members: readonly PatroniMember[] };
      return new Map(members.map((member) => [member.name, member]));
    } catch {
      return new Map();
    }
  }

  /** Whether PostgreSQL accepts writes; `undefined` while it does not respond. */
  async isPrimary(): Promise<boolean | undefined> {
    const answer = await this.query("select pg_is_in_recovery()").catch(() => undefined);
    return answer === undefined ? undefined : answer === "f";
  }

  /** @throws Error when PostgreSQL does not respond, or refuses the statement */
  async query(statement: string): Promise<string> {
    const { postgres } = this.#patroni;
    const target = ["-h", "127.0.0.1", "-p", `${this.#port}`, "-U", "postgres"];
    const args = [...target, "-XAtc", statement, "postgres"];
    const options = { timeout: QUERY_TIMEOUT_MS, env: { ...process.env, PGCONNECT_TIMEOUT: "5" } };
    const { stdout } = await promisify(execFile)(join(postgres, "psql"), args, options);
    return stdout.trim();
  }

  /** Runs patronictl with the configuration of this node. @throws Error with what it printed */
  async patronictl(...args: readonly string[]): Promise<string> {
    const { python, packages } = this.#patroni;
    const env = { ...process.env, ...pythonEnv(packages), LC_ALL: "C.UTF-8" };
    const command = [join(packages, "bin/patronictl"), "-c", this.#config, ...args];
    const { stdout } = await promisify(execFile)(python, command, { env });
    return stdout;
  }

  /** The end of its log. */
  get log(): string {
    return readOrEmpty(this.#logFile).split("\n").slice(-40).join("\n");
  }

  get #data(): string {
    return join(this.#directory, "data");
  }

  get #logFile(): string {
    return join(this.#directory, "patroni.log");
  }

  #configuration(gateways: readonly string[], restPort: number): object {
    const postgres = `127.0.0.1:${this.#port}`;
    const rest = `127.0.0.1:${restPort}`;
    return {
      scope: SCOPE,
      name: this.name,
      restapi: { listen: rest, connect_address: rest },
      etcd: { hosts: gateways.map((url) => new URL(url).host) },
      bootstrap: {
        dcs: {
          ttl: TTL_SECONDS,
          loop_wait: LOOP_WAIT_SECONDS,
          retry_timeout: RETRY_TIMEOUT_SECONDS,
          postgresql: { use_pg_rewind: true },
        },
        initdb: ["no-sync", { encoding: "UTF8" }],
      },
      postgresql: {
        listen: postgres,
        connect_address: postgres,
        data_dir: this.#data,
        bin_dir: this.#patroni.postgres,
        remove_data_directory_on_rewind_failure: true,
        remove_data_directory_on_diverged_timelines: true,
        pg_hba: ["local all all trust", "host all,replication all 127.0.0.1/32 trust"],
        authentication: {
          superuser: { username: "postgres" },
          replication: { username: "replicator" },
        },
        parameters: { unix_socket_directories: this.#directory, fsync: "off" },
      },
    };
  }
}

interface PatroniMember {
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
