import type { StoredState } from "../../cutover/cutover-state.js";
import { refusalIn, saysTooLarge } from "../../etcd3/error-messages.js";
import { RPC } from "../../etcd3/rpcs.js";
import { firstOf, isAbsent, isPresent, putWithoutPrevious } from "../../etcd3/transaction.js";
import type { V3Api } from "../../etcd3/v3-api.js";
import { pathOf } from "../../key-space/shared/path.js";
import { checkPath } from "../../key-space/v3/schema/check-path.js";
import { type KeyRequest, operationOf } from "../../model/key-request.js";

/** etcd accepts values up to this length with every configuration that is usual. */
const ALWAYS_ACCEPTED_BYTES = 1024 * 1024;
/** etcd checks the size of a transaction before its conditions, and these are never true. */
const KEY = "etcdnet_cutover/size";
const NEVER = [isPresent(KEY), isAbsent(KEY)];

/** While a switch is prepared: refuses writes that v3 could not store, because the switch would have to leave them out. */
export class TargetLimits {
  readonly #api: V3Api;

  constructor(api: V3Api) {
    this.#api = api;
  }

  /** @throws InvalidFieldError for the path; the refusal of v3 for the size of the value */
  async check(
    request: KeyRequest,
    state: Pick<StoredState, "phase"> | null | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { action, key } = request;
    const isWrite = action !== "get" && action !== "delete" && action !== "compareAndDelete";
    const isPrepared = state?.phase === "arming" || state?.phase === "armed";
    if (!isPrepared || !isWrite) return;
    const operation = operationOf(request);
    checkPath(pathOf(key), { operation, key });
    const value = "value" in request ? (request.value ?? "") : "";
    if (Buffer.byteLength(value) <= ALWAYS_ACCEPTED_BYTES) return;
    const transaction = firstOf([{ if: NEVER, do: [putWithoutPrevious(KEY, value)] }], []);
    try {
      await this.#api.call(RPC.txn, transaction, {
        ...{ operation, key, safety: "read", scope: "quorum", signal },
      });
    } catch (error) {
      // Another failure says nothing about the value. The switch looks at it again.
      if (saysTooLarge(refusalIn(error)?.detail ?? "")) throw error;
    }
  }
}
