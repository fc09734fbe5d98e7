import type { KeyValue } from "../../../etcd3/rpcs.js";
import { type ReadOptions, read } from "../../../etcd3/transaction.js";
import type { TxnResult } from "../../../etcd3/txn-result.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import type { GetRequest } from "../../../model/key-request.js";
import type { EtcdDirectory, EtcdNode } from "../../../model/node.js";
import type { EtcdNodeResponse } from "../../../model/response.js";
import { pathOf } from "../../shared/path.js";
import { checkPath } from "../schema/check-path.js";
import type { Leases } from "../schema/leases.js";
import {
  type NodeView,
  ownLease,
  ROOT_NODE,
  showDirectory,
  showFile,
} from "../schema/node-view.js";
import {
  exists,
  missing,
  type PathSnapshot,
  pathSnapshotReads,
  readPathSnapshot,
} from "../schema/path-snapshot.js";
import type { RequestLimits } from "../schema/request-limits.js";
import { originOf, type V3Tree } from "../schema/v3-tree.js";
import { Listing } from "./listing.js";
import { ListingPages } from "./listing-pages.js";
import { type BatchMetrics, ReadBatcher } from "./read-batcher.js";
import { isRevisionGone } from "./revision-gone.js";
import { readWithinLimit } from "./too-large.js";

/** A file that was read in a batch, and the result of the batch. */
interface Found {
  readonly kv: KeyValue | undefined;
  readonly at: TxnResult;
}

/** A GET request of the present, or of a revision. */
interface ReadRequest extends GetRequest {
  readonly revision?: number;
}

/** Executes GET requests. */
export class V3Reader {
  readonly #tree: V3Tree;
  readonly #leases: Leases;
  readonly #local: ReadBatcher<Found>;
  readonly #quorum: ReadBatcher<Found>;

  constructor(tree: V3Tree, leases: Leases) {
    this.#tree = tree;
    this.#leases = leases;
    const maxReads = (): number => tree.size.maxOperations;
    this.#local = new ReadBatcher((paths) => this.#readFiles(paths, "local"), maxReads);
    this.#quorum = new ReadBatcher((paths) => this.#readFiles(paths, "quorum"), maxReads);
  }

  /** Metrics of the batches of local and quorum reads together. */
  get metrics(): BatchMetrics {
    const [local, quorum] = [this.#local.metrics, this.#quorum.metrics];
    return {
      batches: local.batches + quorum.batches,
      batched: local.batched + quorum.batched,
    };
  }

  /** @throws KeyNotFoundError, NotDirError, … */
  async get(
    request: ReadRequest,
    offset: number,
    limits: RequestLimits,
  ): Promise<EtcdNodeResponse> {
    const { key } = request;
    const path = pathOf(key);
    checkPath(path, { operation: `GET ${key}`, key });
    if (path !== "") {
      const { kv, at } = await this.#find(path, request, limits);
      if (kv !== undefined) return await this.#file(request, path, kv, at, offset, limits);
    }
    return await this.#directory(request, path, offset, limits);
  }

  /** Reads in a batch, unless the request has a timeout or a revision of its own. */
  async #find(path: string, request: ReadRequest, limits: RequestLimits): Promise<Found> {
    if (limits.attemptTimeout === undefined && request.revision === undefined) {
      return (request.quorum ? this.#quorum : this.#local).read(path, limits.signal);
    }
    const call = callOf(request, limits);
    const file = read(this.#tree.schema.file(path), optionsOf(request));
    const at = atRevisionOf(request, await this.#tree.read([file], call));
    return { kv: at.results[0]?.kvs[0], at };
  }

  async #readFiles(paths: readonly string[], scope: V3Call["scope"]): Promise<readonly Found[]> {
    const { schema } = this.#tree;
    const [first = ""] = paths;
    const key = first || "/";
    const operation = paths.length === 1 ? `GET ${key}` : `GET ${key} and ${paths.length - 1} more`;
    const options = optionsOf({ quorum: scope === "quorum" });
    const reads = paths.map((path) => read(schema.file(path), options));
    const call: V3Call = { operation, key, safety: "read", scope };
    const at = await this.#tree.read(reads, call);
    return paths.map((_, index) => ({ kv: at.results[index]?.kvs[0], at }));
  }

  async #file(
    request: ReadRequest,
    path: string,
    kv: KeyValue,
    at: TxnResult,
    offset: number,
    limits: RequestLimits,
  ): Promise<EtcdNodeResponse> {
    const { lease } = kv;
    const view = this.#leases.mustQuery(lease)
      ? await this.#view([lease], request, offset, limits)
      : this.#currentView(request, offset);
    return responseOf(showFile(path, kv, view), at, offset);
  }

  /** Lists a directory, or throws the error for a missing node. */
  async #directory(
    request: ReadRequest,
    path: string,
    offset: number,
    limits: RequestLimits,
  ): Promise<EtcdNodeResponse> {
    for (;;) {
      try {
        return await this.#list(request, path, offset, limits);
      } catch (error) {
        if (request.revision !== undefined || !isRevisionGone(error)) throw error;
      }
    }
  }

