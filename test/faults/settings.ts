import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RELEASES, type Release } from "../../scripts/etcd-binaries.mjs";
import { nemeses } from "./nemeses/index.js";
import type { Nemesis } from "./nemeses/nemesis.js";
import type { RunSettings } from "./run.js";
import { SYSTEM_NAMES, type SystemName } from "./system.js";

const DEFAULT_RELEASES = { v2: "3.5", v3: "3.7", gateway: "3.7", cutover: "3.5" } as const;
const UPGRADED_RELEASES = { v2: "3.4", v3: "3.5", gateway: "3.5", cutover: "3.4" } as const;

/** A run with these is short. */
const SHORT = { minutes: "0.45", rate: "30" };
const LONG = { minutes: "10", rate: "100" };
/** Shorter runs have no nemesis that lasts for a minute. */
const MINUTES_FOR_LONG = 5;

const {
  FAULTS_SYSTEM: system = "all",
  FAULTS_MINUTES,
  FAULTS_NEMESIS: nemesis = "all",
  FAULTS_SEED,
  FAULTS_OUT,
  FAULTS_RELEASE,
  FAULTS_RATE,
} = process.env;

/** Bug to plant. */
export const { FAULTS_PLANT: plant } = process.env;
export const isWriting = process.env.FAULTS_WRITE === "true";
/** Whether gateways return to v2 after a cut-over. */
const returns = process.env.FAULTS_RETURN === "true";
/** Whether clients resolve unknown outcomes, and none may be left. */
const isSafe = process.env.FAULTS_SAFE === "true";
/** Whether `npm run faults` has set the variables. */
export const isLong = FAULTS_MINUTES !== undefined;
const defaults = isLong ? LONG : SHORT;
const minutes = Number(FAULTS_MINUTES ?? defaults.minutes);

const DAY_MS = 86_400_000;
/** Changes every day, so that the short form is another one tomorrow. */
export const seed = Number(FAULTS_SEED ?? Math.floor(Date.now() / DAY_MS));

export const systems = systemsFor(system);
if (systems.length === 0) throw new Error(`--system: unknown: ${system}`);

/** The short form has the cut-over, in which all parts take part, and each day another of the other systems. */
function systemsFor(name: string): readonly SystemName[] {
  if (name !== "all") return SYSTEM_NAMES.filter((each) => each === name);
  if (isLong) return SYSTEM_NAMES;
  const others = SYSTEM_NAMES.filter((each) => each !== "cutover");
  return SYSTEM_NAMES.filter((each) => each === "cutover" || each === others[seed % others.length]);
}

export const out = FAULTS_OUT ?? mkdtempSync(join(tmpdir(), "etcdnet-faults-"));

export function runSettings(name: SystemName): RunSettings {
  const release = releaseOf(name);
  return {
    system: name,
    release,
    durationMs: minutes * 60_000,
    nemeses: nemesesFor(name, release),
    lanes: nemesis === "mixed" ? 2 : 1,
    seed,
    rate: Number(FAULTS_RATE ?? defaults.rate),
    out: join(out, name),
    isSafe,
    returns,
  };
}

/** An upgrade needs a release that has a next one. */
function releaseOf(name: SystemName): Release {
  const defaults = nemesis === "upgrade" ? UPGRADED_RELEASES : DEFAULT_RELEASES;
  if (FAULTS_RELEASE === undefined) return defaults[name];
  const release = RELEASES.find((each) => each === FAULTS_RELEASE);
  if (release === undefined) throw new Error(`--release: unknown: ${FAULTS_RELEASE}`);
  return release;
}

function nemesesFor(name: SystemName, release: Release): readonly Nemesis[] {
  const possible = nemeses.filter(
    ({ systems, releases }) =>
      systems.includes(name) && releases?.[name]?.includes(release) !== false,
  );
  if (nemesis === "all" || nemesis === "mixed") {
    const isTooLong = (each: Nemesis) => each.isLong === true && minutes < MINUTES_FOR_LONG;
    return possible.filter((each) => !each.isAlone && !isTooLong(each));
  }
  const names = nemesis.split(",");
  const unknown = names.find((each) => !nemeses.some((known) => known.name === each));
  if (unknown !== undefined) throw new Error(`--nemesis: unknown: ${unknown}`);
  return possible.filter((each) => names.includes(each.name));
}
