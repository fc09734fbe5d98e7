const VERSION = "the version is the cluster's, not that of an etcd with the v2 API";
const HISTORY = "the history holds 10,000 events instead of 1,000";
const GONE = "v3 does not know a member that was removed from one that never was: 404, never 410";

/** Why a test is left out on a gateway, by its name; `docs/deviations.md` has a row for each. */
export const NOT_ON_GATEWAY: Readonly<Record<string, string>> = {
  "are shown with what etcd knows of them": "a set keeps the createdIndex of a file",
  "is refused when the changes asked for are forgotten": HISTORY,
  "goes on after changes that were forgotten": HISTORY,
  TestWatchersAreRefusedWhatIsForgotten: HISTORY,
  test_watches_are_refused_what_is_forgotten: HISTORY,
  "has the version of etcd 3.4": VERSION,
  TestVersionIsOfEtcd34: VERSION,
  test_cluster_names_its_machines_members_and_leader: VERSION,
  TestMembersComeAndGo: GONE,
};
