import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type { OptionNames } from "../../errors/hint.js";
import type { ServerTls } from "../../server/http/http-server.js";
import type { V2Handler } from "../../server/http/message.js";
import { systemClock } from "../../time/clock.js";
import { addLogOptions, type LogOptions, openLog } from "../log/log-options.js";
import type { LogFields } from "../log/log-text.js";
import type { Logger } from "../log/logger.js";
import { parseDuration } from "../options/duration.js";
import { addVariables, givenOptions, type VariableNames } from "../options/environment.js";
import { listOf, notEmpty, portOf, readPipes, urlsOf } from "../options/option-files.js";
import {
  type ReadFiles,
  type ReloadableServer,
  rootPasswordOf,
  type ServerFiles,
  type ServerFilesOf,
} from "../options/server-files.js";
import { serveOnClosedPipe } from "../process/closed-pipe.js";
import { ExitCode } from "../process/exit-code.js";
import { ExpiryLog } from "../process/expiry-log.js";
import { failureMessage } from "../process/failure.js";
import { FileMonitor } from "../process/file-monitor.js";
import { type FlagOf, flagNames } from "../process/flag-names.js";
import { VERSION } from "../process/version.js";
import { waitForShutdown } from "../process/wait-for-shutdown.js";
import { WorkerLink } from "../workers/worker-link.js";
import { WorkerPool } from "../workers/worker-pool.js";
import { checkConsole, type ServerConsoleOptions, startServerConsole } from "./server-console.js";
import { warnIfOpen } from "./warn-if-open.js";

/** Options of all server commands. */
export interface ServerCommandOptions extends LogOptions, ServerConsoleOptions {
  readonly host: string;
  readonly port: number;
  readonly advertise?: readonly string[];
  readonly cors?: readonly string[];
  readonly allowedHosts?: readonly string[];
  readonly authRootPasswordFile?: string;
  readonly shutdownDelay: number;
  /** Processes that share the port. */
  readonly workers?: number;
}

/** Settings that every server needs to listen. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
  readonly tls?: ServerTls;
  readonly advertise?: readonly string[];
  readonly cors?: readonly string[];
  readonly allowedHosts?: readonly string[];
  readonly rootPassword?: string;
}

/** The settings of a server, and the files in them that are reloaded. */
export interface Prepared<Settings> {
  readonly settings: Settings;
  readonly reloaded: readonly ServerFilesOf[];
}

/** A running server. */
interface RunningServer extends ReloadableServer {
  readonly url: string;
  drain(): void;
  close(): Promise<void>;
}

/** A command that runs a server until a signal ends it. */
interface ServerCommand<Options extends ServerCommandOptions, Complete extends ListenSettings> {
  readonly name: string;
  readonly description: string;
  readonly afterHelp: string;
  /** Adds the options that only this server has. */
  addOptions(command: Command): Command;
  /** The options with their files read. @throws Error naming the invalid option with `flag` */
  complete(options: Options, flag: FlagOf): Promise<Prepared<Complete>>;
  start(complete: Complete, around?: (handler: V2Handler) => V2Handler): Promise<RunningServer>;
  /** Checks the options instead of starting, if they ask for it. @returns whether all is in order */
  check?(options: Options, flag: FlagOf, nameOf: OptionNames): Promise<boolean> | undefined;
  /** Further fields of the first line of the log. They must contain no password. */
  describe?(complete: Complete): LogFields;
  /** Options that secure the server, for a warning. */
  remedies(complete: Complete): Parameters<typeof warnIfOpen>[1];
  /** Variables of options whose names mean something else in other commands. */
  readonly variables: VariableNames;
  /** Flags that other commands name differently, by the option of the server. */
  flags?(options: Options): Readonly<Record<string, string>>;
}

export function serverCommand<
  Options extends ServerCommandOptions,
  Complete extends ListenSettings,
