import { RawClient } from "./raw-client.js";

const MIB = 1024 * 1024;
const FORM = "Content-Type: application/x-www-form-urlencoded\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const UNREAD = [
  ["OPTIONS", "/v2/keys/a"],
  ["DELETE", "/v2/keys/none"],
  ["GET", "/v2/keys/quiet?wait=true"],
  ["PUT", "/nowhere"],
  ["POST", "/version"],
];
/** Milliseconds without progress after which the server counts as not reading. */
const STALL_TIMEOUT_MS = 300;

/** Traffic that would fill the memory of a server that limits only the payload, or nothing. */
export interface HostileTraffic {
  readonly what: string;
  readonly connections: number;
  /** Sends on one connection, which stays open. */
  readonly send: (client: RawClient) => Promise<void>;
}

/** `files` is a directory whose listing is large. */
export function hostileTraffic(files: string): readonly HostileTraffic[] {
  const watch = head("GET", "/v2/keys/quiet?wait=true");
  return [
    {
      what: "a body in chunks of one byte",
      connections: 1,
      send: chunksOfOneByte(head("PUT", "/v2/keys/a", FORM + CHUNKED), (MIB / 4) * 3),
    },
    {
      what: "chunks of one byte that the server does not need",
      connections: 1,
      send: async (client) => {
        for (const [method = "", path = ""] of UNREAD) {
          using other = new RawClient(client.url);
          await chunksOfOneByte(head(method, path, FORM + CHUNKED), MIB / 16)(other);
        }
      },
    },
    {
      what: "chunks of one byte behind a watch",
      connections: 10,
      send: chunksOfOneByte(watch + head("PUT", "/v2/keys/a", FORM + CHUNKED), MIB / 16),
    },
    {
      what: "parts of large bodies",
      connections: 40,
      send: async (client) => {
        client.send(head("PUT", "/v2/keys/a", `${FORM}Content-Length: ${10 * MIB}\r\n`));
        await pour(client, "x".repeat(MIB), 7 * MIB);
      },
    },
    {
      what: "parts of large headers",
      connections: 200,
      send: async (client) => {
        client.send("GET /version HTTP/1.1\r\nHost: localhost\r\nX: ");
        await pour(client, "x".repeat(MIB / 8), (MIB / 8) * 7);
      },
    },
    {
      what: "thousands of headers",
      connections: 100,
      send: async (client) => {
        client.send("GET /v2/keys/quiet?wait=true HTTP/1.1\r\nHost: localhost\r\n");
        await pour(client, "Name: value\r\n".repeat(8_000), MIB / 2);
        client.send("\r\n");
      },
    },
    {
      what: "large headers behind a watch",
      connections: 10,
      send: async (client) => {
        client.send(watch);
        const large = head("GET", "/version", `X: ${"x".repeat(MIB - 1_000)}\r\n`);
        await pour(client, large, 30 * MIB);
      },
    },
    {
      what: "small requests behind a watch",
      connections: 20,
      send: async (client) => {
        client.send(watch);
        await pour(client, head("GET", "/version").repeat(1_500), MIB / 16);
      },
    },
    {
      what: "chunk extensions and trailers",
      connections: 20,
      send: async (client) => {
        client.send(head("PUT", "/v2/keys/a", FORM + CHUNKED));
        await pour(client, `1;${"x".repeat(1_000)}\r\nv\r\n`.repeat(100), MIB / 2);
        client.send("0\r\n");
        await pour(client, "Name: value\r\n".repeat(1_000), MIB / 2);
      },
    },
    {
      what: "deep JSON",
      connections: 4,
      send: async (client) => {
        const type = "Content-Type: application/json\r\n";
        client.send(head("POST", "/v2/members", `${type}Content-Length: ${9 * MIB}\r\n`));
        await pour(client, "[".repeat(MIB), 9 * MIB);
      },
    },
    {
      what: "deep paths",
      connections: 4,
      send: async (client) => {
        client.send(head("PUT", `/v2/keys${"/d".repeat(400_000)}`, `${FORM}Content-Length: 0\r\n`));
        client.send(head("GET", `/v2/keys${"/..".repeat(300_000)}`));
        await client.got(/HTTP\/1.1[\s\S]*HTTP\/1.1|$^/).catch(() => {});
      },
    },
    {
      what: "listings that are not read",
      connections: 20,
      send: async (client) => {
        client.socket.pause();
        client.send(head("GET", `/v2/keys${files}?recursive=true`));
      },
    },
  ];
}

/** Sends `payload` bytes, each in its own chunk. */
function chunksOfOneByte(request: string, payload: number): HostileTraffic["send"] {
  return async (client) => {
    client.send(request);
    await pour(client, "1\r\nx\r\n".repeat(16 * 1024), 6 * payload);
  };
}

function head(method: string, target: string, headers = ""): string {
  return `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

/** Sends a text repeatedly until `bytes` are sent or the server stops reading. */
async function pour({ socket }: RawClient, text: string, bytes: number): Promise<void> {
  const piece = Buffer.from(text);
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += piece.length) {
    if (!socket.write(piece) && !(await drains(socket))) return;
  }
}

function drains(socket: RawClient["socket"]): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), STALL_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      socket.off("drain", settle).off("close", settle);
      resolve(!socket.destroyed);
    };
    socket.once("drain", settle).once("close", settle);
  });
}
