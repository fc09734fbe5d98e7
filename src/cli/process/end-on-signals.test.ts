import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import { endOnSignals } from "./end-on-signals.js";

function processOf(pid: number) {
  const emitter = new EventEmitter();
  return {
    emitter,
    process: Object.assign(emitter, { pid, exit: vi.fn<(code: number) => void>() }),
  };
}

it("the first process of a container ends on signals without a listener", () => {
  const { emitter, process } = processOf(1);
  endOnSignals(process);
  emitter.emit("SIGTERM");
  expect(process.exit).toHaveBeenLastCalledWith(143);
});

it("a command's listener gets the first signal, and the second signal ends the command", () => {
  const { emitter, process } = processOf(1);
  endOnSignals(process);
  const end = vi.fn();
  emitter.once("SIGINT", end);
  emitter.emit("SIGINT");
  expect(end).toHaveBeenCalledOnce();
  expect(process.exit).not.toHaveBeenCalled();
  emitter.emit("SIGINT");
  expect(process.exit).toHaveBeenLastCalledWith(130);
});

it("other processes keep the default behavior", () => {
  const { emitter, process } = processOf(77);
  endOnSignals(process);
  expect(emitter.listenerCount("SIGTERM")).toBe(0);
});
