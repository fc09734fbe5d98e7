import type { ServedKeys } from "../routes/keys-route.js";

/** The client of a request, as each cluster knows it. */
export interface Caller {
  /** The keys of v2, with the credentials of the client. */
  readonly passed: ServedKeys;
  /** The header by which v2 knows the client; `undefined`: a guest. */
  readonly credentials: string | undefined;
  /** Whether v2 may permit the client less than the gateway itself. */
  readonly isRestricted: boolean;
  /** Whether the users of v3 permit the request. */
  isPermittedOnTarget(): Promise<boolean>;
}
