// @ts-check
// A server in a separate process: `embedded` or `gateway` with its options as JSON.
// It sends its URL. It responds to each message with its peak memory so far, in KiB.
const [index = "", kind, options = "{}"] = process.argv.slice(2);
const { createGateway, startEmbeddedEtcd } = await import(index);
const start = kind === "gateway" ? createGateway : startEmbeddedEtcd;
const server = await start(JSON.parse(options));
process.on("message", () => process.send?.({ maxRss: process.resourceUsage().maxRSS }));
process.on("disconnect", () => process.exit());
process.send?.({ url: server.url });
