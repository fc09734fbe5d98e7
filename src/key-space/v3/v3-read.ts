import type { GetRequest } from "../../model/key-request.js";
import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { pathOf } from "../path.js";
import { decodeLeaseId, NO_LEASE } from "./lease-id.js";
import type { Leases } from "./leases.js";
import { Listing } from "./listing.js";
import { PageReader } from "./page-reader.js";
import { type BatchFigures, ReadBatches } from "./read-batches.js";
import { refusedAs } from "./refused-as.js";
import { ROOT, showDirectory, showFile, type View } from "./shown-node.js";
import { checkDepth, isDirectory, missing, readSurvey, type Survey, surveyOf } from "./survey.js";
import { read } from "./transaction.js";
import type { KeyValue, TransactionAnswer } from "./transaction-answer.js";
import type { V3Call } from "./v3-api.js";
import { originOf, type V3Store } from "./v3-store.js";

/** A file read in a batch: what was found, and the batch's answer. */
interface Found {
  readonly kv: KeyValue | undefined;
  readonly at: TransactionAnswer;
}

/** Carries out GETs. */
export class V3Reader {
  readonly #store: V3Store;
  readonly #leases: Leases;
  readonly #local: ReadBatches<Found>;
  readonly #quorum: ReadBatches<Found>;

  constructor(store: V3Store, leases: Leases) {
    this.#store = store;
    this.#leases = leases;
    this.#local = new ReadBatches((paths) => this.#readFiles(paths, "local"));
    this.#quorum = new ReadBatches((paths) => this.#readFiles(paths, "quorum"));
  }

  /** How well reads are batched, local and quorum ones together. */
  get figures(): BatchFigures {
    const [local, quorum] = [this.#local.figures, this.#quorum.figures];
    return {
      batches: local.batches + quorum.batches,
      batched: local.batched + quorum.batched,
    };
  }

  /** @throws KeyNotFoundError, NotDirError, … */
  async get(
    request: GetRequest,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const path = pathOf(request.key);
    checkDepth(path);
    if (path !== "") {
      const batches = request.quorum ? this.#quorum : this.#local;
      const { kv, at } = await batches.read(path, signal);
      if (kv !== undefined) return await this.#file(request, path, kv, at, offset, signal);
    }
    return await this.#directory(request, path, offset, signal);
  }

  async #readFiles(paths: readonly string[], scope: V3Call["scope"]): Promise<readonly Found[]> {
    const { layout } = this.#store;
    const [first = ""] = paths;
    const key = first || "/";
    const operation = paths.length === 1 ? `GET ${key}` : `GET ${key} and ${paths.length - 1} more`;
    const options = optionsOf(scope);
    const reads = paths.map((path) => read(layout.file(path), options));
    const call: V3Call = { operation, key, safety: "read", scope };
    const at = await this.#store.read(reads, call);
    return paths.map((_, index) => ({ kv: at.answers[index]?.found[0], at }));
  }

  async #file(
    request: GetRequest,
    path: string,
    kv: KeyValue,
    at: TransactionAnswer,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const view = await this.#view([kv.lease], request, offset, signal);
    return responseOf(showFile(path, kv, view), at, offset);
  }

  /** Lists a directory, or tells why there is no node. */
  async #directory(
    request: GetRequest,
    path: string,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    for (;;) {
      try {
        return await this.#list(request, path, offset, signal);
      } catch (error) {
        if (!isRevisionGone(error)) throw error;
      }
    }
  }

  async #list(
    request: GetRequest,
    path: string,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const { recursive = false, sorted = false } = request;
    const { layout } = this.#store;
    const listing = new Listing(path, recursive);
    const skips = (at: string): string | undefined => listing.subdirectoryOn(at);
    const files = new PageReader(layout.filesBelow(path), {
      prefix: layout.filePrefix,
      add: (at, kv) => listing.addFile(at, kv),
      skips,
    });
    const markers = new PageReader(layout.markersBelow(path), {
      prefix: layout.markerPrefix,
      add: (at, kv) => listing.addMarker(at, kv),
      skips,
    });
    const call = callOf(request, signal);
    const options = optionsOf(call.scope);
    const survey = surveyOf(path, layout, options);
    const at = await this.#store.read(
      [...survey, ...files.next(options), ...markers.next(options)],
      call,
    );
    const found = readSurvey(path, at.answers);
    take(files, at.answers[survey.length]);
    take(markers, at.answers[survey.length + 1]);
    this.#requireNode(found, request, at, offset);
    const { file } = found.target;
    if (file !== undefined) return await this.#file(request, path, file, at, offset, signal);
    await this.#readOn([files, markers], at.revision, call);
    const view = await this.#view(listing.leases(), request, offset, signal);
    const nodes = listing.nodes(view, sorted);
    const node = directoryNode(found, view);
    return responseOf(nodes.length === 0 ? node : { ...node, nodes }, at, offset);
  }

  /** Reads what is left, at the revision at which the first pages were read. */
  async #readOn(readers: readonly PageReader[], revision: number, call: V3Call): Promise<void> {
    const options = { ...optionsOf(call.scope), revision: String(revision) };
    for (;;) {
      const unfinished = readers.filter((reader) => reader.next().length > 0);
      if (unfinished.length === 0) return;
      const pages = unfinished.flatMap((reader) => reader.next(options));
      const { answers } = await this.#store.read(pages, call);
      for (const [index, reader] of unfinished.entries()) take(reader, answers[index]);
    }
  }

  #requireNode(survey: Survey, request: GetRequest, at: TransactionAnswer, offset: number): void {
    if (survey.target.file !== undefined || isDirectory(survey.target)) return;
    throw this.#store.refusal(missing(survey), request, at, offset);
  }

  /** Looks leases up that are not ours: their ids do not tell when they end. */
  async #view(
    leases: Iterable<string>,
    request: GetRequest,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<View> {
    const foreign = [...leases].filter((id) => id !== NO_LEASE && decodeLeaseId(id) === undefined);
    const view = this.#store.view(offset);
    if (foreign.length === 0) return view;
    return { ...view, foreign: await this.#leases.endsOf(foreign, callOf(request, signal)) };
  }
}

function take(reader: PageReader, answer: TransactionAnswer["answers"][number] | undefined): void {
  if (answer !== undefined) reader.take(answer);
}

function directoryNode({ target: { path, marker, first } }: Survey, view: View): EtcdNode {
  const kv = marker ?? first;
  if (path === "" || kv === undefined) return ROOT;
  return showDirectory(path, kv, marker !== undefined, view);
}

function responseOf(node: EtcdNode, at: TransactionAnswer, offset: number): EtcdResponse {
  return { action: "get", ...originOf(at, offset), node };
}

function callOf({ key, quorum }: GetRequest, signal: AbortSignal | undefined): V3Call {
  const scope = quorum ? "quorum" : "local";
  return { operation: `GET ${key}`, key, safety: "read", scope, signal };
}

function optionsOf(scope: V3Call["scope"]): { readonly serializable?: true } {
  return scope === "local" ? { serializable: true } : {};
}

/** Compacted meanwhile, or not there yet on another member: a newer revision helps. */
function isRevisionGone(error: unknown): boolean {
  return (
    refusedAs(error, "etcdserver: mvcc: required revision has been compacted") ||
    refusedAs(error, "etcdserver: mvcc: required revision is a future revision")
  );
}
