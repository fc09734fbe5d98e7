import type { Command } from "commander";

/** A command, loaded when it is called: what the others need costs no time then. */
export interface CommandEntry {
  readonly name: string;
  /** For the list of all commands. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const entry = (name: string, summary: string, load: CommandEntry["load"]): CommandEntry => ({
  name,
  summary,
  load,
});

/** All commands, in the order in which the help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  entry("get", "print the value of a key", async () =>
    (await import("./commands/get.js")).getCommand(),
  ),
  entry("set", "set the value of a key", async () =>
    (await import("./commands/set.js")).setCommand(),
  ),
  entry("mk", "make a key that must not exist", async () =>
    (await import("./commands/mk.js")).mkCommand(),
  ),
  entry("update", "change the value of a key that exists", async () =>
    (await import("./commands/update.js")).updateCommand(),
  ),
  entry("mkdir", "make a directory that must not exist", async () =>
    (await import("./commands/directories.js")).mkdirCommand(),
  ),
  entry("setdir", "make a directory, or turn a key into one", async () =>
    (await import("./commands/directories.js")).setdirCommand(),
  ),
  entry("updatedir", "change the TTL of a directory that exists", async () =>
    (await import("./commands/directories.js")).updatedirCommand(),
  ),
  entry("rm", "remove a key or a directory", async () =>
    (await import("./commands/rm.js")).rmCommand(),
  ),
  entry("rmdir", "remove an empty directory or a key", async () =>
    (await import("./commands/rm.js")).rmdirCommand(),
  ),
  entry("ls", "list a directory", async () => (await import("./commands/ls.js")).lsCommand()),
  entry("tree", "draw a directory with all that is in it", async () =>
    (await import("./commands/tree.js")).treeCommand(),
  ),
  entry("watch", "wait for changes of a key and print them", async () =>
    (await import("./commands/watch.js")).watchCommand(),
  ),
  entry("exec-watch", "run a program for every change of a key", async () =>
    (await import("./commands/exec-watch.js")).execWatchCommand(),
  ),
  entry("lock", "run a program while a lock is held", async () =>
    (await import("./commands/lock.js")).lockCommand(),
  ),
  entry("elect", "stand for election and lead until Ctrl-C", async () =>
    (await import("./commands/elect.js")).electCommand(),
  ),
  entry("register", "register an instance of a service while a program runs", async () =>
    (await import("./commands/register.js")).registerCommand(),
  ),
  entry("export", "write a tree to a file, as JSON lines", async () =>
    (await import("./commands/export.js")).exportCommand(),
  ),
  entry("import", "write what export has written into a cluster", async () =>
    (await import("./commands/import.js")).importCommand(),
  ),
  entry("migrate", "move a tree to another cluster or API while it is in use", async () =>
    (await import("./commands/migrate.js")).migrateCommand(),
  ),
  entry("diff", "compare the trees of two clusters or APIs", async () =>
    (await import("./commands/diff.js")).diffCommand(),
  ),
  entry("cluster-health", "ask every member how it is", async () =>
    (await import("./commands/cluster-health.js")).clusterHealthCommand(),
  ),
  entry("member", "list, add, update and remove members", async () =>
    (await import("./commands/member.js")).memberCommand(),
  ),
  entry("user", "list, add, change and remove users", async () =>
    (await import("./commands/user.js")).userCommand(),
  ),
  entry("role", "list, add, change and remove roles", async () =>
    (await import("./commands/role.js")).roleCommand(),
  ),
  entry("auth", "enable and disable auth", async () =>
    (await import("./commands/auth.js")).authCommand(),
  ),
  entry("serve", "serve etcd's v2 API from this process's memory", async () =>
    (await import("./commands/serve-command.js")).serveCommand(),
  ),
  entry("gateway", "serve etcd's v2 API from a cluster that has v3 only", async () =>
    (await import("./commands/gateway-command.js")).gatewayCommand(),
  ),
  entry("completion", "print a completion script for a shell", async () =>
    (await import("./commands/completion.js")).completionCommand(),
  ),
];
