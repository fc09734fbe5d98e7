import { expect, test } from "vitest";
import { type EmbeddedEtcdOptions, startEmbeddedEtcd } from "./embedded-etcd.js";
import { createGateway } from "./gateway.js";

const etcd = { urls: ["http://127.0.0.1:1"] };

test.each([
  ["rootPasword", { rootPasword: "secret" }],
  ["prot", { prot: 4001 }],
  ["clientCA", { tls: { cert: "", key: "", clientCA: "" } }],
  ["maxBody", { limits: { maxBody: 1 } }],
])("a server refuses the unknown option %s", async (name, options) => {
  const refused = new RegExp(
    `^${name}: is not an option of this call( \\(did you mean \\w+\\?\\))?; it takes `,
  );
  await expect(startEmbeddedEtcd(options as EmbeddedEtcdOptions)).rejects.toThrow(refused);
  await expect(createGateway({ etcd, ...(options as object) })).rejects.toThrow(refused);
});
