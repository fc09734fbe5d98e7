/** Requests of `/v2/auth`, one after the other, with the answer that each must get. */

import { expect } from "vitest";
import { type AuthServer, authServer } from "./auth-server.js";

/** Method and path, the body if there is one, and the answer: status and body. */
type Step =
  | readonly [request: string, status: number, answer: object | string]
  | readonly [request: string, body: object | string, status: number, answer: object | string];

export const ROOT_ROLE = { role: "root", permissions: { kv: { read: ["/*"], write: ["/*"] } } };

/** Asks, as root with this password when there is one: then auth is enabled first. */
export async function walk(steps: readonly Step[], rootPassword?: string): Promise<void> {
  const server = authServer();
  if (rootPassword !== undefined) await enable(server, rootPassword);
  const as = rootPassword === undefined ? {} : { as: `root:${rootPassword}` };
  for (const step of steps) {
    const [request, body, status, answer] = step.length === 3 ? withoutBody(step) : step;
    const [method = "", path = ""] = request.split(" ");
    const question = { method, target: `/auth${path}`, ...(body && { body }), ...as };
    const reply = await server.ask(question);
    const expected = typeof answer === "string" ? answer : `${JSON.stringify(answer)}\n`;
    expect([reply.status, reply.body], request).toEqual([status, expected]);
  }
}

export async function enable(server: AuthServer, rootPassword: string): Promise<void> {
  await server.ask({ method: "PUT", target: "/auth/users/root", body: root(rootPassword) });
  await server.ask({ method: "PUT", target: "/auth/enable" });
}

export function root(password: string) {
  return { user: "root", password };
}

/** The body of an error. */
export function message(text: string): string {
  return JSON.stringify({ message: text });
}

export function kv(read: readonly string[] | null, write: readonly string[] | null) {
  return { kv: { read, write } };
}

function withoutBody([request, status, answer]: Extract<Step, { length: 3 }>) {
  return [request, undefined, status, answer] as const;
}
