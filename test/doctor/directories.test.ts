/**
 * What the doctor says about a directory is what etcd does with it. DOCTOR_LONG=1 adds the slow cases;
 * DOCTOR_KEYS=50000 is the number of keys in the case with many keys.
 */

import { beforeAll, describe, expect, test } from "vitest";
import type { EtcdProcess } from "../../scripts/etcd-process.mjs";
import { buildIfStale } from "../../scripts/project.mjs";
import { collectCluster } from "../../src/doctor/collect/cluster-facts.js";
import { collectDirectory } from "../../src/doctor/collect/directory-facts.js";
import { ClusterCommands } from "../../src/doctor/commands.js";
import { diagnoseCluster, diagnoseDirectory } from "../../src/doctor/diagnose.js";
import { type Diagnosis, isClear } from "../../src/doctor/finding.js";
import { describeWithEtcd } from "../support/etcd.js";
import { binaryOf, putKey, SNAPSHOT_WITHOUT_V2, startMembers, tryStart, v2 } from "./old-member.js";
import { runMend } from "./run-mend.js";

const IS_LONG = process.env.DOCTOR_LONG === "1";
const KEYS = Number(process.env.DOCTOR_KEYS ?? 4);

beforeAll(buildIfStale);

function doctor({ dataDir }: { readonly dataDir: string }, to: string): Diagnosis {
  return diagnoseDirectory(collectDirectory(dataDir), to);
}

const idsOf = ({ findings }: Diagnosis): readonly string[] =>
  findings.filter(({ severity }) => severity !== "note").map(({ id }) => id);

/** Restarts a member without the v2 API, so that it makes a snapshot. */
async function snapshot(member: EtcdProcess): Promise<void> {
  await member.stop();
  await member.start({ args: SNAPSHOT_WITHOUT_V2 });
}

async function addUser(member: EtcdProcess): Promise<void> {
  const root = { user: "root", password: "secret" };
  await v2(member, "PUT", "/v2/auth/users/root", JSON.stringify(root));
  await v2(member, "PUT", "/v2/auth/users/bob", JSON.stringify({ ...root, user: "bob" }));
  const permissions = { kv: { read: ["/*"], write: [] } };
  await v2(member, "PUT", "/v2/auth/roles/reader", JSON.stringify({ role: "reader", permissions }));
  await v2(member, "PUT", "/v2/auth/enable");
}

interface Case {
  readonly name: string;
  readonly isSlow?: boolean;
  readonly args?: readonly string[];
  /** What happens to a member of etcd 3.5 with the v2 API before it is stopped. */
  readonly before: (member: EtcdProcess) => Promise<unknown>;
  /** Findings that are not notes, for the upgrade to 3.6. Absent: they depend on when etcd made a snapshot. */
  readonly ids?: readonly string[];
}

const WITHOUT_V2 = ["--enable-v2=false"];