>(server: ServerCommand<Options, Complete>): Command {
  const command = new Command(server.name)
    .description(server.description)
    .showSuggestionAfterError(false)
    .addHelpText("after", server.afterHelp)
    .option("--port <number>", "port to listen on; 0: any free port", portOf, 2379)
    .option("--host <address>", "address to listen on", notEmpty, "127.0.0.1");
  addLogOptions(server.addOptions(command))
    .option(
      "--advertise <urls>",
      "client URLs to advertise, comma-separated; by default the URL that each client used",
      urlsOf,
    )
    .option(
      "--cors <origins>",
      "origins whose web pages may use keys, comma-separated; *: all",
      listOf,
    )
    .option(
      "--allowed-hosts <names>",
      "host names of this server besides localhost and those advertised, comma-separated; *: all",
      listOf,
    )
    .option(
      "--auth-root-password-file <file>",
      "enable v2 auth; the file contains the password of user root",
      notEmpty,
    )
    .option(
      "--shutdown-delay <duration>",
      "time after the first signal in which requests are still served, while /readyz returns 503",
      parseDuration,
      0,
    )
    .option(
      "--console <port>",
      "serve a web console for this server on a port of 127.0.0.1; 0: any free port",
      portOf,
    )
    .option("--console-write", "let the console change and delete keys")
    .action(async () => {
      const { options, flag } = givenOptions<Options>(command);
      const names: OptionNames = (option) => {
        const own = server.flags?.(options)[option.replace(/\[\d+\]$/, "")];
        return own === undefined ? flagNames(flag, flag)(option) : flag(own);
      };
      try {
        const isInOrder = await server.check?.(options, flag, names);
        if (isInOrder === undefined) await serve(server, options, flag);
        else process.exitCode = isInOrder ? 0 : ExitCode.invalidUsage;
      } catch (error) {
        command.error(`error: ${failureMessage(error, names)}`);
      }
    });
  return addVariables(command, server.variables);
}

async function serve<Options extends ServerCommandOptions, Complete extends ListenSettings>(
  server: ServerCommand<Options, Complete>,
  options: Options,
  flag: FlagOf,
): Promise<void> {
  serveOnClosedPipe();
  const log = openLog(options);
  const { workers = 1 } = options;
  const link = WorkerLink.open(workers);
  const { settings, reloaded } = await server.complete(options, flag);
  checkConsole(options, settings.tls, flag);
  if (workers > 1 && link === undefined) checkWorkers(flag);
  if (workers > 1 && link === undefined)
    return await serveWithWorkers(server, options, settings, log);
  const shutdown = link?.shutdown ?? waitForShutdown();
  // A signal to reload does not end the server, also while it starts.
  let reload: () => void = () => {};
  if (link === undefined) process.on("SIGHUP", () => reload());
  else link.onReload = () => reload();
  const around = link?.around.bind(link);
  const running = await Promise.race([server.start(settings, around), shutdown]);
  // The server has not started. Exit explicitly, because the first process of a container ignores signals
  // without a listener.
  if (running === undefined) process.exit(0);
  if (link === undefined) warnIfOpen(settings, server.remedies(settings), log);
  const monitor = monitorFiles(
    reloaded.map((filesOf) => filesOf(running)),
    log,
  );
  reload = () => void monitor.check(true);
  logStart(log, server, settings, running.url);
  const page = link === undefined ? await startServerConsole(options, running.url) : undefined;
  if (link === undefined) console.log(`listening on ${running.url}`);
  else link.listens(running.url);
  if (page !== undefined) console.log(`console on ${page.url}`);
  await shutdown;
  const { shutdownDelay } = options;
  log.info("shutting down: requests are still served", { shutdownDelay });
  running.drain();
  await sleep(shutdownDelay);
  monitor.stop();
  log.info("closing the port and the watches");
  await page?.close();
  await running.close();
  log.info("stopped");
  await log.close();
  // A log that nobody reads would keep the process alive.
  process.exit();
}

