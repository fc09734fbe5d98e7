import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Missing } from "../../foreign/install.js";
import { isMissing } from "../../foreign/missing.js";
import { installWithPythonEtcd } from "../python.js";

export const PATRONI_VERSION = "4.1.5";
const DEBIAN_DIRECTORY = "/usr/lib/postgresql";

/** PostgreSQL refuses to run as root. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface Patroni {
  /** The folder of the Python packages. */
  readonly packages: string;
  readonly python: string;
  /** The folder of PostgreSQL's programs. */
  readonly postgres: string;
  /** Absent: this process is not root. */
  readonly user?: User;
}

/** Installs Patroni; PostgreSQL must be there. */
export function installPatroni(): Patroni | Missing {
  const postgres = findPostgres();
  if (isMissing(postgres)) return postgres;
  const user = findUser();
  if (user !== undefined && isMissing(user)) return user;
  // The Python of a root user may be in a folder that other users cannot read.
  const python = user === undefined ? "python3" : "/usr/bin/python3";
  const requirement = `patroni[etcd,psycopg2-binary]==${PATRONI_VERSION}`;
  const packages = installWithPythonEtcd(`patroni-${PATRONI_VERSION}`, [requirement], python);
  if (isMissing(packages)) return packages;
  return { packages, python, postgres, ...(user && { user }) };
}

/** Copies the packages to a folder that the user of PostgreSQL can read, if this process is root. */
export function withReadablePackages(patroni: Patroni, directory: string): Patroni {
  if (patroni.user === undefined) return patroni;
  const packages = join(directory, "packages");
  cpSync(patroni.packages, packages, { recursive: true });
  chmodSync(packages, 0o755);
  return { ...patroni, packages };
}

function findPostgres(): string | Missing {
  const versions = existsSync(DEBIAN_DIRECTORY) ? readdirSync(DEBIAN_DIRECTORY) : [];
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
  const { stdout } = spawnSync("pg_config", ["--bindir"], { encoding: "utf8" });
  const candidates = newestFirst.map((version) => join(DEBIAN_DIRECTORY, version, "bin"));
  const found = [...candidates, (stdout ?? "").trim()].find((directory) =>
    existsSync(join(directory, "initdb")),
  );
  return found ?? { missing: "no PostgreSQL server found; install it (Debian: postgresql)" };
}

function findUser(): User | Missing | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((option) =>
      Number.parseInt(spawnSync("id", [option, name], { encoding: "utf8" }).stdout, 10),
    );
    if (uid && gid && !Number.isNaN(uid + gid)) return { uid, gid };
  }
  return { missing: "PostgreSQL does not run as root, and there is no user postgres or nobody" };
}
