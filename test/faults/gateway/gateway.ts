/** The process of a gateway. Its arguments are its port and the URLs of etcd. */

import { createGateway } from "../../../src/server/index.js";

const [port, ...urls] = process.argv.slice(2);
await createGateway({ port: Number(port), etcd: { urls }, allowedHosts: ["*"] });
process.on("disconnect", () => process.exit(1));
process.send?.("listening");
