import { hashPassword, isPasswordHash, verifyPassword } from "../auth/password.js";
import { type RecordKind, Records, unlessDamaged } from "../auth/records.js";
import { KeyNotFoundError } from "../errors/common-errors.js";
import { linearizable } from "../key-space/decorators/linearizable.js";
import type { KeySpace } from "../key-space/key-space.js";
import { isObject } from "../wire/json.js";

/** The hash of a password that v2 has accepted for a user. */
interface SeenPassword {
  readonly user: string;
  readonly passwordHash: string;
}

const ALL = "/passwords";

/**
 * Hashes of the passwords that v2 has accepted since `arm`, in the key space of the cut-over. v2 gives its own hashes to
 * nobody, so gateways take those of the requests that they pass on.
 */
export class SeenPasswords {
  readonly #records: Records<SeenPassword>;

  /** @param id of the passwords since one `arm` */
  constructor(keySpace: KeySpace, id: string) {
    const kind: RecordKind<SeenPassword> = {
      directory: `${ALL}/${id}`,
      read: (json, user) =>
        isObject(json) && isPasswordHash(json.passwordHash)
          ? { user, passwordHash: json.passwordHash }
          : undefined,
    };
    // A member of v3 that is behind may have an earlier password.
    this.#records = new Records(linearizable(keySpace), kind);
  }

  /** Hashes by user. */
  async all(): Promise<ReadonlyMap<string, string>> {
    const seen = await this.#records.list();
    return new Map(seen.map(({ user, passwordHash }) => [user, passwordHash]));
  }

  /** A later password replaces an earlier one. */
  async add(user: string, password: Buffer): Promise<void> {
    const known = await unlessDamaged(this.#records.get(user));
    if (known !== undefined && (await verifyPassword(password, known.passwordHash))) return;
    await this.#records.replace(user, { user, passwordHash: await hashPassword(password) });
  }

  /** Removes those since other calls of `arm`. @param id of those that stay; `undefined`: none */
  static async removeOthers(keySpace: KeySpace, id?: string): Promise<void> {
    try {
      const { node } = await keySpace.execute({ action: "get", key: ALL, quorum: true });
      for (const { key } of node.nodes ?? []) {
        if (key === `${ALL}/${id}`) continue;
        await keySpace.execute({ action: "delete", key, recursive: true });
      }
    } catch (error) {
      if (!(error instanceof KeyNotFoundError)) throw error;
    }
  }
}
