import type { CutoverMembership } from "../../cutover/membership.js";
import type { KeyWatch } from "../../key-space/key-space.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { KeyMethod } from "../../wire/key-parameters.js";
import type { KeyGuard, Permit } from "../auth/key-guard.js";
import type { WatchReview } from "../auth/watch-review.js";
import type { ServerRequest } from "../http/message.js";
import type { OpenWatches } from "../source/open-watches.js";
import type { Caller } from "./caller.js";

export type SwitchPermit = Permit & Pick<Caller, "isPermittedOnTarget">;

export interface SwitchGuardParts {
  /** Knows the users of v3. */
  readonly guard: KeyGuard;
  readonly review: WatchReview;
  readonly membership: Pick<CutoverMembership, "state" | "switches">;
  readonly watches: OpenWatches;
}

/** Permits every request, because v2 checks its credentials. If v3 serves before it ends, the users of v3 decide. */
export class SwitchGuard implements KeyGuard<SwitchPermit> {
  readonly #parts: SwitchGuardParts;

  constructor(parts: SwitchGuardParts) {
    this.#parts = parts;
  }

  async permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    operation: KeyRequest | WatchRequest,
  ): Promise<SwitchPermit> {
    const isPermittedOnTarget = async (): Promise<boolean> =>
      (await this.#parts.guard.permit(request, method, path, operation)) !== undefined;
    const guard = reviewedBy(this.#parts, isPermittedOnTarget);
    return { isValid: async () => true, guard, isPermittedOnTarget };
  }
}

/**
 * Permits what the users of v3 permit. After a return to v2, which checks the credentials of each watch that continues there,
 * they decide no more.
 */
export class TargetGuard implements KeyGuard<SwitchPermit> {
  readonly #parts: SwitchGuardParts;

  constructor(parts: SwitchGuardParts) {
    this.#parts = parts;
  }

  async permit(
    request: ServerRequest,
    method: KeyMethod,
    path: string,
    operation: KeyRequest | WatchRequest,
  ): Promise<SwitchPermit | undefined> {
    const { guard, membership } = this.#parts;
    const { switches } = membership;
    const permit = await guard.permit(request, method, path, operation);
    if (permit === undefined) return undefined;
    // Another switch has copied the users again.
    const isPermittedOnTarget = async (): Promise<boolean> =>
      membership.switches === switches
        ? permit.isValid()
        : (await guard.permit(request, method, path, operation)) !== undefined;
    return {
      isValid: () => permit.isValid(),
      guard: reviewedBy(this.#parts, isPermittedOnTarget),
      isPermittedOnTarget,
    };
  }
}

/** Closes a watch when v3 serves and its users do not permit it, or with all others. */
function reviewedBy(
  { review, watches, membership }: SwitchGuardParts,
  isPermittedOnTarget: Caller["isPermittedOnTarget"],
): Permit["guard"] {
  const isValid = async (): Promise<boolean> =>
    membership.state?.phase !== "target" || (await isPermittedOnTarget());
  const guard = (watch: Pick<KeyWatch, "close">): (() => void) => {
    const [end, endReview] = [watches.add(watch), review.add({ isValid, guard }, watch)];
    return () => {
      end();
      endReview();
    };
  };
  return guard;
}
