/** The channels of Node. A bundle for browsers has those of `diagnostics-channel.browser.ts` instead. */
export { channel, tracingChannel } from "node:diagnostics_channel";
