import { expect, it } from "vitest";
import { Cluster } from "../../../cluster/cluster.js";
import { fromJson } from "../../../etcd3/json-form.js";
import { type V3Api, V3Response } from "../../../etcd3/v3-api.js";
import type { JsonObject } from "../../../wire/json.js";
import { V3ClusterApi } from "./v3-cluster-api.js";

/** Responds to every call with this message. */
function clusterWith(message: JsonObject): V3ClusterApi {
  const api: V3Api = {
    call: async ({ response }) => new V3Response(fromJson(response, message), "http://a:1"),
    watch: () => Promise.reject(new Error("no streams here")),
    close: () => {},
  };
  return new V3ClusterApi(Object.create(Cluster.prototype), api, Object.create(null));
}

it("derives the version of the cluster from the release of the member", async () => {
  const version = { etcdserver: "3.6.0-rc.1", etcdcluster: "3.6.0" };
  expect(await clusterWith({ version: "3.6.0-rc.1" }).version()).toEqual(version);
});

it.each(["", "3", "3.", "x.1", "<b>"])("refuses the version %j", async (version) => {
  await expect(clusterWith({ version }).version()).rejects.toMatchObject({ name: "ProtocolError" });
});

it("returns the client URLs of the members, and refuses a text that is no URL", async () => {
  const machines = (clientURLs: readonly string[]) =>
    clusterWith({ members: [{ ID: "1", clientURLs }] }).machines();
  expect(await machines(["http://b:1", "http://a:1"])).toEqual(["http://a:1", "http://b:1"]);
  await expect(machines(["http://a:1", "x"])).rejects.toMatchObject({ name: "ProtocolError" });
});
