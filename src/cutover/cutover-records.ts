import { KeyNotFoundError, NodeExistError, TestFailedError } from "../errors/common-errors.js";
import { DamagedRecordError } from "../errors/v3-errors.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { ExecuteOptions, KeySpace } from "../key-space/key-space.js";
import type { Subscription } from "../key-space/subscription.js";
import type { CompareAndSwapRequest, CreateRequest } from "../model/key-request.js";
import type { AnyNode } from "../model/node.js";
import {
  type Census,
  type Claims,
  decodeCensus,
  decodeClaims,
  encodeCensus,
  encodeClaims,
} from "./claims.js";
import { type CopyStatus, decodeCopyStatus } from "./copy-status.js";
import {
  type CutoverState,
  decodeRegistration,
  decodeState,
  encodeRegistration,
  encodeState,
  type Registration,
  type StoredState,
} from "./cutover-state.js";

/** Keys in the key space of the cut-over. */
export const STATE_KEY = "/state";
export const COPIER_KEY = "/copier";
const GATEWAYS_KEY = "/gateways";
const RETURN_KEY = "/return";
const COPY_KEY = "/copy";
const CENSUS_KEY = "/census";
const CLAIMS_KEY = "/claims";
/** Milliseconds after which a dead watch is noticed. */
const POLL_INTERVAL_MS = 2_000;

/** Another process has changed the state meanwhile. */
export class StateChangedError extends Error {
  constructor() {
    super("the state of the cut-over was changed by another process");
  }
}

/** The state at one revision. */
export interface StateReading {
  /** `undefined`: there is none. */
  readonly state: StoredState | undefined;
  readonly at: number;
}

/** A registered gateway. */
export interface RegisteredGateway extends Registration {
  readonly id: string;
}

/** The records of a cut-over, in a key space of their own on v3, whose indexes are revisions. */
export class CutoverRecords {
  readonly keySpace: KeySpace;

  constructor(keySpace: KeySpace) {
    this.keySpace = keySpace;
  }

  /** The state, read with quorum; `undefined`: there is none. @throws DamagedRecordError */
  async read(options: ExecuteOptions = {}): Promise<StoredState | undefined> {
    return (await this.readAt(options)).state;
  }

  /** The state, and the revision of etcd at which it was read. @throws DamagedRecordError */
  async readAt(options: ExecuteOptions = {}): Promise<StateReading> {
    try {
      const request = { action: "get", key: STATE_KEY, quorum: true } as const;
      const { node, etcdIndex: at } = await this.keySpace.execute(request, options);
      return { state: stateIn(node), at };
    } catch (error) {
      if (error instanceof KeyNotFoundError) return { state: undefined, at: error.index };
      throw error;
    }
  }

