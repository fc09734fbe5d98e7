import undici from "undici/index.js";
import { expect, it } from "vitest";
import * as part from "./undici.js";

it("has the classes of undici", () => {
  expect(part.Client).toBe(undici.Client);
  expect(part.buildConnector).toBe(undici.buildConnector);
  const proxy = Reflect.construct(part.ProxyAgent, [{ uri: "http://127.0.0.1:1" }]);
  expect(proxy).toBeInstanceOf(undici.ProxyAgent);
  expect(Reflect.construct(part.EnvHttpProxyAgent, [{}])).toBeInstanceOf(undici.EnvHttpProxyAgent);
});
