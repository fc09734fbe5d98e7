import fc, { type Arbitrary } from "fast-check";
import { parameters } from "./parameter-arbitraries.js";
import { anyPath, keyPath } from "./path-arbitraries.js";
import type { Call, Sequence, Step } from "./request.js";
import { weighted } from "./weighted.js";

const FORM = "application/x-www-form-urlencoded";

const contentType = fc.oneof(
  { weight: 20, arbitrary: fc.constant(FORM) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        FORM.toUpperCase(),
        `${FORM}; charset=utf-8`,
        `${FORM};`,
        ` ${FORM} `,
        `${FORM} ; a="b;c"`,
      ],
      ...[
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "bad/;;;",
        ";",
        "a/",
      ],
      ...[
        "form",
        "a/b c",
        "a/b/c",
        "/b",
        "",
        `${FORM}; a`,
        `${FORM}; a=1; a=2`,
        `${FORM}; =b`,
        "é",
      ],
      ...[`${FORM}; a="b`, `${FORM}; a=b; a=b`, `${FORM};;`, `${FORM}, text/plain`, `"${FORM}"`],
      ...["multipart/form-data", "multipart/mixed", `${FORM}; a*0=x; a*1=y`, `${FORM}; a="\\""`],
    ),
  },
);

const call: Arbitrary<Call> = fc
  .record({
    method: weighted({
      PUT: 45,
      GET: 18,
      DELETE: 14,
      POST: 9,
      HEAD: 2,
      OPTIONS: 1,
      PATCH: 1,
      TRACE: 1,
    }),
    path: anyPath,
    query: parameters,
    body: parameters,
    type: contentType,
    hasBody: fc.integer({ min: 0, max: 2 }).map((number) => number > 0),
  })
  .map(({ method, path, query, body, type, hasBody }) => {
    const target = query === "" ? path : `${path}?${query}`;
    const sends = hasBody && (method === "PUT" || method === "POST" || body.length % 7 === 1);
    return { kind: "call", method, target, ...(sends && { type, body }) };
  });

/** Requests as clients send them: each does something if its key is as it wishes. */
const wellFormed: Arbitrary<Call> = fc
  .record({
    path: keyPath,
    rest: fc.constantFrom(
      ...["PUT value=1", "PUT value=2", "PUT value=2&prevValue=1", "PUT value=1&prevValue=2"],
      ...[
        "PUT value=1&prevIndex={m}",
        "PUT value=3&prevIndex={m}&prevValue=1",
        "PUT prevIndex={i-1}",
      ],
      ...[
        "PUT value=2&prevExist=true",
        "PUT prevExist=true&ttl=100",
        "PUT value=1&prevExist=false",
      ],
      ...[
        "PUT refresh=true&ttl=100",
        "PUT refresh=true&ttl=100&prevExist=true",
        "PUT value=1&ttl=100",
      ],
      ...[
        "PUT refresh=true&ttl=100&prevIndex={m}",
        "PUT refresh=1&ttl=100&prevValue=1",
        "PUT dir=true",
      ],
      ...[
        "PUT dir=true&prevExist=true&ttl=100",
        "PUT dir=true&ttl=100",
        "PUT dir=true&refresh=true&ttl=9",
      ],
      ...["DELETE ", "DELETE prevIndex={m}", "DELETE prevValue=1", "DELETE dir=true"],
      ...[
        "DELETE recursive=true",
        "DELETE prevValue=2&prevIndex={m}",
        "POST value=1",
        "POST dir=true",
      ],
      ...[
        "GET recursive=true",
        "GET recursive=true&sorted=true",
        "GET sorted=true",
        "GET quorum=true",
      ],
    ),
  })
  .map(({ path, rest }) => {
    const [method = "", query = ""] = rest.split(" ");
    return { kind: "call", method, target: `/v2/keys${path}${query && "?"}${query}` };
  });

const watch: Arbitrary<Call> = fc
  .record({
    path: keyPath,
    recursive: weighted({ "": 1, "&recursive=true": 1 }),
    since: weighted({
      "": 8,
      "&waitIndex=0": 1,
      "&waitIndex={i}": 2,
      "&waitIndex={i-1}": 3,
      "&waitIndex={i-2}": 3,
      "&waitIndex={i-5}": 3,
      "&waitIndex={i-12}": 3,
      "&waitIndex={i+1}": 1,
      "&waitIndex={i+2}": 2,
      "&waitIndex={i+5}": 1,
      "&waitIndex={i-990}": 1,
      "&waitIndex={i-998}": 1,
      "&waitIndex={i-999}": 2,
      "&waitIndex={i-1000}": 1,
      "&waitIndex={i-1001}": 1,
      "&waitIndex={i-5000}": 1,
      "&waitIndex=1": 1,
      "&waitIndex=9007199254740993": 1,
      "&waitIndex=18446744073709551615": 1,
    }),
    stream: weighted({ "": 3, "&stream=true": 1 }),
  })
  .map(({ path, recursive, since, stream }) => ({
    kind: "call",
    method: "GET",
    target: `/v2/keys${path}?wait=true${recursive}${since}${stream}`,
  }));

const shortLived: Arbitrary<Call> = fc
  .record({
    path: keyPath,
    query: weighted({
      "": 4,
      "dir=true": 2,
      "prevExist=true": 2,
      "refresh=true&prevExist=true": 1,
    }),
    ttl: weighted({ "0": 2, "1": 2, "100": 1 }),
    method: weighted({ PUT: 8, POST: 1 }),
  })
  .map(({ path, query, ttl, method }) => ({
    kind: "call",
    method,
    target: `/v2/keys${path}?ttl=${ttl}&${query}`,
  }));

const settle: Arbitrary<Step> = fc.constant({ kind: "settle" });

const step = fc.oneof(
  { weight: 16, arbitrary: call },
  { weight: 16, arbitrary: wellFormed },
  { weight: 2, arbitrary: watch },
);
const steps = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });

/** Few requests, so that nothing expires before all have been sent. */
const expirySteps: Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(watch, { maxLength: 4 }),
    fc.array(fc.oneof(shortLived, shortLived, call), { minLength: 1, maxLength: 10 }),
    settle,
    fc.array(watch, { maxLength: 8 }),
    fc.array(call, { maxLength: 6 }),
  )
  .map(([before, writes, wait, after, last]) => [...before, ...writes, wait, ...after, ...last]);

export const sequence: Arbitrary<Sequence> = fc.record({
  root: fc.integer({ min: 0, max: 29 }).map((number) => number === 29),
  sockets: fc.integer({ min: 0, max: 9 }).map((number) => number > 7),
  steps,
});

/** With TTLs that run out. */
export const expirySequence: Arbitrary<Sequence> = fc.record({
  root: fc.constant(false),
  sockets: fc.constant(false),
  steps: expirySteps,
});
