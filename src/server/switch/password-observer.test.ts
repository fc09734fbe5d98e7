import { beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { verifyPassword } from "../../auth/password.js";
import { SeenPasswords } from "../../cutover/seen-passwords.js";
import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { ServerRequest } from "../http/message.js";
import type { ServedKeys } from "../routes/keys-route.js";
import { PasswordObserver } from "./password-observer.js";

/** Index of v2 when the recording begins. */
const BEGIN = 5;
const ARMED = { phase: "armed", passwords: "first" } as const;

let records: MemoryKeySpace;
let observer: PasswordObserver;
let ownIsAccepted: boolean;
let ownIndex: number;
beforeEach(() => {
  records = new MemoryKeySpace();
  ownIsAccepted = true;
  ownIndex = BEGIN;
  observer = new PasswordObserver({
    own: { name: "gate", password: () => "gate pass" },
    clock: new SimulatedClock(),
    closing: new AbortController().signal,
    seenSince: (id) => new SeenPasswords(records, id),
    readIndex: async () => BEGIN,
    checkOwn: async () => {
      if (!ownIsAccepted) throw new Error("refused");
      return { etcdIndex: ownIndex };
    },
  });
});

const seen = (id = "first") => new SeenPasswords(records, id).all();

/** Sends a request with credentials. v2 responds with an error, or without one. */
async function send(credentials: string, errorCode?: number, index = BEGIN): Promise<void> {
  const execute = async () => {
    if (errorCode === undefined) return { etcdIndex: index };
    const error = { ...errorDefinition(errorCode), errorCode, detail: "", index, key: "/a" };
    throw serverErrorOf({ ...error, operation: "GET /a", endpoint: "", clusterId: "" });
  };
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  const request = { headers: { authorization } } as unknown as ServerRequest;
  const keys = observer.observe({ execute } as unknown as ServedKeys, request);
  await keys.execute({ action: "get", key: "/a" }).catch(() => {});
}

async function untilSeen(user: string, password: string, id?: string): Promise<void> {
  const matches = async () => {
    const hash = (await seen(id)).get(user) ?? "";
    return hash !== "" && (await verifyPassword(Buffer.from(password), hash));
  };
  await expect.poll(matches).toBe(true);
}

it("records the password of a request that v2 executes, and of the gateway itself", async () => {
  observer.follow(ARMED);
  await untilSeen("gate", "gate pass");
  await send("app:one");
  await untilSeen("app", "one");
  // Colons and other scripts.
  await send("ünï:a:b");
  await untilSeen("ünï", "a:b");
});

it("records the later of two passwords", async () => {
  observer.follow(ARMED);
  await send("app:one");
  await untilSeen("app", "one");
  await send("app:two");
  await untilSeen("app", "two");
});

it.each([100, 101, 105])(
  "records it when the store refuses the request with error %i",
  async (code) => {
    observer.follow(ARMED);
    await send("app:one", code);
    await untilSeen("app", "one");
  },
);

it.each([110, 203, 209, 300])("does not when v2 responds with error %i", async (code) => {
  observer.follow(ARMED);
  await send("app:one", code);
  await send("other:one");
  await untilSeen("other", "one");
  expect((await seen()).has("app")).toBe(false);
});

it.each([
  ["no cut-over", null],
  ["a state that is not known yet", undefined],
  ["v2 auth off", { phase: "armed", passwords: "" } as const],
  ["v3", { phase: "target", passwords: "first" } as const],
])("records nothing with %s", async (_, state) => {
  observer.follow(state);
  await send("app:one");
  observer.follow({ phase: "armed", passwords: "second" });
  await untilSeen("gate", "gate pass", "second");
  expect((await seen()).size).toBe(0);
  expect((await seen("second")).has("app")).toBe(false);
});

it("records again what it has recorded for an earlier switch", async () => {
  observer.follow(ARMED);
  await send("app:one");
  await untilSeen("app", "one");
  observer.follow({ phase: "armed", passwords: "second" });
  await send("app:one");
  await untilSeen("app", "one", "second");
});

it("does not record a password of the gateway that v2 refuses", async () => {
  ownIsAccepted = false;
  observer.follow(ARMED);
  await send("app:one");
  await untilSeen("app", "one");
  expect((await seen()).has("gate")).toBe(false);
});

it.each([undefined, 100])(
  "does not record what a member that is behind has accepted, with error %s",
  async (errorCode) => {
    ownIndex = BEGIN - 1;
    observer.follow(ARMED);
    await send("app:old", errorCode, BEGIN - 1);
    await send("other:one");
    await untilSeen("other", "one");
    expect([...(await seen()).keys()]).toEqual(["other"]);
  },
);

it("records the passwords of users that log in at the same time", async () => {
  observer.follow(ARMED);
  const users = ["a", "b", "c", "d"];
  await Promise.all(users.map((user) => send(`${user}:one`)));
  for (const user of users) await untilSeen(user, "one");
});
