import type { Command } from "commander";
import type { Member } from "../../model/cluster.js";
import { printRecords } from "../output/print-records.js";
import { CommandError } from "../process/command-error.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";
import { type Session, withSession } from "./session.js";

export function memberCommand(): Command {
  return commandGroup("member", "List, add, update and remove members of the cluster.", [
    listCommand(),
    addCommand(),
    updateCommand(),
    removeCommand(),
  ]);
}

function listCommand(): Command {
  return clientCommand("list", "List all members.", "etcdnet member list").action(
    (_flags: object, command: Command) => withSession(command, list),
  );
}

async function list({ etcd, format }: Session): Promise<void> {
  const members = await etcd.members.list();
  const { id: leader } = await etcd.members.leader();
  const withLeader = members.map((member) => ({ ...member, isLeader: member.id === leader }));
  printRecords(withLeader, format, {
    line: memberLine,
    head: ["ID", "NAME", "PEER URLS", "CLIENT URLS", "LEADER"],
    row: ({ id, name, peerURLs, clientURLs, isLeader }) => [
      ...[id, name, peerURLs.join(","), clientURLs.join(","), String(isLeader)],
    ],
  });
}

function memberLine(member: Member & { readonly isLeader: boolean }): string {
  const { id, name, peerURLs, clientURLs, isLeader } = member;
  if (name === "") return `${id}[unstarted]: peerURLs=${peerURLs.join(",")}`;
  const urls = `peerURLs=${peerURLs.join(",")} clientURLs=${clientURLs.join(",")}`;
  return `${id}: name=${name} ${urls} isLeader=${isLeader}`;
}

function addCommand(): Command {
  const example = "etcdnet member add m4 http://10.0.0.4:2380";
  return clientCommand("add", "Add a member. Start it afterwards.", example)
    .argument("<name>")
    .argument("<peerURL>")
    .action((name: string, url: string, _flags: object, command: Command) =>
      withSession(command, (session) => add(session, name, url)),
    );
}

async function add({ etcd }: Session, newName: string, url: string): Promise<void> {
  const { id: newId } = await etcd.members.add([url]);
  print(`Added member named ${newName} with ID ${newId} to cluster`);
  const members = await etcd.members.list();
  const cluster = members.flatMap(({ id, name, peerURLs }) =>
    peerURLs.map((peerURL) => `${id === newId ? newName : name}=${peerURL}`),
  );
  print(
    "",
    `ETCD_NAME=${JSON.stringify(newName)}`,
    `ETCD_INITIAL_CLUSTER=${JSON.stringify(cluster.join(","))}`,
    'ETCD_INITIAL_CLUSTER_STATE="existing"',
  );
}

function updateCommand(): Command {
  const example = "etcdnet member update 8e9e05c52164694d http://10.0.0.4:2380";
  return clientCommand("update", "Change the peer URLs of a member.", example)
    .argument("<memberID>")
    .argument("<peerURLs>", "comma-separated")
    .action((id: string, urls: string, _flags: object, command: Command) =>
      withSession(command, async ({ etcd }) => {
        await etcd.members.update(id, urls.split(","));
        print(`Updated member with ID ${id} in cluster`);
      }),
    );
}

function removeCommand(): Command {
  const example = "etcdnet member remove 8e9e05c52164694d";
  return clientCommand("remove", "Remove a member permanently.", example)
    .argument("<memberID>")
    .action((id: string, _flags: object, command: Command) =>
      withSession(command, (session) => remove(session, id)),
    );
}

async function remove({ etcd }: Session, id: string): Promise<void> {
  const members = await etcd.members.list();
  if (!members.some((member) => member.id === id)) throw unknownMember(id, members);
  await etcd.members.remove(id);
  print(`Removed member ${id} from cluster`);
}

function unknownMember(id: string, members: readonly Member[]): CommandError {
  const named = members.find(({ name }) => name === id);
  const hint = named === undefined ? "" : ` The member with that name has the ID ${named.id}.`;
  return new CommandError(`Couldn't find a member in the cluster with an ID of ${id}.${hint}`);
}
