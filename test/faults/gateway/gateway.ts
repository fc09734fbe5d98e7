/** The process of a gateway. Its arguments are its port, and its clusters as JSON. */

import { createGateway, createSourceGateway } from "../../../src/server/index.js";
import type { GatewayClusters } from "../gateway-process.js";

const [port, clusters = ""] = process.argv.slice(2);
const { etcd, source }: GatewayClusters = JSON.parse(clusters);
const options = { port: Number(port), etcd, allowedHosts: ["*"] };
await (source === undefined ? createGateway(options) : createSourceGateway({ ...options, source }));
process.on("disconnect", () => process.exit(1));
process.send?.("listening");
