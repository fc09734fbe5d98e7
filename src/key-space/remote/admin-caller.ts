import type { Cluster } from "../../cluster/cluster.js";
import { decodeAdminReply } from "../../wire/admin-reply.js";
import { adminGet } from "../../wire/admin-request.js";
import type { HttpRequest } from "../../wire/http.js";
import { requireSuccess } from "../../wire/reply.js";
import type { CallOptions } from "../key-space.js";

type IsShape<T> = (value: unknown) => value is T;

/** Calls of the API besides keys. */
export class AdminCaller {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Asks for an object; `revise` may turn an error into another one. */
  read<T>(
    path: string,
    isShape: IsShape<T>,
    options: CallOptions = {},
    revise: (error: unknown) => unknown = (error) => error,
  ): Promise<T> {
    return this.#send(adminGet(path), isShape, options, revise);
  }

  /** Changes something that is answered with an object. */
  write<T>(request: HttpRequest, isShape: IsShape<T>, options: CallOptions = {}): Promise<T> {
    return this.#send(request, isShape, options, (error) => error);
  }

  /** Changes something that is answered with nothing. */
  command(request: HttpRequest, { signal }: CallOptions = {}): Promise<void> {
    return this.#cluster.send(request, (reply) => requireSuccess(request, reply), signal);
  }

  #send<T>(
    request: HttpRequest,
    isShape: IsShape<T>,
    { signal }: CallOptions,
    revise: (error: unknown) => unknown,
  ): Promise<T> {
    return this.#cluster.send(
      request,
      (reply) => {
        try {
          return decodeAdminReply(request, reply, isShape);
        } catch (error) {
          throw revise(error);
        }
      },
      signal,
    );
  }
}
