import { describeOnBothServers } from "./both-servers.js";
import { buildGoTests, goTests } from "./go-client.js";
import { run } from "./run.js";
import { itPasses } from "./suite.js";

describeOnBothServers(
  "etcd's Go client",
  buildGoTests(),
  (program, server) => {
    itPasses({
      names: goTests,
      run: () => {
        const { urls, leftOut } = server();
        const env = { ETCD_URL: urls[0], ETCD_URLS: urls.join(",") };
        // They would wait for their time-outs.
        const skip = leftOut.length === 0 ? [] : [`-test.skip=^(${leftOut.join("|")})$`];
        return run(program, ["-test.v", ...skip], { env });
      },
      leftOut: () => server().leftOut,
      passed: (name) => RegExp(`^--- PASS: ${name} `, "m"),
    });
  },
  { members: 3 },
);
