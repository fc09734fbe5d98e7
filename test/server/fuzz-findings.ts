/** Requests on an empty server, and the response of etcd 3.4.23 to the last one. */
export interface Finding {
  readonly name: string;
  /** Method, target and, for a body of 7 bytes, its content type; texts hold one byte per character. */
  readonly requests: readonly (readonly [method: string, target: string, type?: string])[];
  readonly status: number;
  readonly body: string;
  /** Some of the headers; `undefined`: there is none of that name. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** What is sent along with a content type. */
export const BODY = "value=1";

const FORM = "application/x-www-form-urlencoded";

function refusedType(name: string, type: string, cause: string): Finding {
  return {
    name: `a content type that ${name}`,
    requests: [["PUT", "/v2/keys/a", type]],
    status: 400,
    body: `{"errorCode":210,"message":"Invalid POST form","cause":"${cause}","index":0}\n`,
  };
}

function refusedQuery(name: string, query: string, cause: string): Finding {
  return {
    name,
    requests: [["GET", `/v2/keys/a?${query}`]],
    status: 400,
    body: `{"errorCode":210,"message":"Invalid POST form","cause":"${cause}","index":0}\n`,
  };
}

const STORED =
  '{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":4,"createdIndex":4}}\n';

export const FINDINGS: readonly Finding[] = [
  {
    name: "a set without its nodes tells by its status whether the key was there",
    requests: [
      ["PUT", "/v2/keys/a?value=1"],
      ["PUT", "/v2/keys/a?value=2&noValueOnSuccess=true"],
    ],
    status: 200,
    body: '{"action":"set"}\n',
  },
  refusedType("goes on after its subtype", "a/b/c", "mime: unexpected content after media subtype"),
  refusedType(
    "has a space in its subtype",
    "a/b c",
    "mime: unexpected content after media subtype",
  ),
  refusedType("has no token", '"a"', "mime: no media type"),
  refusedType("is not ASCII", "\xc3\xa9", "mime: no media type"),
  refusedType("ends with two semicolons", `${FORM};;`, "mime: invalid media parameter"),
  refusedType("names a parameter twice", `${FORM}; a=1; A=2`, "mime: duplicate parameter name"),
  {
    name: "a content type with an escaped quote in a parameter",
    requests: [["PUT", "/v2/keys/a", `${FORM}; a="\\";"`]],
    status: 201,
    body: STORED,
  },
  refusedQuery(
    "a semicolon matters more than a bad escape before it",
    "x=%zz&y=;",
    "invalid semicolon separator in query",
  ),
  refusedQuery(
    "a bad escape is shown with the two bytes behind it",
    "x=%\xe2\x82\xac",
    'invalid URL escape \\"%\\\\xe2\\\\x82\\"',
  ),
  {
    name: "raw UTF-8 in a query is text",
    requests: [["PUT", "/v2/keys/a?value=\xc3\xa9"]],
    status: 201,
    body: '{"action":"set","node":{"key":"/a","value":"é","modifiedIndex":4,"createdIndex":4}}\n',
  },
  {
    name: "a redirect escapes the query for its page and its header",
    requests: [["GET", "/v2/keys//a?'<\">&\xc3\xa9"]],
    status: 301,
    body: '<a href="/v2/keys/a?&#39;&lt;&#34;&gt;&amp;é">Moved Permanently</a>.\n\n',
    headers: { location: "/v2/keys/a?'<\">&%c3%a9" },
  },
  {
    name: "a bad escape in the path is refused before all else, without CORS",
    requests: [["OPTIONS", "/v2/keys/%zz"]],
    status: 400,
    body: "400 Bad Request",
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "access-control-allow-origin": undefined,
      "x-content-type-options": undefined,
    },
  },
  {
    name: "the target * is only for OPTIONS",
    requests: [["GET", "*"]],
    status: 400,
    body: "",
    headers: { "access-control-allow-origin": "*", "content-type": undefined },
  },
  {
    name: "OPTIONS * is answered without CORS",
    requests: [["OPTIONS", "*"]],
    status: 200,
    body: "",
    headers: { "access-control-allow-origin": undefined },
  },
  {
    name: "a target in absolute form may have any scheme",
    requests: [
      ["PUT", "/v2/keys/a?value=1"],
      ["GET", "ftp://elsewhere/v2/keys/a"],
    ],
    status: 200,
    body: STORED.replace("set", "get"),
  },
  {
    name: "the history tells nobody below it of the removal of a file",
    requests: [
      ["PUT", "/v2/keys/a?value=1"],
      ["DELETE", "/v2/keys/a"],
      ["PUT", "/v2/keys/a/b?value=1"],
      ["GET", "/v2/keys/a/b?wait=true&waitIndex=4"],
    ],
    status: 200,
    body: '{"action":"set","node":{"key":"/a/b","value":"1","modifiedIndex":6,"createdIndex":6}}\n',
  },
  {
    name: "the members' own records count in the history: index 1 is gone with the 1001st",
    requests: [
      ...Array.from({ length: 998 }, () => ["PUT", "/v2/keys/a?value=1"] as const),
      ["GET", "/v2/keys/a?wait=true&waitIndex=1"],
    ],
    status: 400,
    body: '{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"the requested history has been cleared [2/1]","index":1001}\n',
  },
];
