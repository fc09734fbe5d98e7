import { expect, it } from "vitest";
import { clientUrls } from "./client-urls.js";

function request(serverUrl?: string) {
  const { signal } = new AbortController();
  const body = async () => "";
  return { method: "GET", target: "/v2/members", headers: {}, serverUrl, body, signal };
}

it("returns to each client the URL that it used", () => {
  const urls = clientUrls(undefined);
  expect(urls(request("http://a:1"))).toEqual(["http://a:1"]);
  expect(urls(request("https://b"))).toEqual(["https://b"]);
  expect(urls(request())).toBeUndefined();
});

it("returns the advertised URLs to every client, in order", () => {
  const urls = clientUrls(["https://b:443", "http://a:80/", "http://[::1]:2379"]);
  for (const serverUrl of [undefined, "http://c:1"]) {
    expect(urls(request(serverUrl))).toEqual(["http://[::1]:2379", "http://a:80", "https://b:443"]);
  }
});

it.each([
  "gateway:2379",
  "ftp://gateway",
  "http://",
  "http://user:secret@gateway",
  "http://gateway/v2",
  "http://gateway?",
  "http://gate way",
  "http://gateway:65536",
])("refuses to advertise %s", (url) => {
  expect(() => clientUrls([url])).toThrow(/^advertise: /);
});

it("refuses an empty list", () => {
  expect(() => clientUrls([])).toThrow("advertise: must name at least one URL");
});
