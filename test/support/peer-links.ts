/** The connections between the members of a cluster. They can be cut while clients still reach every member. */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../../scripts/etcd-process.mjs";

/** The header in which etcd sends its own peer URL in requests to a peer. */
const SENDER = /^x-peerurls: (\S+)\r$/im;

export class PeerLinks {
  #gates: readonly Gate[] = [];
  #cut: Cut | undefined;

  /** Puts a gate in front of each peer URL. @returns the URLs that the members must advertise */
  async intercept(peerUrls: readonly string[]): Promise<readonly string[]> {
    this.close();
    this.#gates = await Promise.all(peerUrls.map((url) => Gate.before(url, this.#mayPass)));
    return this.#gates.map(({ url }) => url);
  }

  /** Disconnects the member with this peer URL from the others. */
  isolate(peerUrl: string): void {
    this.#disconnect({ one: this.#advertised(peerUrl), other: undefined });
  }

  /** Disconnects two members from each other. Both still reach the others. */
  separate(peerUrl: string, otherPeerUrl: string): void {
    this.#disconnect({ one: this.#advertised(peerUrl), other: this.#advertised(otherPeerUrl) });
  }

  heal(): void {
    this.#cut = undefined;
  }

  close(): void {
    for (const gate of this.#gates) gate.close();
  }

  #advertised(peerUrl: string): string {
    const gate = this.#gates.find(({ target }) => target === peerUrl);
    if (gate === undefined) throw new Error(`no gate is in front of ${peerUrl}`);
    return gate.url;
  }

  #disconnect(cut: Cut): void {
    this.#cut = cut;
    for (const gate of this.#gates) gate.check();
  }

  /** During a cut, connections from an unknown sender do not pass either. */
  readonly #mayPass: MayPass = (from, to) => {
    if (this.#cut === undefined) return true;
    if (from === undefined) return false;
    const { one, other } = this.#cut;
    const ends = [from, to.url];
    return !ends.includes(one) || (other !== undefined && !ends.includes(other));
  };
}

/** Advertised peer URLs of two members that cannot reach each other. */
interface Cut {
  readonly one: string;
  /** undefined: every other member. */
  readonly other: string | undefined;
}

/** Whether a connection from the member with the peer URL `from` may pass a gate. */
type MayPass = (from: string | undefined, to: Gate) => boolean;

/** Accepts the connections to one member, and forwards them if they may pass. */
class Gate {
  readonly url: string;
  readonly target: string;
  readonly #server: Server;
  readonly #mayPass: MayPass;
  /** Open connections, with the peer URL of their sender. */
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

  /** Closes the connections that may no longer pass. */
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
