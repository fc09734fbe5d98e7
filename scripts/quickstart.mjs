// @ts-check
// A tour of the client: on the cluster that ETCD_URLS names, or on an etcd in this process.
import { build, installPackages } from "./project.mjs";

installPackages();
build();

const { startEmbeddedEtcd } = await import("etcdnet/server");
const { tour } = await import("./quickstart-tour.mjs");

const { ETCD_URLS } = process.env;
const embedded = ETCD_URLS ? undefined : await startEmbeddedEtcd();
try {
  await tour(ETCD_URLS?.split(",") ?? [embedded?.url ?? ""]);
  console.log("\nDone. README.md names the next pages. examples/ has one program for each task.");
} finally {
  await embedded?.close();
}
