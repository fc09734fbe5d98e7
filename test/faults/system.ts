import { setTimeout } from "node:timers/promises";
import type { EtcdProcess } from "../../scripts/etcd-process.mjs";
import { EtcdClient } from "../../src/index.js";
import { cpuShare } from "../support/cpu-share.js";
import { type EtcdCluster, type Release, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { PeerLinks } from "../support/peer-links.js";
import { V3Tool } from "../v3/v3-tools.js";
import type { Programs } from "./bundle.js";
import { GatewayProcess } from "./gateway-process.js";
import { HostNames } from "./host-names.js";

export const SYSTEM_NAMES = ["v2", "v3", "gateway", "cutover"] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];

const GATEWAYS = ["g1", "g2"];
/** The process that switches gateways. */
const SWITCHER = "switcher";
/** Release of the cluster to which gateways are switched. */
const NEXT_RELEASE = "3.7";
const HEALTHY_WITHIN_MS = 300_000;
/** Whether the machine is so busy that a process may have to wait for a second. */
const IS_BUSY = cpuShare() < 0.4;
/** etcd's defaults; more on a busy machine, which would otherwise change the leader without a fault. */
const ELECTION = IS_BUSY
  ? ["--heartbeat-interval=500", "--election-timeout=5000"]
  : ["--heartbeat-interval=100", "--election-timeout=1000"];

/** So small that it can be filled. etcd forgets old revisions every five minutes. */
const SMALL_STORE = [
  `--quota-backend-bytes=${48 * 1024 ** 2}`,
  "--auto-compaction-mode=revision",
  "--auto-compaction-retention=5000",
];

/** The connections of one worker or gateway to one server, through a proxy. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** Host name by which the caller reaches the proxy. */
  readonly name: string;
  readonly proxy: FaultProxy;
}

/** A system under test: members, gateways, and the links by which they are reached. */
export class FaultSystem implements AsyncDisposable {
  readonly name: SystemName;
  readonly release: Release;
  readonly members: readonly EtcdProcess[];
  readonly gateways: readonly GatewayProcess[];
  readonly links: readonly Link[];
  readonly peerLinks: PeerLinks;
  readonly names: HostNames;
  /** Uses the members directly. */
  readonly admin: EtcdClient;
  readonly #cluster: EtcdCluster;
  /** The v3 cluster to which the gateways are switched. */
  readonly next: EtcdCluster | undefined;

  /** `workers` names the processes that get links of their own. */
  static async start(
    name: SystemName,
    release: Release,
    workers: readonly string[],
    programs: Programs,
  ): Promise<FaultSystem> {
    const peerLinks = new PeerLinks();
    const hasV2 = name === "v2" || name === "cutover";
    const cluster = await startEtcd({
      release,
      members: 3,
      v2: hasV2,
      peerLinks,
      args: hasV2 ? ELECTION : [...ELECTION, ...SMALL_STORE],
    });
    const { members } = cluster;
    const names = new HostNames();
    if (name === "v2" || name === "v3") {
      const links = await linksTo(workers, members, names);
      return new FaultSystem(name, release, cluster, undefined, peerLinks, names, [], links);
    }
    const next =
      name === "cutover"
        ? await startEtcd({ release: NEXT_RELEASE, members: 3, args: ELECTION })
        : undefined;
    const toMembers = await linksTo(GATEWAYS, members, names);
    const toNext = await linksTo(GATEWAYS, membersOf(next), names);
    const ofSwitcher =
      next === undefined ? [] : await linksTo([SWITCHER], [...members, ...membersOf(next)], names);
    const gateways = await Promise.all(
      GATEWAYS.map((gateway) => {
        const urls = urlsFrom(toMembers, gateway);
        const clusters =
          next === undefined
            ? { etcd: { urls } }
            : { source: { urls }, etcd: { urls: urlsFrom(toNext, gateway) } };
        return GatewayProcess.start(gateway, programs.gateway, clusters, names);
      }),
    );
    const ofWorkers = await linksTo(workers, gateways, names);
    const links = [...toMembers, ...toNext, ...ofSwitcher, ...ofWorkers];
    return new FaultSystem(name, release, cluster, next, peerLinks, names, gateways, links);
  }

  private constructor(
    name: SystemName,
    release: Release,
    cluster: EtcdCluster,
    next: EtcdCluster | undefined,
    peerLinks: PeerLinks,
    names: HostNames,
    gateways: readonly GatewayProcess[],
    links: readonly Link[],
  ) {
    this.name = name;
    this.release = release;
    this.#cluster = cluster;
    this.next = next;
    this.members = [...cluster.members, ...(next?.members ?? [])];
    this.peerLinks = peerLinks;
    this.names = names;
    this.gateways = gateways;
    this.links = links;
    this.admin = new EtcdClient({ urls: cluster.urls, api: this.memberApi, ...IMPATIENT });
  }

