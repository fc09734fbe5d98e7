import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** One use of the resource, in the order of arrival. */
export interface Use {
  readonly token: number;
  readonly contender: string;
  readonly pid: number;
  readonly accepted: boolean;
}

/** A resource that a lock protects. It refuses a token below the highest one that it has received. */
export class FencedResource implements AsyncDisposable {
  readonly uses: Use[] = [];
  readonly #server: Server;
  #highest = 0;

  static async start(): Promise<FencedResource> {
    const resource = new FencedResource();
    await once(resource.#server.listen(0, "127.0.0.1"), "listening");
    return resource;
  }

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const use = (await json(request)) as Omit<Use, "accepted">;
      const accepted = use.token >= this.#highest;
      if (accepted) this.#highest = use.token;
      this.uses.push({ ...use, accepted });
      response.writeHead(accepted ? 200 : 409).end();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
  }
}
