import type { LockHandle } from "../../../src/recipes/lock/lock-handle.js";
import type { Stage, Story } from "./stage.js";

/** A lock whose holder is paused: it writes after another process has acquired the lock. */
export function lockStory({ newProcess, pass, print, settle }: Stage): Story {
  const a = newProcess();
  const b = newProcess();
  let heldByA: LockHandle;
  let heldByB: LockHandle;

  // The resource that the lock protects. It is no part of etcd.
  const report = { text: "", highestToken: 0 };
  function write(text: string, token: number): void {
    if (token < report.highestToken) throw new Error(`token ${token} is too old`);
    report.highestToken = token;
    report.text = text;
    print(`report: ${text} (token ${token})`);
  }

  return {
    title: "A lock whose holder is paused",
    steps: [
      {
        title: "Process A acquires the lock",
        text: "A's key has a TTL of 10 seconds. The library renews it while A runs.",
        async run() {
          heldByA = await a.etcd.lock("/locks/report", { ttl: 10 }).acquire({ data: "A" });
          print(`A holds the lock, token ${heldByA.fencingToken}`);
        },
      },
      {
        title: "Process B waits",
        text: "B's key is behind A's in the same directory. The lower one holds the lock.",
        async run() {
          const waiting = b.etcd.lock("/locks/report", { ttl: 10 }).acquire({ data: "B" });
          waiting.then((held) => {
            heldByB = held;
            print(`B holds the lock, token ${held.fencingToken}`);
          });
          await settle();
          print("B waits");
        },
      },
      {
        title: "A checks that it holds the lock, and is paused",
        text: "The check succeeds. Then the process stands still, for example in the garbage collector.",
        run() {
          heldByA.assertHeld();
          print("A: I hold the lock. Now I will write the report …");
          a.clock.pause();
          print("A is paused");
        },
      },
      {
        title: "15 seconds pass",
        text: "A renews nothing. etcd deletes its key, and B is next.",
        async run() {
          await pass(15);
        },
      },
      {
        title: "B writes",
        text: "The report keeps the highest token that it has seen.",
        run() {
          write("by B", heldByB.fencingToken);
        },
      },
      {
        title: "A continues, and writes",
        text: "A does not know that it was paused. Its token is lower than B's, so the report refuses it. Without the token, A would have overwritten B's report.",
        run() {
          try {
            write("by A", heldByA.fencingToken);
          } catch (error) {
            print(`refused: ${(error as Error).message}`);
          }
        },
      },
      {
        title: "A learns that it has lost the lock",
        text: "As soon as its timers run, the library knows it. The signal of the handle aborts, too.",
        async run() {
          a.clock.resume();
          await settle();
          try {
            heldByA.assertHeld();
          } catch (error) {
            print(`A: ${(error as Error).message}`);
          }
          print(`the report is ${report.text}`);
        },
      },
    ],
  };
}
