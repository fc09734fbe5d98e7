import { expect, it } from "vitest";
import type { ServerRequest } from "../http/message.js";
import { SeenClients } from "./seen-clients.js";

function request(method: string, target: string, agent: string): ServerRequest {
  const { signal } = new AbortController();
  const headers = { "user-agent": agent };
  return { method, target, headers, remoteAddress: "10.0.0.1", signal, body: async () => "" };
}

it("counts the requests for keys of each program", () => {
  const clients = new SeenClients();
  clients.add(request("GET", "/v2/keys/a?recursive=true", "a"));
  clients.add(request("PUT", "http://proxy/v2/keys/a", "a"));
  clients.add(request("GET", "/v2/keys/a?wait=true&waitIndex=5", "a"));
  clients.add(request("GET", "/v2/keys/wait=true?wait=false", "a"));
  clients.add(request("GET", "/version", "b"));
  const use = { address: "10.0.0.1", agent: "a", reads: 2, writes: 1 };
  expect(clients.list).toEqual([{ ...use, watches: 1, indexedWatches: 1 }]);
});

it("counts the clients together that come after the first hundred", () => {
  const clients = new SeenClients();
  for (let at = 0; at < 150; at++) clients.add(request("GET", "/v2/keys/a", `agent ${at}`));
  clients.add(request("GET", "/v2/keys/a", "x".repeat(10_000)));
  clients.add(request("GET", "/v2/keys/a", "agent 7"));
  expect(clients.list).toHaveLength(101);
  expect(clients.list.at(7)).toMatchObject({ agent: "agent 7", reads: 2 });
  expect(clients.list.at(-1)).toMatchObject({ address: "", agent: "other clients", reads: 51 });
});
