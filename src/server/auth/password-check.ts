import { createHmac, randomBytes } from "node:crypto";
import { NOBODYS_HASH, verifyPassword } from "./password.js";

/** Right passwords that are remembered at most. */
const CAPACITY = 1000;

/**
 * Checks passwords, and knows those that were right again without the cost of scrypt. A wrong one,
 * or one of nobody, always costs the full time. What is remembered is a MAC of hash and password
 * under a key of this process: of no use elsewhere, and void once the stored hash has changed.
 */
export class PasswordCheck {
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  readonly #capacity: number;
  readonly #verify: typeof verifyPassword;

  constructor(capacity = CAPACITY, verify = verifyPassword) {
    this.#capacity = capacity;
    this.#verify = verify;
  }

  /** Whether a password is known to be right, without the cost of a check. */
  isKnown(password: Buffer, hash: string): boolean {
    return this.#right.has(this.#macOf(password, hash));
  }

  /** `hash` is what is stored for the user; `undefined` for a user who does not exist. */
  async isRight(password: Buffer, hash: string | undefined): Promise<boolean> {
    if (hash === undefined) {
      await this.#verify(password, NOBODYS_HASH);
      return false;
    }
    const mac = this.#macOf(password, hash);
    if (this.#right.has(mac)) return true;
    const right = await this.#verify(password, hash);
    if (right) this.#remember(mac);
    return right;
  }

  #macOf(password: Buffer, hash: string): string {
    return createHmac("sha256", this.#key).update(`${hash}\0`).update(password).digest("hex");
  }

  #remember(mac: string): void {
    this.#right.add(mac);
    for (const oldest of this.#right) {
      if (this.#right.size <= this.#capacity) return;
      this.#right.delete(oldest);
    }
  }
}
