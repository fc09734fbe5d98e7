import { useEffect, useState } from "preact/hooks";
import type { ClusterAnswer, EndpointState } from "../src/console/model/page-types.js";
import { messageOf } from "./api.js";
import type { AppState } from "./app-state.js";
import { CutoverSummary } from "./cutover-view.js";
import { Text } from "./text.js";

const REFRESH_MS = 5_000;

/** Members, leader, health, versions and sizes; read again every few seconds. */
export function ClusterView({ state }: { readonly state: AppState }) {
  const [answer, setAnswer] = useState<ClusterAnswer>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const run = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          setAnswer(await state.api.get<ClusterAnswer>("cluster", {}, signal));
          setFailure("");
        } catch (error) {
          if (!signal.aborted) setFailure(messageOf(error));
        }
        await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      }
    };
    void run();
    return () => controller.abort();
  }, []);
  const alarms = [...new Set(answer?.endpoints.flatMap((each) => each.alarms ?? []))];
  return (
    <section class="panel" aria-label="Cluster">
      {failure !== "" && (
        <p class="notice bad" role="alert">
          {failure}
        </p>
      )}
      {answer === undefined && failure === "" && <p class="quiet">loading …</p>}
      {alarms.length > 0 && (
        <p class="notice bad" role="alert">
          <span>
            Alarm: <Text>{alarms.join(", ")}</Text>
          </span>
        </p>
      )}
      {answer && (
        <>
          <h2>Members</h2>
          <div class="scroll" tabIndex={0} role="region" aria-label="Table of members">
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">ID</th>
                  <th scope="col">Client URLs</th>
                  <th scope="col">Peer URLs</th>
                </tr>
              </thead>
              <tbody>
                {answer.members.map(({ id, name, clientURLs, peerURLs, isLeader }) => (
                  <tr key={id}>
                    <td>
                      {name === "" ? <span class="quiet">not started</span> : <Text>{name}</Text>}{" "}
                      {isLeader && <span class="badge good">leader</span>}
                    </td>
                    <td class="mono">{id}</td>
                    <td class="mono">
                      <Text>{clientURLs.join(" ")}</Text>
                    </td>
                    <td class="mono">
                      <Text>{peerURLs.join(" ")}</Text>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <h2>Endpoints of this console</h2>
          <div class="scroll" tabIndex={0} role="region" aria-label="Table of endpoints">
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">Endpoint</th>
                  <th scope="col">Health</th>
                  <th scope="col">Version</th>
                  <th scope="col">Database</th>
                </tr>
              </thead>
              <tbody>
                {answer.endpoints.map((each) => (
                  <tr key={each.endpoint}>
                    <td class="mono">{each.endpoint}</td>
                    <td>
                      <span class={`badge ${each.healthy ? "good" : "bad"}`}>
                        {each.healthy ? "healthy" : "not healthy"}
                      </span>{" "}
                      {each.reason !== undefined && <Text>{each.reason}</Text>}
                    </td>
                    <td>{each.version !== undefined && <Text>{each.version}</Text>}</td>
                    <td>{databaseText(each)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="quiet">
            {answer.clusterId !== undefined && (
              <>
                Cluster <span class="mono">{answer.clusterId}</span>.{" "}
              </>
            )}
            {answer.watchers !== undefined &&
              `Open watches at the member that responded: ${answer.watchers}.`}
          </p>
          <CutoverSummary state={state} at={answer} />
          {answer.problems.length > 0 && (
            <ul class="problems" aria-label="What could not be found out">
              {answer.problems.map((problem) => (
                <li key={problem}>
                  <Text>{problem}</Text>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

function databaseText({ dbSize, dbSizeInUse }: EndpointState): string {
  if (dbSize === undefined) return "";
  const size = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return dbSizeInUse === undefined ? size(dbSize) : `${size(dbSize)}, ${size(dbSizeInUse)} in use`;
}
