package foreign

import (
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

func TestKeysAreSetReadAndDeleted(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	set := must[*client.Response](t)(keys.Set(ctx, "/k/a", "1 + ä & <b>\n", nil))
	equal(t, "action", set.Action, "set")
	equal(t, "index", set.Index, set.Node.ModifiedIndex)
	got := must[*client.Response](t)(keys.Get(ctx, "/k/a", &client.GetOptions{Quorum: true}))
	equal(t, "value", got.Node.Value, "1 + ä & <b>\n")
	equal(t, "key", got.Node.Key, "/k/a")
	if got.ClusterID == "" || got.ClusterID != set.ClusterID {
		t.Fatalf("cluster %q, then %q", set.ClusterID, got.ClusterID)
	}
	deleted := must[*client.Response](t)(keys.Delete(ctx, "/k/a", nil))
	equal(t, "action", deleted.Action, "delete")
	equal(t, "deleted value", deleted.PrevNode.Value, got.Node.Value)
	_, err := keys.Get(ctx, "/k/a", nil)
	refused(t, err, client.ErrorCodeKeyNotFound, "Key not found", "/k/a")
	equal(t, "is key not found", client.IsKeyNotFound(err), true)
}

func TestKeysAreCreatedAndUpdated(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	_, err := keys.Update(ctx, "/k/b", "0")
	refused(t, err, client.ErrorCodeKeyNotFound, "Key not found", "/k/b")
	created := must[*client.Response](t)(keys.Create(ctx, "/k/b", "1"))
	equal(t, "action", created.Action, "create")
	_, err = keys.Create(ctx, "/k/b", "2")
	refused(t, err, client.ErrorCodeNodeExist, "Key already exists", "/k/b")
	updated := must[*client.Response](t)(keys.Update(ctx, "/k/b", "2"))
	equal(t, "action", updated.Action, "update")
	equal(t, "created index", updated.Node.CreatedIndex, created.Node.CreatedIndex)
}

func TestKeysAreCreatedInOrder(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	for _, value := range []string{"first", "second", "third"} {
		must[*client.Response](t)(keys.CreateInOrder(ctx, "/queue", value, nil))
	}
	ttl := &client.CreateInOrderOptions{TTL: time.Minute}
	last := must[*client.Response](t)(keys.CreateInOrder(ctx, "/queue", "last", ttl))
	equal(t, "TTL", last.Node.TTLDuration(), time.Minute)
	queue := must[*client.Response](t)(keys.Get(ctx, "/queue", &client.GetOptions{Sort: true}))
	for place, value := range []string{"first", "second", "third", "last"} {
		equal(t, "value", queue.Node.Nodes[place].Value, value)
	}
}

func TestKeysAreWrittenAndDeletedOnCondition(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	index := must[*client.Response](t)(keys.Set(ctx, "/k/c", "1", nil)).Index
	_, err := keys.Set(ctx, "/k/c", "2", &client.SetOptions{PrevValue: "9"})
	refused(t, err, client.ErrorCodeTestFailed, "Compare failed", "[9 != 1]")
	_, err = keys.Set(ctx, "/k/c", "2", &client.SetOptions{PrevValue: "1", PrevIndex: 1})
	equal(t, "refused", err != nil, true)
	swapped := must[*client.Response](t)(
		keys.Set(ctx, "/k/c", "2", &client.SetOptions{PrevValue: "1", PrevIndex: index}))
	equal(t, "action", swapped.Action, "compareAndSwap")
	equal(t, "previous value", swapped.PrevNode.Value, "1")
	_, err = keys.Delete(ctx, "/k/c", &client.DeleteOptions{PrevValue: "1"})
	refused(t, err, client.ErrorCodeTestFailed, "Compare failed", "[1 != 2]")
	deleted := must[*client.Response](t)(
		keys.Delete(ctx, "/k/c", &client.DeleteOptions{PrevIndex: swapped.Index}))
	equal(t, "action", deleted.Action, "compareAndDelete")
}

func TestKeysExpireUnlessRefreshed(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	set := must[*client.Response](t)(keys.Set(ctx, "/k/ttl", "1", &client.SetOptions{TTL: time.Second}))
	equal(t, "TTL", set.Node.TTLDuration(), time.Second)
	if set.Node.Expiration == nil || time.Until(*set.Node.Expiration) > time.Second {
		t.Fatalf("expires at %v", set.Node.Expiration)
	}
	refresh := &client.SetOptions{TTL: 2 * time.Second, PrevExist: client.PrevExist, Refresh: true}
	refreshed := must[*client.Response](t)(keys.Set(ctx, "/k/ttl", "", refresh))
	equal(t, "value", refreshed.Node.Value, "1")
	equal(t, "TTL", refreshed.Node.TTL, 2)
	watcher := keys.Watcher("/k/ttl", &client.WatcherOptions{AfterIndex: set.Index})
	expired := must[*client.Response](t)(watcher.Next(ctx))
	equal(t, "action", expired.Action, "expire")
	equal(t, "expired value", expired.PrevNode.Value, "1")
	if time.Now().Before(*refreshed.Node.Expiration) {
		t.Fatalf("gone before %v", refreshed.Node.Expiration)
	}
}

func TestDirectoriesHoldKeys(t *testing.T) {
	keys, ctx := client.NewKeysAPIWithPrefix(newClient(t), "/v2/keys/dirs"), inTime(t)
	asDirectory := &client.SetOptions{Dir: true, PrevExist: client.PrevNoExist}
	made := must[*client.Response](t)(keys.Set(ctx, "/d", "", asDirectory))
	equal(t, "is directory", made.Node.Dir, true)
	_, err := keys.Set(ctx, "/d", "", asDirectory)
	refused(t, err, client.ErrorCodeNodeExist, "Key already exists", "/dirs/d")
	for _, key := range []string{"/d/b", "/d/a/x"} {
		must[*client.Response](t)(keys.Set(ctx, key, "1", nil))
	}
	all := &client.GetOptions{Recursive: true, Sort: true}
	read := must[*client.Response](t)(keys.Get(ctx, "/d", all))
	equal(t, "children", len(read.Node.Nodes), 2)
	equal(t, "grandchild", read.Node.Nodes[0].Nodes[0].Key, "/dirs/d/a/x")
	_, err = keys.Set(ctx, "/d", "1", nil)
	refused(t, err, client.ErrorCodeNotFile, "Not a file", "/dirs/d")
	_, err = keys.Set(ctx, "/d/b/below", "1", nil)
	refused(t, err, client.ErrorCodeNotDir, "Not a directory", "/dirs/d/b")
	_, err = keys.Delete(ctx, "/d", &client.DeleteOptions{Dir: true})
	refused(t, err, client.ErrorCodeDirNotEmpty, "Directory not empty", "/dirs/d")
	must[*client.Response](t)(keys.Delete(ctx, "/d", &client.DeleteOptions{Recursive: true}))
	_, err = client.NewKeysAPI(newClient(t)).Delete(ctx, "/", &client.DeleteOptions{Recursive: true})
	refused(t, err, client.ErrorCodeRootROnly, "Root is read only", "/")
}

func TestValuesAreLeftOutOfAnswersIfSoAsked(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	set := must[*client.Response](t)(
		keys.Set(ctx, "/k/silent", "1", &client.SetOptions{NoValueOnSuccess: true}))
	equal(t, "has node", set.Node != nil, false)
	equal(t, "value", must[*client.Response](t)(keys.Get(ctx, "/k/silent", nil)).Node.Value, "1")
}