  async #list(
    request: ReadRequest,
    path: string,
    offset: number,
    limits: RequestLimits,
  ): Promise<EtcdNodeResponse> {
    const { recursive = false, sorted = false } = request;
    const { schema } = this.#tree;
    const listing = new Listing(path, recursive);
    const pages = new ListingPages(listing, path, schema);
    const call = callOf(request, limits);
    const options = optionsOf(request);
    const first = await readWithinLimit(pages, () => {
      const below = pages.next(options);
      return this.#tree.read(pathSnapshotReads(path, schema, below, options), call);
    });
    const at = atRevisionOf(request, first);
    const snapshot = readPathSnapshot(path, at.results);
    await this.#requireNode(snapshot, request, at, offset, call);
    const { file } = snapshot.target;
    if (file !== undefined) return await this.#file(request, path, file, at, offset, limits);
    pages.take(at.results.slice(2, 4));
    await this.#readRest(pages, { ...options, revision: at.header.revision }, call);
    const { marker } = snapshot.target;
    const own = marker === undefined ? [] : [ownLease(marker)];
    const view = await this.#view([...own, ...listing.leases()], request, offset, limits);
    const nodes = listing.nodes(view, sorted);
    const node = directoryNode(snapshot, view);
    return responseOf(nodes.length === 0 ? node : { ...node, nodes }, at, offset);
  }

  /** Reads the remaining pages at the revision of the first ones. */
  async #readRest(pages: ListingPages, options: ReadOptions, call: V3Call): Promise<void> {
    while (pages.next(options).length > 0) {
      const { results } = await readWithinLimit(pages, () =>
        this.#tree.read(pages.next(options), call),
      );
      pages.take(results);
    }
  }

  async #requireNode(
    snapshotOfTarget: PathSnapshot,
    request: ReadRequest,
    at: TxnResult,
    offset: number,
    call: V3Call,
  ): Promise<void> {
    if (exists(snapshotOfTarget.target)) return;
    const snapshot = await this.#tree.readImpliedParents(
      snapshotOfTarget,
      at.header.revision,
      call,
      optionsOf(request),
    );
    throw this.#tree.toServerError(missing(snapshot), request, at, offset);
  }

  /** Queries leases whose IDs do not say when they end. */
  async #view(
    leases: Iterable<string>,
    request: ReadRequest,
    offset: number,
    limits: RequestLimits,
  ): Promise<NodeView> {
    const unknown = [...leases].filter((id) => this.#leases.mustQuery(id));
    const view = this.#currentView(request, offset);
    if (unknown.length === 0) return view;
    return { ...view, ends: await this.#leases.endsOf(unknown, callOf(request, limits)) };
  }

  /** The view without the ends of leases. */
  #currentView({ revision }: ReadRequest, offset: number): NodeView {
    return { offset, now: this.#tree.clock.now(), isPast: revision !== undefined };
  }
}

function directoryNode(
  { target: { path, marker, firstKeyBelow: first } }: PathSnapshot,
  view: NodeView,
): EtcdDirectory {
  const kv = marker ?? first;
  if (path === "" || kv === undefined) return ROOT_NODE;
  return showDirectory(path, kv, marker !== undefined, view);
}

function responseOf(node: EtcdNode, at: TxnResult, offset: number): EtcdNodeResponse {
  return { action: "get", ...originOf(at, offset), node };
}

function callOf({ key, quorum }: GetRequest, limits: RequestLimits): V3Call {
  const scope = quorum ? "quorum" : "local";
  return { operation: `GET ${key}`, key, safety: "read", scope, ...limits };
}

function optionsOf({ quorum, revision }: Pick<ReadRequest, "quorum" | "revision">): ReadOptions {
  return { ...(!quorum && { serializable: true }), ...(revision !== undefined && { revision }) };
}

/** The result as of the revision that was read. The header has that of the store. */
function atRevisionOf({ revision }: ReadRequest, result: TxnResult): TxnResult {
  return revision === undefined ? result : { ...result, header: { ...result.header, revision } };
}
