import type { Missing } from "../foreign/install.js";

/** The gateways that an application is given, of which each is killed once while it runs. */
export interface Gateways {
  readonly urls: readonly [string, string];
}

/** An application that runs. */
export interface RunningApplication {
  /** Resolves when it has done more of its work. @throws Error if it ended */
  goesOn(): Promise<void>;
  /** Ends it. @throws Error if anything that it did was wrong */
  finish(): Promise<void>;
}

/** A program of other people that uses etcd's v2 API. */
export interface Application {
  readonly name: string;
  /** Installs it, unless it is there, and returns how to start it. */
  install(): ((gateways: Gateways) => Promise<RunningApplication>) | Missing;
}
