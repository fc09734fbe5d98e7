import type { Stage, Story } from "./stage.js";

/** The stage keeps so many events: etcd keeps 1000. */
export const WATCH_STORY_HISTORY = 5;

/** A watch that loses its connection: first for so short that nothing is lost, then for longer. */
export function watchStory({ newProcess, newRemoteClient, pass, print, settle }: Stage): Story {
  const { etcd, link } = newRemoteClient();
  const other = newProcess().etcd;

  return {
    title: "A watch that loses its connection",
    steps: [
      {
        title: "Watch a directory",
        text: "The watch begins with the state. This etcd keeps the last 5 events; a real one keeps 1000. Indented lines are the requests on the connection.",
        async run() {
          await other.setNode("/config/mode", "day");
          void (async () => {
            for await (const item of etcd.watch("/config", { recursive: true, initial: true })) {
              if (item.type === "change") {
                const { action, node } = item.response;
                print(`change: ${action} ${node.key} = ${node.value}`);
              } else {
                const state = item.response?.node.nodes?.map(
                  ({ key, value }) => `${key} = ${value}`,
                );
                print(`resync (${item.reason}): ${state?.join(", ")}`);
              }
            }
          })();
          await pass(1);
        },
      },
      {
        title: "Another process writes",
        text: "The change arrives on the open connection.",
        async run() {
          await other.setNode("/config/mode", "night");
          await settle();
        },
      },
      {
        title: "The connection breaks, and two changes happen",
        text: "The watch cannot see them.",
        async run() {
          link.cut();
          await other.setNode("/config/mode", "dawn");
          await other.setNode("/config/mode", "noon");
          await pass(1);
          print("nothing was delivered");
        },
      },
      {
        title: "The connection returns",
        text: "The watch asks from the index after the last change that it has. Both changes are in etcd's history, so they are delivered: late, but complete and in order.",
        async run() {
          link.mend();
          await pass(5);
        },
      },
      {
        title: "The connection breaks, and eight changes happen",
        text: "More than this etcd keeps.",
        async run() {
          link.cut();
          for (let number = 1; number <= 8; number++) {
            await other.setNode("/config/number", String(number));
          }
          await pass(1);
          print("nothing was delivered");
        },
      },
      {
        title: "The connection returns",
        text: "etcd has forgotten what the watch needs: error 401. The watch reads the complete state and delivers it as a resync. The program knows that it has missed changes, and has the state that they led to.",
        async run() {
          link.mend();
          await pass(5);
        },
      },
      {
        title: "Another change",
        text: "After the resync, changes follow one by one, as before.",
        async run() {
          await other.setNode("/config/mode", "day");
          await pass(1);
        },
      },
    ],
  };
}
