import type { ServerRequest } from "./message.js";
import { RequestError } from "./request-error.js";
import type { Handler } from "./router.js";

/** Whether a request comes from user root; true while auth is off. */
export type IsRoot = (request: ServerRequest) => Promise<boolean>;

/** Serves only root. Checks the user again after the body has arrived, because that may take minutes. */
export function rootOnly(isRoot: IsRoot, handler: Handler): Handler {
  return async (request, rest, query) => {
    const check = async (): Promise<void> => {
      if (!(await isRoot(request))) throw new RequestError(401, "Insufficient credentials");
    };
    await check();
    return handler(checkedAfterBody(request, check), rest, query);
  };
}

function checkedAfterBody(request: ServerRequest, check: () => Promise<void>): ServerRequest {
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