  /** Writes the first state. @throws StateChangedError when there is one */
  async create(state: CutoverState): Promise<StoredState> {
    const request = { action: "create", key: STATE_KEY, value: encodeState(state) } as const;
    return stateIn(await this.#swap(request));
  }

  /** Replaces the state. @throws StateChangedError */
  async change({ revision }: StoredState, state: CutoverState): Promise<StoredState> {
    const value = encodeState(state);
    const condition = { prevIndex: revision } as const;
    const request = { action: "compareAndSwap", key: STATE_KEY, value, ...condition } as const;
    return stateIn(await this.#swap(request));
  }

  /** Removes the state. @throws StateChangedError */
  async remove({ revision: prevIndex }: StoredState): Promise<void> {
    try {
      await this.keySpace.execute({ action: "compareAndDelete", key: STATE_KEY, prevIndex });
    } catch (error) {
      throw isConflict(error) ? new StateChangedError() : error;
    }
  }

  /** Delivers the state, and every later one. */
  watchState(signal: AbortSignal): Subscription {
    const request = { key: STATE_KEY, recursive: false, from: "state", state: "full" } as const;
    const limits = { bufferSize: 100, pollInterval: POLL_INTERVAL_MS };
    return this.keySpace.subscribe({ ...request, ...limits }, { signal });
  }

  async gateways(options: CallOptions = {}): Promise<readonly RegisteredGateway[]> {
    return (await this.#valuesIn(GATEWAYS_KEY, options)).flatMap(([id, value]) => {
      const registration = decodeRegistration(value);
      return registration === undefined ? [] : [{ id, ...registration }];
    });
  }

  /** @param ttl seconds */
  async register(
    id: string,
    registration: Registration,
    ttl: number,
    options: CallOptions,
  ): Promise<void> {
    const value = encodeRegistration(registration);
    const key = `${GATEWAYS_KEY}/${id}`;
    await this.keySpace.execute({ action: "set", key, value, ttl }, options);
  }

  async unregister(id: string): Promise<void> {
    try {
      await this.keySpace.execute({ action: "delete", key: `${GATEWAYS_KEY}/${id}` });
    } catch (error) {
      if (!(error instanceof KeyNotFoundError)) throw error;
    }
  }

  /** Asks all gateways for their claims. @param ttl seconds for which they respond */
  async askForClaims(census: Census, ttl: number): Promise<void> {
    const value = encodeCensus(census);
    await this.keySpace.execute({ action: "set", key: CENSUS_KEY, value, ttl });
  }

  /** The census that runs; `undefined`: none does. */
  async census(options: CallOptions): Promise<Census | undefined> {
    return decodeCensus((await this.#find(CENSUS_KEY, options))?.value ?? "");
  }

  /** Records how far a copy has got. @param ttl seconds */
  async noteCopy(value: string, ttl: number): Promise<void> {
    await this.keySpace.execute({ action: "set", key: COPY_KEY, value, ttl });
  }

  /** The copy that runs; `undefined`: none does. */
  async copy(): Promise<CopyStatus | undefined> {
    return decodeCopyStatus((await this.#find(COPY_KEY, {}))?.value ?? "");
  }

  /** @param id of the gateway @param ttl seconds */
  async claim(id: string, claims: Claims, ttl: number, options: CallOptions): Promise<void> {
    const request = { action: "set", key: `${CLAIMS_KEY}/${id}`, ttl } as const;
    await this.keySpace.execute({ ...request, value: encodeClaims(claims) }, options);
  }

  /** The claims of all gateways for a census, by the ID of the gateway. */
  async claims({ id: census }: Census): Promise<ReadonlyMap<string, Claims>> {
    const all = (await this.#valuesIn(CLAIMS_KEY, {})).map(
      ([id, value]) => [id, decodeClaims(value)] as const,
    );
    return new Map(
      all.flatMap(([id, claims]) => (claims?.census === census ? [[id, claims] as const] : [])),
    );
  }

  /** Makes this process the one that copies. @returns the revision of the record that says so */
  async takeCopier(): Promise<number> {
    const request = { action: "set", key: COPIER_KEY, value: "" } as const;
    return (await this.keySpace.execute(request)).node.modifiedIndex;
  }

  /** Writes that record again. @throws StateChangedError when another process has taken over */
  async renewCopier(prevIndex: number): Promise<number> {
    const key = COPIER_KEY;
    return (await this.#swap({ action: "compareAndSwap", key, value: "", prevIndex }))
      .modifiedIndex;
  }

  /**
   * Records that a process returns to v2.
   *
   * @param ttl seconds @param prevIndex revision of its last record; `undefined`: the first one
   * @returns the revision @throws StateChangedError when another one has a record
   */
  async noteReturn(ttl: number, prevIndex: number | undefined): Promise<number> {
    const record = { key: RETURN_KEY, value: "", ttl } as const;
    const request =
      prevIndex === undefined
        ? ({ action: "create", ...record } as const)
        : ({ action: "compareAndSwap", ...record, prevIndex } as const);
    return (await this.#swap(request)).modifiedIndex;
  }

  /** Seconds after which the record of a return ends; 0: there is none. */
  async returnEndsIn(): Promise<number> {
    return (await this.#find(RETURN_KEY, {}))?.ttl ?? 0;
  }

  async removeReturn(prevIndex: number): Promise<void> {
    await this.keySpace.execute({ action: "compareAndDelete", key: RETURN_KEY, prevIndex });
  }

  /** Names and values in a directory. */
  async #valuesIn(
    directory: string,
    options: CallOptions,
  ): Promise<readonly (readonly [string, string])[]> {
    const { nodes = [] } = (await this.#find(directory, options)) ?? {};
    return nodes.map(({ key, value = "" }) => [key.slice(directory.length + 1), value]);
  }

  async #find(key: string, options: CallOptions): Promise<AnyNode | undefined> {
    try {
      return (await this.keySpace.execute({ action: "get", key, quorum: true }, options)).node;
    } catch (error) {
      if (error instanceof KeyNotFoundError) return undefined;
      throw error;
    }
  }

  /** @throws StateChangedError */
  async #swap(request: CreateRequest | CompareAndSwapRequest): Promise<AnyNode> {
    try {
      return (await this.keySpace.execute(request)).node;
    } catch (error) {
      throw isConflict(error) ? new StateChangedError() : error;
    }
  }
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof TestFailedError ||
    error instanceof NodeExistError ||
    error instanceof KeyNotFoundError
  );
}

/** @throws DamagedRecordError */
export function stateIn({ value = "", modifiedIndex }: AnyNode): StoredState {
  const state = decodeState(value, modifiedIndex);
  if (state !== undefined) return state;
  throw new DamagedRecordError(STATE_KEY, "it must be as etcdnet has written it");
}
