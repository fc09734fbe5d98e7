import { expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions, type KeySpace } from "../src/index.js";

const urls = ["http://127.0.0.1:2379"];
const keySpace: KeySpace = {
  execute: () => expect.fail("a request was sent"),
  openWatch: () => expect.fail("a watch was opened"),
  subscribe: () => expect.fail("nothing is subscribed"),
  close: async () => {},
};

const construct = (options: unknown) => () => new EtcdClient(options as EtcdClientOptions);

/** Options that are refused with a message that begins with the option's name and contains the fix. */
function expectRefused(field: string, fix: RegExp, options: unknown): void {
  const refusals: unknown[] = [];
  try {
    construct(options)();
  } catch (error) {
    refusals.push(error);
  }
  expect(refusals).toEqual([expect.any(TypeError)]);
  const message = String(refusals[0]).slice("TypeError: ".length);
  expect(message).toMatch(fix);
  expect(message.slice(0, field.length + 2)).toBe(`${field}: `);
}

const throwing = (error: unknown) => () => {
  throw error;
};

test.each([
  ["options", /urls/, undefined],
  ["options", /urls/, null],
  ["options", /urls/, "http://127.0.0.1:2379"],
  ["urls", /pass at least one/, {}],
  ["urls", /pass at least one/, { urls: undefined }],
  ["urls", /at least one/, { urls: [] }],
  ["urls", /list/, { urls: "http://127.0.0.1:2379" }],
  ["urls[0]", /http:\/\/host:port/, { urls: ["127.0.0.1:2379"] }],
  ["urls[0]", /http:\/\/host:port/, { urls: [5] }],
  ["urls[1]", /begin with http:\/\//, { urls: [...urls, "localhost:2379"] }],
  ["urls[0]", /begin with http:\/\//, { urls: ["ftp://host"] }],
  ["urls[0]", /begin with http:\/\//, { urls: ["unix:///run/etcd.sock"] }],
  ["urls[0]", /namespace\(\)/, { urls: ["http://host:2379/v2/keys"] }],
  ["urls[0]", /end after the port/, { urls: ["http://host:2379?a=b"] }],
  ["urls[0]", /end after the port/, { urls: ["http://host:2379/#a"] }],
  ["urls[0]", /end after the port/, { urls: ["http://host:2379?"] }],
  ["urls[0]", /begin with http/, { urls: ["http:host:2379"] }],
  ["urls[0]", /space/, { urls: [" http://host:2379"] }],
  ["urls[0]", /space/, { urls: ["http://ho\tst:2379"] }],
  ["urls[0]", /backslash/, { urls: ["http:\\\\host:2379"] }],
  ["endpoints", /a URL, or a list of at least one/, { endpoints: [] }],
  ["endpoints", /a URL, or a list of at least one/, { endpoints: 5 }],
  ["endpoints", /http:\/\/host:port/, { endpoints: "127.0.0.1:2379" }],
  ["endpoints[1]", /begin with http:\/\//, { endpoints: [...urls, "localhost:2379"] }],
  ["urls, endpoints", /two names of one option/, { urls, endpoints: urls }],
  ["endpoints, discoverySrv", /only one/, { endpoints: urls, discoverySrv: "example.org" }],
  ["endpoints, keySpace", /only one/, { endpoints: urls, keySpace }],
  ["proxy", /http\(s\) URL/, { urls, proxy: "proxy" }],
  ["useProxy, proxy", /two names of one option/, { urls, useProxy: false, proxy: true }],
  ["proxy", /omit it/, { keySpace, proxy: true }],
  ["tls", /object/, { urls, tls: true }],
  [
    "tls.CA",
    /is not an option of tls \(did you mean ca\?\); it takes ca, /,
    { urls, tls: { CA: "a" } },
  ],
  ["tls.ca", /PEM/, { urls, tls: { ca: 5 } }],
  ["tls.ca", /no certificate in PEM/, { urls, tls: { ca: "a" } }],
  ["tls.cert", /PEM/, { urls, tls: { cert: 5, key: "a" } }],
  ["tls.cert, tls.key", /requires the other/, { urls, tls: { cert: "a" } }],
  ["tls.cert, tls.key", /requires the other/, { urls, tls: { key: "a" } }],
  ["tls.cert, tls.pfx", /only one/, { urls, tls: { cert: "a", key: "b", pfx: Buffer.of(1) } }],
  ["tls.cert", /cannot be loaded/, { urls, tls: { cert: "a", key: "b" } }],
  ["tls.pfx", /Buffer/, { urls, tls: { pfx: "a" } }],
  ["tls.pfx", /cannot be loaded/, { urls, tls: { pfx: Buffer.of(1), passphrase: "p" } }],
  ["tls.caFile", /name of a file/, { urls, tls: { caFile: 5 } }],
  ["tls.caFile", /cannot be read \(ENOENT/, { urls, tls: { caFile: "/nowhere/ca.pem" } }],
  ["tls.caFile", /no certificate in PEM/, { urls, tls: { caFile: "package.json" } }],
  ["tls.ca, tls.caFile", /only one/, { urls, tls: { ca: "a", caFile: "a" } }],
  ["ca, tls.caFile", /two names of one option/, { urls, ca: "a", tls: { caFile: "a" } }],
  ["tls.certFile", /name of a file/, { urls, tls: { certFile: "", keyFile: "a" } }],
  ["tls.certFile, tls.keyFile", /requires the other/, { urls, tls: { certFile: "a" } }],
  ["tls.certFile, tls.keyFile", /requires the other/, { urls, tls: { keyFile: "a" } }],
  [
    "tls.certFile, tls.keyFile",
    /cannot be read \(ENOENT/,
    { urls, tls: { certFile: "/nowhere/a", keyFile: "a" } },
  ],
  [
    "tls.certFile, tls.keyFile",
    /cannot be loaded/,
    { urls, tls: { certFile: "package.json", keyFile: "package.json" } },
  ],
  [
    "tls.cert, tls.certFile",
    /only one/,
    { urls, tls: { cert: "a", key: "b", certFile: "a", keyFile: "b" } },
  ],
  ["tls.passphrase", /tls.key, tls.keyFile or tls.pfx/, { urls, tls: { passphrase: "hunter2" } }],
  ["tls.passphrase", /string/, { urls, tls: { pfx: Buffer.of(1), passphrase: 5 } }],
  ["tls.rejectUnauthorized", /boolean/, { urls, tls: { rejectUnauthorized: "no" } }],
  ["tls.servername", /host name/, { urls, tls: { servername: "" } }],
  ["tls.servername", /host name/, { urls, tls: { servername: "127.0.0.1" } }],
  ["ca, tls.ca", /two names of one option/, { urls, ca: "a", tls: { ca: "a" } }],
  [
    "x509Certificate, tls.cert",
    /two names of one option/,
    { urls, x509Certificate: () => "file", tls: { cert: "a", key: "b" } },
  ],
  [
    "x509Certificate, tls.pfx",
    /two names of one option/,
    { urls, x509Certificate: () => "file", tls: { pfx: Buffer.of(1) } },
  ],
  [
    "ignoreCertificateError, tls.rejectUnauthorized",
    /two names of one option/,
    { urls, ignoreCertificateError: false, tls: { rejectUnauthorized: true } },
  ],
  ["tls", /omit it/, { keySpace, tls: {} }],
  [
    "url",
    /is not an option of EtcdClient \(did you mean urls\?\); it takes urls, /,
    { urls, url: "http://host" },
  ],
  ["timeOut", /is not an option/, { urls, timeOut: 5 }],
  ["toString", /is not an option/, { urls, toString: () => "" }],
  ["__proto__", /is not an option/, JSON.parse('{"urls":["http://h"],"__proto__":{}}')],
  ["api", /"v2" or "v3"/, { urls, api: "v4" }],
  ["keyPrefix", /well-formed/, { urls, api: "v3", keyPrefix: "/\0" }],
  ["keyPrefix", /reserved/, { urls, api: "v3", keyPrefix: "etcdnet_auth/" }],
  ["keyPrefix", /is only valid with api: "v3"/, { urls, keyPrefix: "/apps" }],
  [
    "jsonDeserializer",
    /no effect with api: "v3"/,
    { urls, api: "v3", jsonDeserializer: JSON.parse },
  ],
  ["username", /colon/, { urls, username: "a:b", password: "c" }],
  ["password", /string/, { urls, username: "a", password: 5 }],
  ["ca", /cannot be read \(no reason\)/, { urls, ca: throwing(undefined) }],
  ["ca", /cannot be read \(no luck\)/, { urls, ca: throwing(new Error("no luck")) }],
  ["x509Certificate", /cannot be read/, { urls, x509Certificate: throwing(new Error("no")) }],
  ["ca", /PEM/, { urls, ca: 5 }],
  ["ca", /PEM/, { urls, ca: ["a", 5] }],
  ["x509Certificate", /cert, key/, { urls, x509Certificate: { cert: "a" } }],
  ["x509Certificate", /pfx/, { urls, x509Certificate: { pfx: "a" } }],
  ["x509Certificate", /function must return/, { urls, x509Certificate: () => "file" }],
  ["x509Certificate", /pfx/, { urls, x509Certificate: { cert: "a", key: "b", pfx: Buffer.of(1) } }],
  ["ignoreCertificateError", /boolean/, { urls, ignoreCertificateError: "no" }],
  ["retryUnknownWrites", /true, false or "safe"/, { urls, retryUnknownWrites: 1 }],
  ["retryUnknownWrites", /true, false or "safe"/, { urls, retryUnknownWrites: "always" }],
  ["useProxy", /http\(s\) URL/, { urls, useProxy: "proxy" }],
  ["consistency", /"local" or "quorum"/, { urls, consistency: "strong" }],
  ["consistency", /"local" or "quorum"/, { urls, consistency: ["quorum"] }],
  ["endpointSelection", /"random" or "leader"/, { urls, endpointSelection: "first" }],
  ["autoSync", /milliseconds, or true/, { urls, autoSync: -1 }],
  ["hedgeReadsAfter", /milliseconds/, { urls, hedgeReadsAfter: -1 }],
  ["jsonDeserializer", /function/, { urls, jsonDeserializer: "JSON" }],
  ["keySpace", /object/, { keySpace: 5 }],
  ["urls, discoverySrv", /only one/, { urls, discoverySrv: "example.org" }],
  ["urls, keySpace", /only one/, { urls, keySpace }],
  ["username, password", /requires the other/, { urls, username: "a" }],
  ["username, password", /requires the other/, { urls, password: "a" }],
  ["clusterApi", /keySpace/, { urls, clusterApi: {} }],
  ["timeout", /omit it/, { keySpace, timeout: 5 }],
  ["username", /omit it/, { keySpace, username: "a", password: "b" }],
])("%s: %s for %j", (field, fix, options) => {
  expectRefused(field, fix, options);
});

test.each([
  "connectTimeout",
  "requestTimeout",
  "writeTimeout",
  "timeout",
  "maxResponseSize",
  "maxConnections",
])("%s must be a whole number of 1 or more", (name) => {
  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "5", null]) {
    expectRefused(name, /whole number/, { urls, [name]: value });
  }
});

test("a colon in a user name is refused on v2 only, because Basic auth ends the name there", async () => {
  await new EtcdClient({ urls, api: "v3", username: "system:master", password: "p" }).close();
});

test.each([
  [{ urls: ["http://user:hunter2@host"] }],
  [{ urls: ["http://hunter2@host"] }],
  [{ urls: ["http://host/?token=hunter2"] }],
  [{ urls: ["http://host/hunter2"] }],
  [{ urls: ["user:hunter2@host:2379"] }],
  [{ urls: ["mongodb:hunter2"] }],
  [{ urls: [" http://host/?token=hunter2"] }],
  [{ urls: ["https://user:hunter2@host/path?query"] }],
  [{ urls: ["ftp://user:hunter2@host"] }],
  [{ urls: ["http://user:hunter2@host:99999"] }],
  [{ urls, useProxy: "ftp://user:hunter2@proxy" }],
  [{ urls, useProxy: "http://user:hunter2@proxy:99999" }],
  [{ endpoints: "http://user:hunter2@host" }],
  [{ endpoints: ["http://host/hunter2"] }],
  [{ urls, proxy: "ftp://user:hunter2@proxy" }],
  [{ urls, proxy: "http://user:hunter2@proxy", useProxy: "http://user:hunter2@proxy" }],
  [{ urls, tls: { passphrase: "hunter2" } }],
  [{ urls, tls: { cert: "hunter2", key: "hunter2", passphrase: "hunter2" } }],
  [{ urls, tls: { pfx: Buffer.from("hunter2"), passphrase: "hunter2" } }],
  [{ urls, tls: { passphrase: { hunter2: "hunter2" } } }],
  [{ urls, username: "user:hunter2", password: "hunter2" }],
  [{ urls, username: "user", password: { secret: "hunter2" } }],
])("no message repeats the credentials of %j", (options) => {
  expect(construct(options)).toThrow(TypeError);
  expect(construct(options)).not.toThrow(/hunter2|user:/);
});

test("an undefined option counts as absent", () => {
  const absent = { endpoints: undefined, proxy: undefined, tls: undefined };
  expect(construct({ ...absent, urls, ca: undefined, useProxy: false })).not.toThrow();
  expect(construct({ endpoints: urls, urls: undefined, useProxy: undefined })).not.toThrow();
  const tls = { ca: undefined, cert: undefined, key: undefined, pfx: undefined };
  const others = { passphrase: undefined, rejectUnauthorized: undefined, servername: undefined };
  expect(construct({ urls, tls: { ...tls, ...others } })).not.toThrow();
  expect(construct({ urls, username: undefined, timeout: undefined })).not.toThrow();
  expect(construct({ keySpace, urls: undefined, timeout: undefined })).not.toThrow();
});

test("options may be frozen", () => {
  expect(construct(Object.freeze({ urls: Object.freeze(urls) }))).not.toThrow();
});

test.each(["v2", "v3"] as const)("a password function that fails: %s", async (api) => {
  const returning = (password: () => unknown) => {
    const options = { urls, api, username: "a", password };
    return new EtcdClient(options as unknown as EtcdClientOptions);
  };
  for (const [password, message] of [
    [() => 5, /^password: the function must return a string or a promise of one$/],
    [async () => undefined, /^password: the function must return a string/],
    [throwing(new Error("no file")), /^password: the function failed \(no file\)$/],
    [() => Promise.reject(undefined), /^password: the function failed \(no reason\)$/],
  ] as const) {
    await using client = returning(password);
    const refusal = expect.objectContaining({
      option: "password",
      message: expect.stringMatching(message),
    });
    await expect(client.getNode("/a")).rejects.toEqual(refusal);
    await expect(client.setNode("/a", "1")).rejects.toEqual(refusal);
    await expect(client.watch("/a").next()).rejects.toEqual(refusal);
  }
});
