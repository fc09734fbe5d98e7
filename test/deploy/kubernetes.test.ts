import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { isMissing, itWith, reportMissing } from "../foreign/missing.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { expectGatewayRuns } from "./running.js";
import { buildValidator, feed, findOnPath, print } from "./tools.js";

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: object;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly volumes?: readonly { readonly name: string }[] };
    };
  };
}

const FOLDER = join(root, "deploy/kubernetes");
const kubectl = findOnPath("kubectl", "version", "--client");
const validator = buildValidator();

beforeAll(buildIfStale);

/** All manifests of a kustomization, as `kubectl apply -k` applies them. */
async function manifestsOf(name: string): Promise<{ text: string; manifests: Manifest[] }> {
  const text = await print("kubectl", "kustomize", join(FOLDER, name));
  return { text, manifests: parseAllDocuments(text).map((document) => document.toJS()) };
}

const dataOf = (manifests: readonly Manifest[]): Readonly<Record<string, string>> =>
  manifests.find(({ kind }) => kind === "ConfigMap")?.data ?? {};

if (isMissing(kubectl)) reportMissing("deploy/kubernetes", kubectl);
else {
  describe.each(["base", "secured"])("deploy/kubernetes/%s", (name) => {
    itWith(validator, "is valid, with pods as restricted as possible", async (program) => {
      await feed((await manifestsOf(name)).text, program, "kubernetes");
    });

    it("selects the pods of the deployment everywhere", async () => {
      const { manifests } = await manifestsOf(name);
      const template = manifests.find(({ kind }) => kind === "Deployment")?.spec?.template;
      const label = template?.metadata.labels;
      const [service] = manifests.filter(({ kind }) => kind === "Service");
      expect(service?.spec?.selector).toEqual(label);
      const [budget] = manifests.filter(({ kind }) => kind === "PodDisruptionBudget");
      expect(budget?.spec?.selector).toEqual({ matchLabels: label });
    });

    it("names only variables that exist", async () => {
      const help = await print(
        process.execPath,
        join(root, "dist/cli/main.js"),
        "gateway",
        "--help",
      );
      const names = Object.keys(dataOf((await manifestsOf(name)).manifests));
      expect(names.length).toBeGreaterThan(1);
      for (const variable of names) expect(help).toContain(variable);
    });
  });

  describeWithEtcd("3.6", "deploy/kubernetes/base", () => {
    it("configures a gateway", async () => {
      await using etcd = await startEtcd({ release: "3.6" });
      await expectGatewayRuns(dataOf((await manifestsOf("base")).manifests), etcd.urls);
    });
  });
}
