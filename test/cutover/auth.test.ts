/** The switch of a cluster with v2 auth: users, roles and passwords go along, and nobody gets more than before. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { check } from "../../src/cutover/check.js";
import { type FlipOptions, flip } from "../../src/cutover/flip.js";
import { EtcdClient } from "../../src/index.js";
import type { ServedGateway } from "../../src/server/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd } from "../support/etcd.js";
import { type Answer, ask, untilWatched } from "./clients.js";
import { afterListing, HOLD_MS, useSwitchRigs } from "./switch-rig.js";

const ROOT = { username: "root", password: "root pass" };
const GATE = { username: "gate", password: "gate pass" };
const APP = "app:app pass";
const VIEW = "view:view pass";
const RARE = "rare:rare pass";
/** v2 does not list it, nor its role. */
const HIDDEN = "_hidden:hidden pass";

/** Equal polls of one user. */
const POLLS = 40;

/** The watches that the members of v2 have got. */
async function watchRequests(urls: readonly string[]): Promise<number> {
  const counts = urls.map(async (url) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^etcd_debugging_store_watch_requests_total (\d+)$/m.exec(text)?.[1]);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function addUsers(etcd: EtcdClient): Promise<void> {
  const { auth } = etcd;
  await auth.users.create("root", { password: ROOT.password });
  await auth.roles.create("all", { read: ["/*"] });
  await auth.roles.create("write", { read: ["/data/*", "/data"], write: ["/data/*"] });
  await auth.roles.create("view", { read: ["/data/*"] });
  await auth.roles.create("_hidden", { read: ["/hidden"] });
  await auth.users.create("_hidden", { password: "hidden pass", roles: ["_hidden"] });
  await auth.users.create("gate", { password: GATE.password, roles: ["all"] });
  await auth.users.create("app", { password: "app pass", roles: ["write"] });
  await auth.users.create("view", { password: "view pass", roles: ["view", "_hidden"] });
  await auth.users.create("rare", { password: "rare pass", roles: ["view"] });
  await auth.enable();
  await using root = new EtcdClient({ urls: [...(await etcd.machines())], ...ROOT });
  await root.auth.roles.update("guest", { revoke: { read: ["/*"], write: ["/*"] } });
  await root.setNode("/data/a", "1");
  await root.setNode("/secret/a", "1");
  await root.setNode("/hidden", "1");
}

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "etcdnet-")), "password");
  writeFileSync(file, `${text}\n`);
  return file;
}

const authorization = (credentials: string) =>
  `Basic ${Buffer.from(credentials).toString("base64")}`;

/** A request with credentials; without them, one of a guest. */
function as(
  credentials: string | undefined,
  gateway: { readonly url: string },
  path: string,
  value?: string,
): Promise<Answer> {
  return ask(gateway, path, {
    ...(credentials !== undefined && { headers: { authorization: authorization(credentials) } }),
    ...(value !== undefined && { method: "PUT", body: new URLSearchParams({ value }) }),
  });
}

/** What each user may do, in any phase. */
async function expectRights(gateway: ServedGateway): Promise<void> {
  const tried: [string | undefined, string, string?][] = [
    [APP, "/data/b", "2"],
    [APP, "/data/a"],
    [APP, "/secret/a"],
    [VIEW, "/data/a"],
    [VIEW, "/data/b", "3"],
    ["app:wrong", "/data/b"],
    ["app:wrong", "/data/b", "3"],
    [undefined, "/data/b"],
    [undefined, "/data/b", "3"],
    [VIEW, "/hidden"],
    [HIDDEN, "/hidden"],
    [HIDDEN, "/data/a"],
    [VIEW, "/secret?wait=true&recursive=true"],
    [VIEW, "/data?wait=true&recursive=true"],
    ["view:wrong", "/data/b?wait=true&waitIndex=1"],
    [undefined, "/data/b?wait=true&waitIndex=1"],
  ];
  const statuses = await Promise.all(
    tried.map(async (each) => (await as(each[0], gateway, each[1], each[2])).status),
  );
  expect(statuses.map((status, at) => `${tried[at]} ${status === 201 ? 200 : status}`)).toEqual([
    `${APP},/data/b,2 200`,
    `${APP},/data/a 200`,
    `${APP},/secret/a 401`,
    `${VIEW},/data/a 200`,
    `${VIEW},/data/b,3 401`,
    "app:wrong,/data/b 401",
    "app:wrong,/data/b,3 401",
    ",/data/b 401",
    ",/data/b,3 401",
    `${VIEW},/hidden 200`,
    `${HIDDEN},/hidden 200`,
    `${HIDDEN},/data/a 401`,
    `${VIEW},/secret?wait=true&recursive=true 401`,
    // Only the keys below, not the directory itself.
    `${VIEW},/data?wait=true&recursive=true 401`,
    "view:wrong,/data/b?wait=true&waitIndex=1 401",
    ",/data/b?wait=true&waitIndex=1 401",
  ]);
}