  /** The API of the members. Gateways serve v2. */
  get memberApi(): "v2" | "v3" {
    return this.name === "v2" || this.name === "cutover" ? "v2" : "v3";
  }

  /** The API that the workers use. */
  get clientApi(): "v2" | "v3" {
    return this.name === "v3" ? "v3" : "v2";
  }

  /** The URLs of both clusters that the process uses which switches gateways. It knows no names. */
  get switcherUrls(): { readonly source: readonly string[]; readonly target: readonly string[] } {
    const own = this.links.filter(({ from }) => from === SWITCHER);
    const next = membersOf(this.next).map(({ name }) => name);
    const urlsTo = (isNext: boolean): readonly string[] =>
      own.filter(({ to }) => next.includes(to) === isNext).map(({ proxy }) => proxy.url);
    return { source: urlsTo(false), target: urlsTo(true) };
  }

  /** The URLs that a worker uses. */
  urlsOf(worker: string): readonly string[] {
    return urlsFrom(this.links, worker);
  }

  /** A client of the v3 API of the members. */
  v3Tool(): V3Tool {
    return new V3Tool(this.#cluster.urls);
  }

  /** Waits until a write and a linearizable read succeed at every member, gateway and link. */
  async untilHealthy(): Promise<void> {
    const next = membersOf(this.next);
    const members = this.#cluster.members.map(({ url }) => ({ url, api: this.memberApi }));
    const gateways = this.gateways.map(({ url }) => ({ url, api: "v2" as const }));
    const isToNext = (link: Link): boolean => next.some(({ name }) => name === link.to);
    const links = this.links
      .filter((link) => !isToNext(link))
      .map(({ from, proxy }) => ({
        url: proxy.url,
        api: GATEWAYS.includes(from) ? this.memberApi : this.clientApi,
      }));
    // Before the switch, a write to the v3 cluster would be foreign data.
    const readOnly = [...next, ...this.links.filter(isToNext).map(({ proxy }) => proxy)];
    await Promise.all([
      ...[...members, ...gateways, ...links].map((each) => untilHealthy(each)),
      ...readOnly.map(({ url }) => untilHealthy({ url, api: "v3" }, false)),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.close();
    await Promise.all(this.gateways.map((gateway) => gateway.kill()));
    await Promise.all(this.links.map(({ proxy }) => proxy.close()));
    this.peerLinks.close();
    this.names[Symbol.dispose]();
    await this.#cluster.stop();
    await this.next?.stop();
  }
}

/** The members of the v3 cluster of a cut-over, with names of their own. */
function membersOf(next: EtcdCluster | undefined): readonly { name: string; url: string }[] {
  return (next?.members ?? []).map(({ name, url }) => ({ name: `v3-${name}`, url }));
}

const ATTEMPT_MS = IS_BUSY ? 30_000 : 10_000;
const IMPATIENT = {
  ...{ connectTimeout: ATTEMPT_MS / 2, requestTimeout: ATTEMPT_MS, writeTimeout: ATTEMPT_MS },
} as const;

async function untilHealthy(
  { url, api }: { readonly url: string; readonly api: "v2" | "v3" },
  writes = true,
): Promise<void> {
  const etcd = new EtcdClient({ urls: [url], api, ...IMPATIENT });
  const key = `/healthy/${new URL(url).port}`;
  const deadline = performance.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    try {
      if (writes) await etcd.setNode(key, "yes");
      await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
      break;
    } catch (error) {
      if (performance.now() < deadline) await setTimeout(100);
      else throw new Error(`${url} is not healthy after the faults: ${error}`, { cause: error });
    }
  }
  await etcd.close();
}

async function linksTo(
  callers: readonly string[],
  servers: readonly { readonly name: string; readonly url: string }[],
  names: HostNames,
): Promise<readonly Link[]> {
  const pairs = callers.flatMap((from) => servers.map((server) => ({ from, server })));
  return await Promise.all(
    pairs.map(async ({ from, server: { name: to, url } }) => {
      const name = `${to}.${from}.test`;
      const proxy = await FaultProxy.before(url);
      names.point(name, new URL(proxy.url).hostname);
      return { from, to, name, proxy };
    }),
  );
}

function urlsFrom(links: readonly Link[], caller: string): readonly string[] {
  const own = links.filter(({ from }) => from === caller);
  return own.map(({ name, proxy }) => `http://${name}:${new URL(proxy.url).port}`);
}
