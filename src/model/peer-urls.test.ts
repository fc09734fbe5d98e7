import { expect, it } from "vitest";
import { readPeerUrls } from "./peer-urls.js";

it("accepts URLs with a host and a port, and sorts them", () => {
  expect(readPeerUrls(["http://b:2", " https://[::1]:1 ", "unix://a:"])).toEqual([
    "http://b:2",
    "https://[::1]:1",
    "unix://a:",
  ]);
});

it("writes them like Go", () => {
  expect(readPeerUrls(["HTTP://A:1"])).toEqual(["http://A:1"]);
  expect(readPeerUrls(["http://u:p@é:1?x=%zz#y"])).toEqual(["http://u:p@%C3%A9:1?x=%zz#y"]);
});

it.each([
  [[], "no valid URLs given"],
  [["a:1"], "URL scheme must be http, https, unix, or unixs: a:1"],
  [["http://a"], 'URL address does not have the form "host:port": http://a'],
  [["http://a:1/"], "URL must not contain a path: http://a:1/"],
  [["1:2"], 'parse "1:2": first path segment in URL cannot contain colon'],
  [["http://a:1\n\t\u0001x"], 'parse "http://a:1\\n\\t\\x01x": net/url: invalid control character'],
])("refuses %j with etcd's message", (urls, message) => {
  expect(() => readPeerUrls(urls)).toThrow(message);
});