describeWithEtcd("3.7", "a cut-over with v2 auth", () => {
  const { start, keep } = useSwitchRigs();
  beforeAll(buildIfStale);

  it("takes users, roles and passwords along, and back again", async () => {
    const rig = await start(2, { prepare: addUsers, user: GATE });
    const { target, gateways, sourceUrls, targetUrls } = rig;
    const [first, second = first] = gateways;
    const source = keep(new EtcdClient({ urls: sourceUrls, ...ROOT }));
    const memberAt = (url: string) => new EtcdClient({ urls: [url], ...ROOT });
    const options: FlipOptions = { memberAt };
    const clusters = ["--source", sourceUrls.join(","), "--endpoints", targetUrls.join(",")];
    const cutover = async (...args: readonly string[]) => {
      await using cli = new Cli("cutover", ...args, ...clusters);
      const code = await cli.exit;
      return { code, stdout: cli.stdout, stderr: cli.stderr };
    };
    await expectRights(first);

    // Only root can prepare it.
    const gate = ["--source-username", "gate", "--source-password-file", fileWith(GATE.password)];
    const armed = ["arm", "--gateways", "2", "--hold", `${HOLD_MS}ms`];
    expect(await cutover(...armed, ...gate)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(
        "role root can read its users; name it with --source-username",
      ),
    });
    const root = ["--source-username", "root", "--source-password-file", fileWith(ROOT.password)];
    expect(await cutover(...armed, ...root)).toMatchObject({ code: 0, stdout: "armed\n" });
    await expect(flip(source, target, options)).rejects.toThrow(/logged in .*: .*app/);
    await expectRights(first);
    const observing = { hold: HOLD_MS, observe: 1, memberAt };
    const blockers = async () => (await check(source, target, observing)).blockers;
    await expect
      .poll(async () => (await blockers()).filter((each) => each.includes("app")))
      .toEqual([]);
    await as(VIEW, second, "/data/a");
    await expect.poll(blockers).toEqual([expect.stringMatching(/logged in .*: rare$/)]);

    // The passwords that were recorded must be those at the switch.
    const put = { method: "PUT", headers: { authorization: authorization("root:root pass") } };
    for (const path of ["/v2/auth", "/v2/%61uth"]) {
      const changed = await fetch(`${first.url}${path}/users/view`, {
        ...put,
        body: '{"user":"view","password":"other"}',
      });
      expect(changed.status).toBe(503);
      expect(await changed.text()).toContain("between arm and flip");
    }

    // etcd checks the password for each watch that it gets, which takes a tenth of a second. Polls that arrive while v2 is
    // asked share the next question: how many depends on the speed of the machine.
    const asked = await watchRequests(sourceUrls);
    const polls = Array.from({ length: POLLS }, () => as(APP, second, "/data/polled?wait=true"));
    await untilWatched(second, POLLS);
    expect((await watchRequests(sourceUrls)) - asked).toBeLessThan(POLLS);
    // This user is left out.
    const ended = as(RARE, second, "/data/left?wait=true");
    await untilWatched(second, POLLS + 1);
    const held: Promise<Answer>[] = [];
    const onHold = () => {
      held.push(as(APP, first, "/data/held", "1"), as(VIEW, first, "/data/held", "2"));
      held.push(
        as("app:wrong", first, "/data/held", "3"),
        as(undefined, second, "/data/held", "4"),
      );
      held.push(as(VIEW, second, "/secret?wait=true"), as(RARE, second, "/data/a"));
    };
    // A role that is changed after the first copy of the users is copied again.
    const more = { read: ["/more"] };
    let change: Promise<unknown> | undefined;
    const changing = afterListing(source, "/secret/a", async () => {
      change ??= source.auth.roles.update("view", { grant: more });
      await change;
    });
    const withoutRoot = { ...options, withoutUsers: ["rare", "root"] };
    await expect(flip(source, target, withoutRoot)).rejects.toThrow(/nobody could change users/);
    await flip(changing, target, { ...options, withoutUsers: ["rare"], onHold });
    await as(APP, second, "/data/left", "told");
    expect((await ended).body).toEqual({});
    expect((await as(VIEW, first, "/more")).status).toBe(404);
    const statuses = (await Promise.all(held)).map(({ status }) => status);
    expect(statuses).toEqual([201, 401, 401, 401, 401, 401]);
    await expectRights(second);
    await as(APP, first, "/data/polled", "told");
    const told = (await Promise.all(polls)).map(({ body }) => body.node?.value);
    expect(told).toEqual(Array.from({ length: POLLS }, () => "told"));
    const listed = await fetch(`${first.url}/v2/auth/users`, { headers: put.headers });
    const { users } = (await listed.json()) as { users: { user: string }[] };
    expect(users.map((each) => each.user)).toEqual(["_hidden", "app", "gate", "root", "view"]);

    // It has logged in since arm, so it counts as removed on v3.
    await source.auth.users.remove("rare");
    // v2 takes no hash, so a password that was changed must be set there too.
    const body = '{"user":"view","password":"new pass"}';
    expect((await fetch(`${first.url}/v2/auth/users/view`, { ...put, body })).status).toBe(200);
    const refused = async (...args: readonly string[]) => {
      const { code, stderr } = await cutover("back", ...root, ...args);
      expect(code).toBe(4);
      return stderr;
    };
    expect(await refused()).toContain(
      "changed on v3: the password of view; change them on v2 in the same way",
    );
    await source.auth.users.update("view", { password: "new pass" });
    await source.auth.roles.update("view", { revoke: more });
    const set = ["--password-set", "view"];
    expect(await refused(...set)).toContain("changed on v3: role view; ");
    await source.auth.roles.update("view", { grant: more });
    const late = as(APP, second, "/data/polled?wait=true");
    await untilWatched(second, 1);
    const returned = await cutover("back", ...root, ...set);
    expect(returned.stdout, returned.stderr).toContain("returned to v2");
    expect((await as("view:new pass", first, "/data/b")).status).toBe(200);
    expect((await as(VIEW, first, "/data/b")).status).toBe(401);
    expect((await as(APP, second, "/data/polled", "again")).status).toBe(200);
    expect((await late).body.node?.value).toBe("again");
    const { permissions } = await source.auth.roles.get("guest");
    expect(permissions.kv).toEqual({ read: [], write: [] });
  });
});
