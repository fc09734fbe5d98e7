import { createHash } from "node:crypto";
import type { V3Call } from "../../../etcd3/v3-api.js";
import type { KeyRequest } from "../../../model/key-request.js";
import type { Clock } from "../../../time/clock.js";
import type { KeySchema } from "../schema/key-schema.js";
import type { Leases } from "../schema/leases.js";
import { SharedLease } from "./shared-lease.js";
import { WriteRecord } from "./write-record.js";

/** Minimum TTL in seconds of the records that the writes of this process use one after another. */
const SLOT_TTL_S = 600;
/** A record is kept for at least half of this, so an idempotency key is valid for an hour. */
const KEY_TTL_S = 7_200;
/** Maximum number of idempotency keys per lease: etcd removes all keys of a lease at once. */
const KEYS_PER_LEASE = 1_000;

/**
 * The idempotency records of this process.
 *
 * A write without a key of its own uses a slot: a record that belongs to this process, and that one
 * write uses after another. So there are as many slots as concurrent writes.
 */
export class WriteRecords {
  readonly #prefix: string;
  readonly #slotLease: SharedLease;
  readonly #keyLease: SharedLease;
  #slots: WriteRecord[] = [];
  /** Lease of the slots. Those of an earlier lease are left to expire. */
  #lease = "";
  #slotCount = 0;

  /** @param timeout milliseconds of a call with all its attempts */
  constructor({ idempotency }: KeySchema, leases: Leases, clock: Clock, timeout: number) {
    this.#prefix = idempotency;
    const slotTtl = Math.max(SLOT_TTL_S, Math.ceil((4 * timeout) / 1000));
    this.#slotLease = new SharedLease(leases, clock, slotTtl);
    this.#keyLease = new SharedLease(leases, clock, KEY_TTL_S, KEYS_PER_LEASE);
  }

  /** The record for a write, which may have an idempotency key. */
  async take(key: string | undefined, request: KeyRequest, call: V3Call): Promise<WriteRecord> {
    if (key === undefined) return await this.#takeSlot(call);
    const lease = await this.#keyLease.id(call);
    return new WriteRecord(`${this.#prefix}key/${key}`, lease, fingerprintOf(request));
  }

  /** Returns a record whose write is certainly over. */
  giveBack(record: WriteRecord): void {
    if (!record.isShared && record.lease === this.#lease) this.#slots.push(record);
  }

  /** Forgets everything, because a lease has ended or another store responds. */
  forget(): void {
    this.#slotLease.forget();
    this.#keyLease.forget();
  }

  async #takeSlot(call: V3Call): Promise<WriteRecord> {
    const lease = await this.#slotLease.id(call);
    if (lease !== this.#lease) {
      this.#lease = lease;
      this.#slots = [];
      this.#slotCount = 0;
    }
    const slot = this.#slots.pop();
    return slot ?? new WriteRecord(`${this.#prefix}slot/${lease}/${this.#slotCount++}`, lease);
  }
}

/** Equal for equal requests. What the response omits does not matter. */
function fingerprintOf(request: KeyRequest): string {
  const entries = Object.entries({ ...request, noValueOnSuccess: undefined })
    .filter(([, value]) => value !== undefined && value !== false)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("base64url").slice(0, 22);
}
