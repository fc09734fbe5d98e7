/** Sends the same requests to a real etcd and to etcdnet's auth. The responses must be equal. */

import { request as requestHttp } from "node:http";
import { type RequestOptions, request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSourceGateway, type ServedGateway } from "../../src/server/index.js";
import {
  type AuthRequest,
  type AuthServer,
  authorizationOf,
  authServer,
  bodyOf,
} from "../support/auth-server.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { headerObject } from "../support/header-object.js";
import { ENABLING, KEYS } from "./auth-access-rows.js";
import { DEVIATIONS } from "./auth-deviations.js";
import { ROLES } from "./auth-role-rows.js";
import type { AuthRow } from "./auth-row.js";
import { ODD_BODIES, PATHS, USERS } from "./auth-user-rows.js";

/** Compared headers. Of the cluster id, only its presence is compared. */
const HEADERS = ["content-type", "allow", "x-content-type-options", "x-etcd-cluster-id"];

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

describeWithEtcd("3.4", "auth, compared with etcd 3.4", () => {
  let etcd: EtcdCluster;
  let ours: AuthServer;

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.4" });
    ours = authServer();
  });
  afterAll(() => etcd.stop());

  const sections = { USERS, ODD_BODIES, PATHS, ROLES, ENABLING, KEYS };
  describe.each(Object.entries(sections))("%s", (_section, rows) => {
    it.each(rows.map(named))("%s", async (_name, question) => {
      const theirs = await askEtcd(etcd.urls[0], question);
      const answer = await askOurs(ours, question);
      if (isAboutKeys(question)) expect(verdict(answer)).toEqual(verdict(theirs));
      else expect(answer).toEqual(theirs);
    });
  });
});

describeWithEtcd("3.4", "auth through a gateway for v2, compared with etcd 3.4", () => {
  let etcd: EtcdCluster;
  let behind: EtcdCluster;
  let gateway: ServedGateway;

  beforeAll(async () => {
    [etcd, behind] = await Promise.all([
      startEtcd({ release: "3.4" }),
      startEtcd({ release: "3.4" }),
    ]);
    gateway = await createSourceGateway({ source: { urls: behind.urls } });
  });
  afterAll(async () => {
    await gateway?.close();
    await Promise.all([etcd?.stop(), behind?.stop()]);
  });

  const sections = { USERS, ODD_BODIES, PATHS, ROLES, ENABLING, KEYS };
  describe.each(Object.entries(sections))("%s", (_section, rows) => {
    const passed = rows.filter(([, line]) => !line.endsWith(" /keys"));
    it.each(passed.map(named))("%s", async (_name, question) => {
      const theirs = await askEtcd(etcd.urls[0], question);
      const answer = await askEtcd(gateway.url, question);
      if (isAboutKeys(question)) expect(verdict(answer)).toEqual(verdict(theirs));
      else expect(answer).toEqual(theirs);
    });
  });
});

describeWithEtcd("3.4", "auth, where it is meant to differ from etcd 3.4", () => {
  it("has exactly this difference", async () => {
    await using etcd = await startEtcd({ release: "3.4" });
    const ours = authServer();
    for (const { row, ...expected } of DEVIATIONS) {
      const [name, question] = named(row);
      const theirs = await askEtcd(etcd.urls[0], question).then(brief, () => "connection closed");
      const answers = { etcd: theirs, ours: brief(await askOurs(ours, question)) };
      expect(answers, name).toEqual(expected);
    }
  });
});

const CERTIFIED: readonly AuthRow[] = [
  ["root", "PUT /auth/users/root", { body: { user: "root", password: "top" } }],
  ["enable", "PUT /auth/enable"],
  ["a certificate of nobody is a guest", "GET /keys/"],
  ["which is not root", "GET /auth/users"],
  [
    "a user of that name",
    "PUT /auth/users/client",
    { as: "root:top", body: { user: "client", password: "x" } },
  ],
  ["may not do what a guest may", "GET /keys/"],
  ["but for credentials", "GET /keys/", { as: "root:top" }],
  ["even if they are wrong", "GET /keys/", { as: "client:y" }],
  [
    "the role of root",
    "PUT /auth/users/client",
    { as: "root:top", body: { user: "client", grant: ["root"] } },
  ],
  ["makes a certificate root", "GET /auth/users"],
  ["but credentials come first", "GET /auth/users", { as: "client:y" }],
];

describeWithEtcd("3.4", "auth by client certificate, compared with etcd 3.4", () => {
  it("uses the Common Name as the user", async () => {
    await using etcd = await startEtcd({ release: "3.4", clientCertAuth: true });
    const ours = authServer();
    const tls = { ca: etcd.ca, ...etcd.clientCertificate };
    for (const row of CERTIFIED) {
      const [name, question] = named(row);
      const theirs = await askEtcd(etcd.urls[0], question, tls);
      const answer = await askOurs(ours, { ...question, certificateName: "client" });
      if (isAboutKeys(question)) expect(verdict(answer), name).toEqual(verdict(theirs));
      else expect(answer, name).toEqual(theirs);
    }
  });
});

function brief({ status, body }: Answer): string {
  return `${status} ${body}`;
}

function named([what, line, details]: AuthRow): [string, AuthRequest] {
  const [method = "", target = ""] = line.split(" ");
  return [`${what}: ${line}`, { method, target, ...details }];
}

const isAboutKeys = ({ target }: AuthRequest): boolean => target.startsWith("/keys");

/** Other tests compare keys. Here, only permissions matter. */
function verdict(answer: Answer): Answer | "allowed" {
  return answer.status === 401 || answer.status === 400 ? answer : "allowed";
}

async function askOurs(server: AuthServer, question: AuthRequest): Promise<Answer> {
  const { status, headers, body } = await server.ask(question);
  if (typeof body !== "string") throw new Error("a stream is no answer to these questions");
  const sent = question.method === "HEAD" ? "" : body;
  return { status, headers: relevant(headerObject(headers)), body: sent };
}

/** By node:http, which sends the path as it is. */
function askEtcd(url: string, question: AuthRequest, tls?: RequestOptions): Promise<Answer> {
  const { method, target } = question;
  const authorization = authorizationOf(question);
  const headers = authorization === undefined ? {} : { authorization };
  const { hostname, port } = new URL(url);
  const options = { hostname, port, method, path: `/v2${target}`, headers, agent: false, ...tls };
  const request = tls === undefined ? requestHttp : requestHttps;
  return new Promise((resolve, reject) => {
    const call = request(options, async (response) => {
      const { statusCode: status } = response;
      const body = await text(response);
      resolve({ status, headers: relevant(response.headers), body });
    });
    call.on("error", reject).end(bodyOf(question));
  });
}

function relevant(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const shown = lowerCase.filter(([name]) => HEADERS.includes(String(name)));
  return Object.fromEntries(
    shown.map(([name, value]) => [name, name === "x-etcd-cluster-id" ? "there" : value]),
  );
}