/** @throws Error naming the option */
function checkWorkers(flag: FlagOf): void {
  const [pipe] = readPipes();
  if (pipe === undefined) return;
  const name = flag("workers");
  throw new Error(`${name}: each worker reads ${pipe}, which is a pipe; use a file`);
}

/** Time for the requests in progress, and some more for a busy machine. */
const CLOSE_TIMEOUT_MS = 15_000;

/** Runs the server in several processes. This one only accepts connections, and serves the console. */
async function serveWithWorkers<
  Options extends ServerCommandOptions,
  Complete extends ListenSettings,
>(
  server: ServerCommand<Options, Complete>,
  options: Options,
  settings: Complete,
  log: Logger,
): Promise<void> {
  const { workers = 1, shutdownDelay } = options;
  const pool = new WorkerPool(workers, log);
  process.on("SIGHUP", () => pool.reload());
  const shutdown = waitForShutdown();
  const failure = await Promise.race([pool.start(settings), shutdown.then(() => 0)]);
  if (failure !== undefined) {
    pool.kill();
    process.exit(failure);
  }
  warnIfOpen(settings, server.remedies(settings), log);
  log.info(`the workers of the ${server.name} listen`, {
    url: pool.url,
    workers,
    pid: process.pid,
  });
  const page = await startServerConsole(options, pool.url);
  console.log(`listening on ${pool.url}`);
  if (page !== undefined) console.log(`console on ${page.url}`);
  await shutdown;
  log.info("shutting down the workers", { shutdownDelay });
  await pool.shutdown(shutdownDelay + CLOSE_TIMEOUT_MS);
  await page?.close();
  log.info("stopped");
  await log.close();
  process.exit();
}

function logStart<Complete extends ListenSettings>(
  log: Logger,
  server: { readonly name: string; describe?(complete: Complete): LogFields },
  complete: Complete,
  url: string,
): void {
  log.info(`${server.name} listens`, {
    ...{ url, version: VERSION, node: process.version, pid: process.pid },
    tls: complete.tls !== undefined,
    auth: complete.rootPassword === undefined ? "as stored" : "on",
    ...server.describe?.(complete),
  });
}

/** Reloads changed files, and warns of certificates that expire. */
function monitorFiles(files: readonly ServerFiles[], logger: Logger): FileMonitor {
  const log = (line: string): void => {
    const [, warning] = /^warning: (.*)$/s.exec(line) ?? [];
    if (warning === undefined) logger.info(line);
    else logger.warn(warning);
  };
  const expiry = new ExpiryLog(log);
  const checkExpiry = (): void => {
    for (const { name, certificate } of files) {
      const pem = certificate?.();
      if (pem !== undefined) expiry.check(name, pem, systemClock.now());
    }
  };
  const monitor = new FileMonitor(files, systemClock, log);
  checkExpiry();
  monitor.start(checkExpiry);
  return monitor;
}

/** The password of v2's user root. @throws Error naming the option */
export function rootPassword({ authRootPasswordFile: file }: ServerCommandOptions, flag: FlagOf) {
  return rootPasswordOf({ option: flag("auth-root-password-file"), file });
}

/** The settings that every server needs to listen. @throws Error naming the option */
export async function listenSettings(
  options: ServerCommandOptions,
  { value: tls, reloaded }: ReadFiles<ServerTls | undefined>,
  flag: FlagOf,
): Promise<Prepared<ListenSettings>> {
  const { host, port, advertise, cors, allowedHosts } = options;
  const root = await rootPassword(options, flag);
  const settings = {
    host,
    port,
    ...(tls !== undefined && { tls }),
    ...(advertise !== undefined && { advertise }),
    ...(cors !== undefined && { cors }),
    ...(allowedHosts !== undefined && { allowedHosts }),
    ...(root.value !== undefined && { rootPassword: root.value }),
  };
  return { settings, reloaded: [...reloaded, ...root.reloaded] };
}
