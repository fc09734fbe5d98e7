// @ts-check
// A server in a process of its own: `embedded` or `gateway` with its options as JSON.
// It sends its URL, and for each message that it is sent, the most memory that it has used, in KiB.
const [index = "", kind, options = "{}"] = process.argv.slice(2);
const { createGateway, startEmbeddedEtcd } = await import(index);
const start = kind === "gateway" ? createGateway : startEmbeddedEtcd;
const server = await start(JSON.parse(options));
process.on("message", () => process.send?.({ maxRss: process.resourceUsage().maxRSS }));
process.on("disconnect", () => process.exit());
process.send?.({ url: server.url });
