import { expect, it } from "vitest";
import { Cluster } from "../../../cluster/cluster.js";
import { fromJson } from "../../../etcd3/json-form.js";
import { type V3Api, V3Response } from "../../../etcd3/v3-api.js";
import { V3ClusterApi } from "./v3-cluster-api.js";

/** Reports this version. */
function clusterOf(version: string): V3ClusterApi {
  const api: V3Api = {
    call: async ({ response }) => new V3Response(fromJson(response, { version }), "http://a:1"),
    watch: () => Promise.reject(new Error("no streams here")),
    close: () => {},
  };
  return new V3ClusterApi(Object.create(Cluster.prototype), api, Object.create(null));
}

it("derives the version of the cluster from the release of the member", async () => {
  const version = { etcdserver: "3.6.0-rc.1", etcdcluster: "3.6.0" };
  expect(await clusterOf("3.6.0-rc.1").version()).toEqual(version);
});

it.each(["", "3", "3.", "x.1", "<b>"])("refuses the version %j", async (version) => {
  await expect(clusterOf(version).version()).rejects.toMatchObject({ name: "ProtocolError" });
});
