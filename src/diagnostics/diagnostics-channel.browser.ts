/** Browsers have no diagnostics channels: nobody subscribes to these. */

type Channels = typeof import("node:diagnostics_channel");

const silent = { hasSubscribers: false };

export const channel = (() => silent) as unknown as Channels["channel"];
export const tracingChannel = (() => silent) as unknown as Channels["tracingChannel"];
