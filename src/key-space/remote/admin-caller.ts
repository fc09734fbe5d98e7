import type { Cluster } from "../../cluster/cluster.js";
import { adminGet } from "../../wire/admin-request.js";
import { decodeAdminResponse } from "../../wire/admin-response.js";
import type { HttpRequest } from "../../wire/http.js";
import { requireSuccess } from "../../wire/http-response.js";
import type { CallOptions } from "../call-options.js";

type IsShape<T> = (value: unknown) => value is T;

/** Calls the admin endpoints, which are not about keys. */
export class AdminCaller {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Reads an object. `mapError` may replace an error. */
  read<T>(
    path: string,
    isShape: IsShape<T>,
    options: CallOptions = {},
    mapError: (error: unknown) => unknown = (error) => error,
  ): Promise<T> {
    return this.#send(adminGet(path), isShape, options, mapError);
  }

  /** Sends a change whose response is an object. */
  write<T>(request: HttpRequest, isShape: IsShape<T>, options: CallOptions = {}): Promise<T> {
    return this.#send(request, isShape, options, (error) => error);
  }

  /** Sends a change whose response is empty. */
  command(request: HttpRequest, { signal }: CallOptions = {}): Promise<void> {
    return this.#cluster.send(request, (response) => requireSuccess(request, response), signal);
  }

  #send<T>(
    request: HttpRequest,
    isShape: IsShape<T>,
    { signal }: CallOptions,
    mapError: (error: unknown) => unknown,
  ): Promise<T> {
    return this.#cluster.send(
      request,
      (response) => {
        try {
          return decodeAdminResponse(request, response, isShape);
        } catch (error) {
          throw mapError(error);
        }
      },
      signal,
    );
  }
}