const CASES: readonly Case[] = [
  {
    name: "no v2 API, no keys",
    args: WITHOUT_V2,
    before: async () => {},
    ids: [],
  },
  {
    name: "only health checks, with the v2 API",
    before: async () => {},
    ids: ["v2-in-log"],
  },
  {
    name: "keys in the log",
    isSlow: true,
    before: (member) => putKey(member, "/a"),
    ids: ["v2-keys", "v2-in-log"],
  },
  {
    name: "keys in the snapshot",
    before: async (member) => {
      await putKey(member, "/a");
      await snapshot(member);
    },
    ids: ["v2-keys", "v2-in-snapshot"],
  },
  {
    name: "keys deleted, not snapshotted",
    isSlow: true,
    before: async (member) => {
      await putKey(member, "/a");
      await v2(member, "DELETE", "/v2/keys/a");
    },
    ids: ["v2-in-log"],
  },
  {
    name: "keys deleted, the newest snapshot is from before",
    isSlow: true,
    args: ["--snapshot-count=5"],
    before: async (member) => {
      for (let at = 0; at < 12; at++) await putKey(member, "/a");
      await v2(member, "DELETE", "/v2/keys/a");
    },
  },
  {
    name: "keys deleted and snapshotted",
    before: async (member) => {
      await putKey(member, "/a");
      await v2(member, "DELETE", "/v2/keys/a");
      await snapshot(member);
    },
    ids: [],
  },
  {
    name: "only a hidden key, snapshotted: starts, and the key is lost",
    before: async (member) => {
      await putKey(member, "/_locks/a");
      await snapshot(member);
    },
    ids: ["v2-hidden-keys"],
  },
  {
    name: "an empty directory",
    isSlow: true,
    before: async (member) => {
      await v2(member, "PUT", "/v2/keys/d?dir=true");
      await snapshot(member);
    },
    ids: ["v2-keys", "v2-in-snapshot"],
  },
  {
    name: "v2 auth",
    isSlow: true,
    before: async (member) => {
      await addUser(member);
      await snapshot(member);
    },
    ids: ["v2-auth", "v2-in-snapshot"],
  },
  {
    name: "v2 auth disabled, users and roles removed",
    isSlow: true,
    before: async (member) => {
      await addUser(member);
      await v2(member, "DELETE", "/v2/auth/enable");
      for (const name of ["users/bob", "users/root", "roles/reader", "roles/guest"]) {
        await v2(member, "DELETE", `/v2/auth/${name}`);
      }
      await snapshot(member);
    },
    ids: [],
  },
  {
    name: "killed while keys are written",
    isSlow: true,
    args: ["--snapshot-count=20"],
    before: async (member) => {
      const writes = Array.from({ length: 300 }, (_, at) => putKey(member, `/k${at}`));
      await Promise.race(writes);
      await member.kill();
      await Promise.allSettled(writes);
    },
  },
];

describeWithEtcd("3.5", "the doctor on a directory of etcd 3.5", () => {
  test.concurrent.each(CASES.filter(({ isSlow }) => IS_LONG || !isSlow))("$name", async (given) => {
    const { args = [], before, ids } = given;
    await using members = await startMembers("3.5", { v2: true, args: [...args] });
    const [member] = members;
    await before(member);
    await member.stop();
    const diagnosis = doctor(member, "3.6");
    const started = await tryStart("3.6", member.dataDir);
    expect(started === true, String(started)).toBe(isClear(diagnosis));
    if (ids !== undefined) expect(idsOf(diagnosis)).toEqual(ids);
  });

  test("its commands make a directory clear, as they are printed", async () => {
    await using members = await startMembers("3.5", { v2: true });
    const [member] = members;
    for (let at = 0; at < KEYS; at += 500) {
      const some = Array.from({ length: Math.min(500, KEYS - at) }, (_, next) => at + next);
      await Promise.all(some.map((number) => putKey(member, `/key ${number % 23}/${number}`)));
    }
    await putKey(member, "/_locks/it's");
    // A command names at most 20 hidden keys. For more, the keys are exported from the files.
    for (let at = 0; at < 25; at++) await putKey(member, `/dir ${at}/_hidden/key`);
    await addUser(member);
    await member.stop();

    const diagnosis = doctor(member, "3.6");
    expect(idsOf(diagnosis)).toEqual(["v2-auth", "v2-keys", "v2-hidden-keys", "v2-in-log"]);
    await runMend("3.5", [diagnosis]);

    const mended = doctor(member, "3.6");
    expect(idsOf(mended)).toEqual([]);
    expect(isClear(mended)).toBe(true);
    expect(await tryStart("3.6", member.dataDir)).toBe(true);
  });

  test("a member that etcd 3.6 has just taken over is not ready for etcd 3.7", async () => {
    await using members = await startMembers("3.5", { v2: true, args: WITHOUT_V2 });
    const [member] = members;
    await member.stop();
    expect(idsOf(doctor(member, "3.7"))).toContain("release-skipped");
    const clear = doctor(member, "3.6");
    expect(clear).toMatchObject({ from: "3.5", to: "3.6" });
    expect(isClear(clear)).toBe(true);
  });
});

