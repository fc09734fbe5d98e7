/** Sends requests to `/v2/auth` in sequence, and checks the response to each. */

import { expect } from "vitest";
import { type AuthServer, authServer } from "./auth-server.js";

/** Method and path, an optional body, and the expected response: status and body. */
type Step =
  | readonly [request: string, status: number, response: object | string]
  | readonly [request: string, body: object | string, status: number, response: object | string];

export const ROOT_ROLE = { role: "root", permissions: { kv: { read: ["/*"], write: ["/*"] } } };

/** Runs the steps. With `rootPassword`, it enables auth first, and sends the requests as root. */
export async function walk(steps: readonly Step[], rootPassword?: string): Promise<void> {
  const server = authServer();
  if (rootPassword !== undefined) await enable(server, rootPassword);
  const as = rootPassword === undefined ? {} : { as: `root:${rootPassword}` };
  for (const step of steps) {
    const [request, body, status, response] = step.length === 3 ? withoutBody(step) : step;
    const [method = "", path = ""] = request.split(" ");
    const authRequest = { method, target: `/auth${path}`, ...(body && { body }), ...as };
    const actual = await server.ask(authRequest);
    const expected = typeof response === "string" ? response : `${JSON.stringify(response)}\n`;
    expect([actual.status, actual.body], request).toEqual([status, expected]);
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

function withoutBody([request, status, response]: Extract<Step, { length: 3 }>) {
  return [request, undefined, status, response] as const;
}
