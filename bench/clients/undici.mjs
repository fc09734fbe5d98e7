// @ts-check
import { Pool } from "undici";

/**
 * The least that an HTTP client must do on undici: one dispatch and one promise per request, the
 * body parsed, the index read. No failover, no time-out, no errors of its own.
 *
 * @type {import("../worker.mjs").Connect}
 */
export function connect(url, connections) {
  const pool = new Pool(url, { connections, pipelining: 1, keepAliveTimeout: 30_000 });
  return {
    get: async (key) => (await send(pool, "GET", `/v2/keys${key}`)).node.value,
    set: (key, value) => send(pool, "PUT", `/v2/keys${key}`, `value=${encodeURIComponent(value)}`),
    watch: (key) => send(pool, "GET", `/v2/keys${key}?wait=true`),
    close: () => pool.destroy(),
  };
}

const ETCD_INDEX = Buffer.from("X-Etcd-Index");
const FORM = ["content-type", "application/x-www-form-urlencoded"];

/**
 * @param {Pool} pool
 * @param {"GET" | "PUT"} method
 * @param {string} path
 * @param {string | null} [body]
 * @returns {Promise<{ node: { value: string }, etcdIndex: number }>}
 */
function send(pool, method, path, body = null) {
  return new Promise((resolve, reject) => {
    pool.dispatch(
      { method, path, body, headers: body === null ? [] : FORM, headersTimeout: 0, bodyTimeout: 0 },
      new Reply(resolve, reject),
    );
  });
}

/** undici's older callbacks, which bring the headers as they came: they cost the least. */
class Reply {
  #etcdIndex = 0;
  /** @type {Buffer[]} */
  #chunks = [];

  /**
   * @param {(answer: any) => void} resolve
   * @param {(error: Error) => void} reject
   */
  constructor(resolve, reject) {
    this.resolve = resolve;
    this.reject = reject;
  }

  onConnect() {}

  /** @param {number} status @param {Buffer[]} headers */
  onHeaders(status, headers) {
    if (status >= 300) throw new Error(`HTTP ${status}`);
    for (let i = 0; i < headers.length; i += 2) {
      if (!headers[i]?.equals(ETCD_INDEX)) continue;
      this.#etcdIndex = Number(headers[i + 1]?.toString("latin1"));
    }
    return true;
  }

  /** @param {Buffer} chunk */
  onData(chunk) {
    this.#chunks.push(chunk);
    return true;
  }

  onComplete() {
    const [first = Buffer.alloc(0)] = this.#chunks;
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    const answer = JSON.parse(body.toString());
    answer.etcdIndex = this.#etcdIndex;
    this.resolve(answer);
  }

  /** @param {Error} error */
  onError(error) {
    this.reject(error);
  }
}
