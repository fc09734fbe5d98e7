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
  readonly membership: Pick<CutoverMembership, "state">;
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
    const { guard, review, membership, watches } = this.#parts;
    const isPermittedOnTarget = async (): Promise<boolean> =>
      (await guard.permit(request, method, path, operation)) !== undefined;
    const isValid = async (): Promise<boolean> =>
      membership.state?.phase !== "target" || (await isPermittedOnTarget());
    const reviewed = (watch: Pick<KeyWatch, "close">): (() => void) => {
      const [end, endReview] = [watches.add(watch), review.add(reviewing, watch)];
      return () => {
        end();
        endReview();
      };
    };
    const reviewing = { isValid, guard: reviewed };
    return { isValid: async () => true, guard: reviewed, isPermittedOnTarget };
  }
}
