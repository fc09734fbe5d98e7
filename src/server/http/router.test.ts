import { describe, expect, it, test } from "vitest";
import { OverloadError, type ServerReply } from "./message.js";
import { RequestError } from "./request-error.js";
import { type Handler, type Route, Router } from "./router.js";

const echo: Handler = (_, rest, query) => ({ status: 200, headers: [], body: `${rest}|${query}` });

function routeAt(path: string, name = path): Route {
  const handler: Handler = async (...call) => {
    const reply = await echo(...call);
    return { ...reply, body: `${name}|${reply.body}` };
  };
  return { path, errors: "message", handlers: handler };
}

function ask(routes: readonly Route[], path: string, method = "GET"): Promise<ServerReply> {
  const { signal } = new AbortController();
  const request = { method, target: path, headers: {}, body: async () => "", signal };
  return new Router(routes).serve(request, path, "q");
}

describe("the path of a route", () => {
  const routes = ["/version", "/users", "/users/*", "/users/**", "/keys/**"].map((path) =>
    routeAt(path),
  );

  test.each([
    ["/version", "/version||q"],
    ["/users", "/users||q"],
    ["/users/", "/users/**|/|q"],
    ["/users/a", "/users/*|a|q"],
    ["/users/a/", "/users/*|a|q"],
    ["/users/a/b", "/users/**|/a/b|q"],
    ["/keys", "/keys/**||q"],
    ["/keys/", "/keys/**|/|q"],
    ["/keys/a/b/", "/keys/**|/a/b/|q"],
  ])("%s", async (path, body) => {
    expect(await ask(routes, path)).toMatchObject({ status: 200, body });
  });

  test.each(["", "/", "/version/", "/versions", "/usersfoo", "/keysfoo", "/key"])(
    "%s has no route",
    async (path) => {
      expect(await ask(routes, path)).toMatchObject({ status: 404, body: "404 page not found\n" });
    },
  );
});

it("refuses a method without a handler, and names those that have one", async () => {
  const handlers = new Map([
    ["GET", echo],
    ["PUT", echo],
  ]);
  const route: Route = { path: "/a", errors: "message", handlers };
  expect(await ask([route], "/a", "PUT")).toMatchObject({ status: 200 });
  expect(await ask([route], "/a", "constructor")).toEqual({
    status: 405,
    headers: [
      ...["Allow", "GET,PUT"],
      ...["Content-Type", "text/plain; charset=utf-8"],
      ...["X-Content-Type-Options", "nosniff"],
    ],
    body: "Method Not Allowed\n",
  });
});

test.each([
  ["message", new RequestError(404, "<a>"), 404, '{"message":"\\u003ca\\u003e"}'],
  ["message", new OverloadError(), 503, '{"message":"etcdserver: too many requests"}'],
  [
    "keys",
    new OverloadError(),
    503,
    '{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: too many requests","index":0}\n',
  ],
  ["message", new TypeError("a mistake"), 500, ""],
  ["keys", new TypeError("a mistake"), 500, ""],
] as const)("in the format of %s, %s becomes %i", async (errors, error, status, body) => {
  const handlers = () => Promise.reject(error);
  expect(await ask([{ path: "/a", errors, handlers }], "/a")).toMatchObject({ status, body });
});
