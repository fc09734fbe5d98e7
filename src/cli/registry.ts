import type { Command } from "commander";

/** A command. It is loaded when it is called, so that the other commands cost no time. */
export interface CommandEntry {
  readonly name: string;
  /** Shown in the list of all commands. */
  readonly summary: string;
  /** Heading of the list that shows it. */
  readonly group: string;
  readonly load: () => Promise<Command>;
}

type UngroupedEntry = Omit<CommandEntry, "group">;

const entry = (name: string, summary: string, load: CommandEntry["load"]): UngroupedEntry => ({
  name,
  summary,
  load,
});

const group = (job: string, entries: readonly UngroupedEntry[]): readonly CommandEntry[] =>
  entries.map((each) => ({ ...each, group: `${job}:` }));

/** All commands, in the order in which the help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  ...group("Keys and directories", [
    entry("get", "print the value of a key", async () =>
      (await import("./commands/get.js")).getCommand(),
    ),
    entry("set", "set the value of a key", async () =>
      (await import("./commands/set.js")).setCommand(),
    ),
    entry("mk", "create a key", async () => (await import("./commands/mk.js")).mkCommand()),
    entry("update", "change the value of an existing key", async () =>
      (await import("./commands/update.js")).updateCommand(),
    ),
    entry("edit", "edit the value of a key in an editor", async () =>
      (await import("./commands/edit.js")).editCommand(),
    ),
    entry("mkdir", "create a directory", async () =>
      (await import("./commands/directories.js")).mkdirCommand(),
    ),
    entry("setdir", "create a directory, or convert a key to a directory", async () =>
      (await import("./commands/directories.js")).setdirCommand(),
    ),
    entry("updatedir", "change the TTL of an existing directory", async () =>
      (await import("./commands/directories.js")).updatedirCommand(),
    ),
    entry("rm", "remove a key or a directory", async () =>
      (await import("./commands/rm.js")).rmCommand(),
    ),
    entry("rmdir", "remove an empty directory or a key", async () =>
      (await import("./commands/rm.js")).rmdirCommand(),
    ),
    entry("ls", "list a directory", async () => (await import("./commands/ls.js")).lsCommand()),
    entry("tree", "draw a directory with everything in it", async () =>
      (await import("./commands/tree.js")).treeCommand(),
    ),
    entry("grep", "search keys and values", async () =>
      (await import("./commands/grep.js")).grepCommand(),
    ),
  ]),
  ...group("Changes", [
    entry("watch", "wait for changes of a key and print them", async () =>
      (await import("./commands/watch.js")).watchCommand(),
    ),
    entry("wait", "wait until a key exists or has a value", async () =>
      (await import("./commands/wait.js")).waitCommand(),
    ),
    entry("history", "print the changes of a key in the past", async () =>
      (await import("./commands/history.js")).historyCommand(),
    ),
    entry("exec-watch", "run a program for every change of a key", async () =>
      (await import("./commands/exec-watch.js")).execWatchCommand(),
    ),
  ]),
  ...group("Coordination", [
    entry("lock", "run a program while a lock is held", async () =>
      (await import("./commands/lock.js")).lockCommand(),
    ),
    entry("elect", "campaign in an election and lead until Ctrl-C", async () =>
      (await import("./commands/elect.js")).electCommand(),
    ),
    entry("register", "register an instance of a service while a program runs", async () =>
      (await import("./commands/register.js")).registerCommand(),
    ),
  ]),
  ...group("Copies and migration", [
    entry("apply", "make a cluster have the keys of YAML or JSON files", async () =>
      (await import("./commands/apply.js")).applyCommand(),
    ),
    entry("export", "write a tree to a file, as JSON lines", async () =>
      (await import("./commands/export.js")).exportCommand(),
    ),
    entry("import", "write an export to a cluster", async () =>
      (await import("./commands/import.js")).importCommand(),
    ),
    entry("migrate", "copy a tree to another cluster or API while it is in use", async () =>
      (await import("./commands/migrate.js")).migrateCommand(),
    ),
    entry("cutover", "switch gateways from a v2 cluster to a v3 cluster", async () =>
      (await import("./commands/cutover.js")).cutoverCommand(),
    ),
    entry("diff", "compare the trees of two clusters or APIs", async () =>
      (await import("./commands/diff.js")).diffCommand(),
    ),
  ]),
  ...group("Cluster", [
    entry("cluster-health", "check the health of every member", async () =>
      (await import("./commands/cluster-health.js")).clusterHealthCommand(),
    ),
    entry("console", "serve a web page that shows a cluster", async () =>
      (await import("./commands/console.js")).consoleCommand(),
    ),
    entry("doctor", "show what blocks an upgrade of etcd, and how to mend it", async () =>
      (await import("./commands/doctor.js")).doctorCommand(),
    ),
    entry("member", "list, add, update and remove members", async () =>
      (await import("./commands/member.js")).memberCommand(),
    ),
  ]),
  ...group("Users and roles", [
    entry("user", "list, add, change and remove users", async () =>
      (await import("./commands/user.js")).userCommand(),
    ),
    entry("role", "list, add, change and remove roles", async () =>
      (await import("./commands/role.js")).roleCommand(),
    ),
    entry("auth", "enable and disable auth", async () =>
      (await import("./commands/auth.js")).authCommand(),
    ),
  ]),
  ...group("Servers", [
    entry("serve", "serve etcd's v2 API from the memory of this process", async () =>
      (await import("./commands/serve-command.js")).serveCommand(),
    ),
    entry("gateway", "serve etcd's v2 API for a cluster that has only v3", async () =>
      (await import("./commands/gateway-command.js")).gatewayCommand(),
    ),
    entry("probe", "check whether a gateway or server is ready", async () =>
      (await import("./commands/probe.js")).probeCommand(),
    ),
  ]),
  ...group("This program", [
    entry("context", "name clusters, so that commands need no options for them", async () =>
      (await import("./commands/context.js")).contextCommand(),
    ),
    entry("completion", "print a completion script for a shell", async () =>
      (await import("./commands/completion.js")).completionCommand(),
    ),
  ]),
];
