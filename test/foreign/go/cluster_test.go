package foreign

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

const neverStarted = "http://127.0.0.1:9"

func TestMembersComeAndGo(t *testing.T) {
	members, ctx := client.NewMembersAPI(newClient(t)), inTime(t)
	before := must[[]client.Member](t)(members.List(ctx))
	leader := must[*client.Member](t)(members.Leader(ctx))
	equal(t, "leader is a member", slices.ContainsFunc(before, func(each client.Member) bool {
		return each.ID == leader.ID
	}), true)

	added := must[*client.Member](t)(members.Add(ctx, neverStarted))
	equal(t, "peer URL", added.PeerURLs[0], neverStarted)
	noError(t, members.Update(ctx, added.ID, []string{"http://127.0.0.1:19"}))
	now := must[[]client.Member](t)(members.List(ctx))
	equal(t, "members", len(now), len(before)+1)
	for _, each := range now {
		if each.ID == added.ID {
			equal(t, "peer URL", each.PeerURLs[0], "http://127.0.0.1:19")
			equal(t, "name", each.Name, "")
		}
	}
	noError(t, members.Remove(ctx, added.ID))
	noError(t, members.Remove(ctx, added.ID)) // the client takes 410 for success
	equal(t, "members", len(must[[]client.Member](t)(members.List(ctx))), len(before))
}

func TestMembersAreRefused(t *testing.T) {
	members, ctx := client.NewMembersAPI(newClient(t)), inTime(t)
	_, err := members.Add(ctx, "nonsense")
	equal(t, "is refused", err != nil, true)
	complains(t, members.Update(ctx, "beef", []string{"http://127.0.0.1:19"}), "No such member: beef")
}

func TestEndpointsFollowTheMembers(t *testing.T) {
	made := newClient(t)
	noError(t, made.Sync(inTime(t)))
	endpoints := made.Endpoints()
	slices.Sort(endpoints)
	endpoints = slices.Compact(endpoints) // a gateway gives every member its own URL
	want := strings.Split(os.Getenv("ETCD_URLS"), ",")
	slices.Sort(want)
	equal(t, "endpoints", strings.Join(endpoints, ","), strings.Join(want, ","))

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	equal(t, "end of AutoSync", made.AutoSync(ctx, 20*time.Millisecond), context.DeadlineExceeded)
	must[*client.Response](t)(client.NewKeysAPI(made).Set(inTime(t), "/after-sync", "1", nil))
}

func TestVersionIsOfEtcd34(t *testing.T) {
	version, err := newClient(t).GetVersion(inTime(t))
	noError(t, err)
	equal(t, "server", strings.HasPrefix(version.Server, "3.4."), true)
	equal(t, "cluster", version.Cluster, "3.4.0")
}

func TestPrefersTheLeaderIfSoAsked(t *testing.T) {
	made := newClient(t, func(config *client.Config) {
		config.SelectionMode = client.EndpointSelectionPrioritizeLeader
	})
	noError(t, made.Sync(inTime(t)))
	must[*client.Response](t)(client.NewKeysAPI(made).Set(inTime(t), "/at-leader", "1", nil))
}
