package foreign

import (
	"context"
	"os"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

// TestMigratedTree uses the directory ETCD_MIGRATED, which test/foreign/migrated.test.ts describes.
func TestMigratedTree(t *testing.T) {
	root := os.Getenv("ETCD_MIGRATED")
	if root == "" {
		t.Skip("no ETCD_MIGRATED")
	}
	made, ctx := newClient(t), inTime(t)
	noError(t, made.Sync(ctx))
	keys := client.NewKeysAPIWithPrefix(made, "/v2/keys"+root)

	// A watch without an index answers the next change.
	next := make(chan *client.Response, 1)
	go func() {
		seen, err := keys.Watcher("/config", nil).Next(ctx)
		if err != nil {
			t.Error(err)
		}
		next <- seen
	}()
	for answered := false; !answered; {
		must[*client.Response](t)(keys.Set(ctx, "/config", "set", nil))
		select {
		case seen := <-next:
			equal(t, "watched value", seen.Node.Value, "set")
			answered = true
		case <-time.After(50 * time.Millisecond):
		}
	}

	got := must[*client.Response](t)(keys.Get(ctx, "/config", &client.GetOptions{Quorum: true}))
	swap := &client.SetOptions{PrevValue: "set", PrevIndex: got.Node.ModifiedIndex}
	swapped := must[*client.Response](t)(keys.Set(ctx, "/config", "swapped", swap))
	_, err := keys.Set(ctx, "/config", "too late", swap)
	equal(t, "code", err.(client.Error).Code, client.ErrorCodeTestFailed)
	after := &client.WatcherOptions{AfterIndex: got.Node.ModifiedIndex}
	seen := must[*client.Response](t)(keys.Watcher("/config", after).Next(ctx))
	equal(t, "watched index", seen.Node.ModifiedIndex, swapped.Node.ModifiedIndex)

	list := must[*client.Response](t)(keys.Get(ctx, "/list", &client.GetOptions{Sort: true}))
	equal(t, "children", len(list.Node.Nodes), 3)
	equal(t, "first child", list.Node.Nodes[0].Value, "a")
	deleted := must[*client.Response](t)(keys.Delete(ctx, "/list/b", nil))
	equal(t, "deleted value", deleted.PrevNode.Value, "b")
	must[*client.Response](t)(keys.Delete(ctx, "/list", &client.DeleteOptions{Recursive: true}))
	_, err = keys.Get(ctx, "/list/a", nil)
	equal(t, "is gone", client.IsKeyNotFound(err), true)

	must[*client.Response](t)(keys.CreateInOrder(ctx, "/queue", "second", nil))
	queue := must[*client.Response](t)(keys.Get(ctx, "/queue", &client.GetOptions{Sort: true}))
	equal(t, "queue", queue.Node.Nodes[0].Value+queue.Node.Nodes[1].Value, "firstsecond")

	lease := must[*client.Response](t)(keys.Get(ctx, "/lease", nil))
	equal(t, "lease runs", lease.Node.TTL > 3000 && lease.Node.TTL <= 3600, true)
	refresh := &client.SetOptions{Refresh: true, TTL: 2 * time.Second, PrevExist: client.PrevExist}
	refreshed := must[*client.Response](t)(keys.Set(ctx, "/lease", "", refresh))
	after = &client.WatcherOptions{AfterIndex: refreshed.Node.ModifiedIndex}
	expired := must[*client.Response](t)(keys.Watcher("/lease", after).Next(ctx))
	equal(t, "action", expired.Action, "expire")

	quiet, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = keys.Watcher("/config", nil).Next(quiet)
	equal(t, "error", err, context.DeadlineExceeded)
}
