// @ts-check
// A tour of the client: on the etcd that ETCD_URLS names, or on one that this script brings.
import { build, installPackages } from "./project.mjs";

installPackages();
build();

const { etcdForTour } = await import("./quickstart-etcd.mjs");
const { tour } = await import("./quickstart-tour.mjs");

const server = await etcdForTour();
try {
  await tour(server.urls);
  console.log("\nThat was it. README.md shows how to go on, examples/ has a file for each task.");
} finally {
  await server.stop();
}
