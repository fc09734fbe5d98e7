import { useEffect, useState } from "preact/hooks";
import type { Participant, RecipeAnswer } from "../src/console/model/page-types.js";
import type { AppState } from "./app-state.js";
import { useEmitter } from "./emitter.js";
import { addressOf } from "./location.js";
import { Text } from "./text.js";
import { TimeLeft } from "./time-left.js";
import { endOf, nameOf } from "./tree-model.js";

/** A lock, an election or a registry, if the directory is one: who holds it, who waits, which instances there are. */
export function RecipeView({
  state,
  directory,
}: {
  readonly state: AppState;
  readonly directory: string;
}) {
  const { changes, api } = state;
  useEmitter(changes);
  const [answer, setAnswer] = useState<RecipeAnswer>({});
  const latest = changes.below(directory);
  useEffect(() => {
    const controller = new AbortController();
    api.get<RecipeAnswer>("recipe", { key: directory }, controller.signal).then(
      (read) => setAnswer(read),
      () => controller.signal.aborted || setAnswer({}),
    );
    return () => controller.abort();
  }, [directory, latest]);
  const { kind, participants = [] } = answer;
  if (kind === undefined) return null;
  const isQueue = kind === "queue";
  return (
    <div class="recipe">
      <h3>{isQueue ? "Lock or election" : "Registered instances"}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label="Participants">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{isQueue ? "Place" : "Instance"}</th>
              <th scope="col">{isQueue ? "Says" : "Metadata"}</th>
              <th scope="col">{isQueue ? "Fencing token" : "Since index"}</th>
              <th scope="col">Time to live</th>
            </tr>
          </thead>
          <tbody>
            {participants.map((each, at) => (
              <tr key={each.key}>
                <td>
                  <a href={addressOf("keys", each.key)}>
                    {isQueue ? placeText(at) : <Text>{nameOf(each.key)}</Text>}
                  </a>
                </td>
                <td class="mono value">
                  <Text>{each.data}</Text>
                </td>
                <td class="number">{each.token}</td>
                <td>
                  <Rest state={state} participant={each} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function placeText(at: number): string {
  return at === 0 ? "holds it or leads" : `waits as number ${at}`;
}

/** Counts from when the participant was read. */
function Rest({
  state,
  participant,
}: {
  readonly state: AppState;
  readonly participant: Participant;
}) {
  const { key, ttl } = participant;
  const [endsAt, setEndsAt] = useState(endOf(ttl, state.now()));
  useEffect(() => setEndsAt(endOf(ttl, state.now())), [participant]);
  return <TimeLeft state={state} node={{ key, endsAt }} />;
}
