/** The links between the members of a cluster, which can be cut while clients reach every member. */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../../scripts/etcd-process.mjs";

/** By what etcd says in requests to a peer: the URL at which their sender can be reached. */
const SENDER = /^x-peerurls: (\S+)\r$/im;

export class PeerLinks {
  #gates: readonly Gate[] = [];
  #isolated: Gate | undefined;

  /** Puts a gate before each of these peer URLs. @returns those that the members are to advertise */
  async lead(peerUrls: readonly string[]): Promise<readonly string[]> {
    this.close();
    this.#gates = await Promise.all(peerUrls.map((url) => Gate.before(url, this.#mayPass)));
    return this.#gates.map(({ url }) => url);
  }

  /** Cuts the member with this peer URL off from the others, which go on without it. */
  isolate(peerUrl: string): void {
    this.#isolated = this.#gates.find(({ target }) => target === peerUrl);
    if (this.#isolated === undefined) throw new Error(`no link leads to ${peerUrl}`);
    for (const gate of this.#gates) gate.check();
  }

  heal(): void {
    this.#isolated = undefined;
  }

  close(): void {
    for (const gate of this.#gates) gate.close();
  }

  /** While a member is isolated, what does not tell where it comes from does not pass either. */
  readonly #mayPass: MayPass = (from, to) => {
    if (this.#isolated === undefined) return true;
    return from !== undefined && from !== this.#isolated.url && to !== this.#isolated;
  };
}

/** Whether something from a member, by its peer URL, may pass a gate. */
type MayPass = (from: string | undefined, to: Gate) => boolean;

/** Where the links that lead to one member come in. */
class Gate {
  readonly url: string;
  readonly target: string;
  readonly #server: Server;
  readonly #mayPass: MayPass;
  /** Connections, and whom they come from. */
  readonly #links = new Map<Socket, string | undefined>();

  static async before(target: string, mayPass: MayPass): Promise<Gate> {
    const port = await freePort();
    const gate = new Gate(target, `http://127.0.0.1:${port}`, mayPass);
    await once(gate.#server.listen(port, "127.0.0.1"), "listening");
    return gate;
  }

  private constructor(target: string, url: string, mayPass: MayPass) {
    this.target = target;
    this.url = url;
    this.#mayPass = mayPass;
    this.#server = createServer((link) => this.#accept(link));
  }

  /** Closes what may not pass any more. */
  check(): void {
    for (const [link, from] of this.#links) if (!this.#mayPass(from, this)) link.destroy();
  }

  close(): void {
    this.#server.close();
    for (const link of this.#links.keys()) link.destroy();
  }

  #accept(link: Socket): void {
    this.#links.set(link, undefined);
    link.on("error", () => {}).on("close", () => this.#links.delete(link));
    link.once("data", (head) => {
      const [, from] = SENDER.exec(head.toString("latin1")) ?? [];
      this.#links.set(link, from);
      if (this.#mayPass(from, this)) this.#forward(link, head);
      else link.destroy();
    });
  }

  #forward(link: Socket, head: Buffer): void {
    const { hostname, port } = new URL(this.target);
    const member = connect(Number(port), hostname).setNoDelay(true);
    member.on("error", () => link.destroy());
    link.on("close", () => member.destroy());
    member.write(head);
    link.pipe(member).pipe(link);
  }
}