describeWithEtcd("3.6", "the doctor on a directory of etcd 3.6", () => {
  test("shows what etcd 3.5 left in the log, which etcd 3.7 refuses", async () => {
    await using members = await startMembers("3.5");
    const [member] = members;
    await member.stop();
    await member.start({ binary: binaryOf("3.6") });
    await member.stop();
    const diagnosis = doctor(member, "3.7");
    expect(diagnosis.from).toBe("3.6");
    expect(idsOf(diagnosis)).toEqual(["v2-in-log"]);
    expect(await tryStart("3.7", member.dataDir)).toContain("unmarshal should never fail");

    await runMend("3.6", [diagnosis]);
    expect(idsOf(doctor(member, "3.7"))).toEqual([]);
    expect(await tryStart("3.7", member.dataDir)).toBe(true);
    expect(idsOf(doctor(member, "3.5"))).toContain("downgrade");
  });
});

describeWithEtcd("3.4", "the doctor on a directory of etcd 3.4", () => {
  test("is clear for etcd 3.5, but not for etcd 3.6", async () => {
    await using members = await startMembers("3.4", { v2: true });
    const [member] = members;
    await putKey(member, "/a");
    await member.stop();
    expect(isClear(doctor(member, "3.5"))).toBe(true);
    expect(await tryStart("3.5", member.dataDir)).toBe(true);
    expect(idsOf(doctor(member, "3.6"))).toContain("release-skipped");
    expect(await tryStart("3.6", member.dataDir)).not.toBe(true);
  });
});

describe.runIf(IS_LONG)("the doctor on directories of three members", () => {
  /** Findings at the endpoints that are not notes. */
  async function idsAt(members: readonly EtcdProcess[], to: string): Promise<readonly string[]> {
    const urls = members.map(({ url }) => url);
    const facts = await collectCluster({ client: { urls }, keyPrefix: "", walkTimeout: 60_000 });
    const ids = idsOf(diagnoseCluster(facts, new ClusterCommands(urls), to));
    return ids.filter((id) => id !== "files-not-checked");
  }

  test("its commands make all of them clear, and then they are upgraded one after another", async () => {
    await using members = await startMembers("3.5", { size: 3 });
    await Promise.all(members.map((member) => member.stop()));
    await Promise.all(members.map((member) => member.start({ args: ["--enable-v2"] })));
    for (let at = 0; at < 30; at++) await putKey(members[0], `/a/${at}`);
    await Promise.all(members.map((member) => member.stop()));
    const diagnoses = members.map((member) => doctor(member, "3.6"));
    expect(diagnoses.map(isClear)).toEqual([false, false, false]);
    await runMend("3.5", diagnoses);
    const mended = members.map((member) => doctor(member, "3.6"));
    expect(mended.map(idsOf)).toEqual([[], [], []]);

    await Promise.all(members.map((member) => member.start()));
    await expect.poll(() => idsAt(members, "3.6")).toEqual([]);
    for (const member of members) {
      await member.stop();
      expect(idsOf(doctor(member, "3.6"))).toEqual([]);
      await member.start({ binary: binaryOf("3.6") });
      if (member !== members.at(-1)) {
        expect(await idsAt(members, "3.6")).toContain("mixed-releases");
      }
    }
    await expect.poll(() => idsAt(members, "3.7")).toEqual([]);
  });

  test.each(["learner", "removed"])("agrees with etcd when there is a %s member", async (kind) => {
    await using members = await startMembers("3.5", { args: WITHOUT_V2 });
    const [member] = members;
    const call = async (path: string, body: object) => {
      const response = await fetch(`${member.url}/v3/cluster/member/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      return await response.text();
    };
    const added = await call("add", { peerURLs: ["http://127.0.0.1:1"], isLearner: true });
    const [, ID = ""] = /"member":\{"ID":"(\d+)"/.exec(added) ?? [];
    if (kind === "removed") await call("remove", { ID });
    await member.stop();
    const diagnosis = doctor(member, "3.6");
    expect(isClear(diagnosis)).toBe(true);
    expect(await tryStart("3.6", member.dataDir)).toBe(true);
  });
});
