import type { ServerRequest } from "./message.js";

/** A request whose sender is checked again after its body has arrived, which may take minutes. */
export function checkedAfterBody(
  request: ServerRequest,
  check: () => Promise<void>,
): ServerRequest {
  const { method, target, headers, certificateName, serverUrl } = request;
  const { remoteAddress, connection } = request;
  return {
    ...{ method, target, headers, certificateName, serverUrl, remoteAddress, connection },
    get signal() {
      return request.signal;
    },
    async body(maxSize) {
      const text = await request.body(maxSize);
      await check();
      return text;
    },
  };
}
