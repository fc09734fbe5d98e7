import { describe, expect, test } from "vitest";
import { ProtocolError } from "../errors/cluster-errors.js";
import { framed, grpcStatusOf, unframed } from "./grpc.js";

describe("gRPC", () => {
  test("a message is the content of its frame", () => {
    const message = Buffer.from("é");
    expect(framed(message).toString("hex")).toBe("0000000002c3a9");
    expect(unframed(framed(message))).toEqual(message);
  });

  test.each(["", "00000000", "0000000002c3", "0000000002c3a900"])(
    "%j is not a complete frame",
    (hex) => {
      expect(() => unframed(Buffer.from(hex, "hex"))).toThrow(ProtocolError);
    },
  );

  test("a compressed message is refused", () => {
    expect(() => unframed(Buffer.from("0100000002c3a9", "hex"))).toThrow(/compressed/);
  });

  test("a status is read from headers or trailers, with its message percent-encoded or not", () => {
    const statusOf = (headers: Record<string, string>) =>
      grpcStatusOf({ status: 200, endpoint: "http://a:1", headers });
    expect(statusOf({})).toBeUndefined();
    expect(statusOf({ "grpc-status": "0" })).toEqual({ code: 0, message: "" });
    expect(statusOf({ "grpc-status": "5", "grpc-message": "caf%C3%A9" })).toEqual({
      code: 5,
      message: "café",
    });
    expect(statusOf({ "grpc-status": "5", "grpc-message": "100%" })?.message).toBe("100%");
    for (const none of ["", " ", "0, 0", "0x0"]) {
      expect(statusOf({ "grpc-status": none })).toEqual({ code: 2, message: "" });
    }
  });
});
