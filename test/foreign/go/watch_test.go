package foreign

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

func TestWatchersShowChangeAfterChange(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	first := must[*client.Response](t)(keys.Set(ctx, "/w/a", "0", nil))
	watcher := keys.Watcher("/w", &client.WatcherOptions{AfterIndex: first.Index, Recursive: true})
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Add(1)
	go func() {
		defer writing.Done()
		for count := 1; count <= 10; count++ {
			if _, err := keys.Set(ctx, "/w/a", strconv.Itoa(count), nil); err != nil {
				t.Error(err)
			}
		}
		if _, err := keys.Delete(ctx, "/w", &client.DeleteOptions{Recursive: true}); err != nil {
			t.Error(err)
		}
	}()
	for count := 1; count <= 10; count++ {
		seen := must[*client.Response](t)(watcher.Next(ctx))
		equal(t, "value", seen.Node.Value, strconv.Itoa(count))
		equal(t, "previous value", seen.PrevNode.Value, strconv.Itoa(count-1))
	}
	seen := must[*client.Response](t)(watcher.Next(ctx))
	equal(t, "action", seen.Action, "delete")
	equal(t, "key", seen.Node.Key, "/w")
}

func TestWatchersEndWithTheirContext(t *testing.T) {
	keys := client.NewKeysAPI(newClient(t))
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := keys.Watcher("/w/quiet", nil).Next(ctx)
	equal(t, "error", err, context.DeadlineExceeded)
}

func TestWatchersAreRefusedWhatIsForgotten(t *testing.T) {
	keys, ctx := client.NewKeysAPI(newClient(t)), inTime(t)
	first := must[*client.Response](t)(keys.Set(ctx, "/w/forgotten", "0", nil))
	fillHistory(t, ctx, keys)
	forgotten := &client.WatcherOptions{AfterIndex: first.Index}
	_, err := keys.Watcher("/w/forgotten", forgotten).Next(ctx)
	refusal, ok := err.(client.Error)
	equal(t, "is refusal", ok, true)
	equal(t, "code", refusal.Code, client.ErrorCodeEventIndexCleared)
	equal(t, "tells the index", refusal.Index >= first.Index+1000, true)
}

// fillHistory makes etcd, which holds a thousand events, forget all that was before.
func fillHistory(t *testing.T, ctx context.Context, keys client.KeysAPI) {
	t.Helper()
	var writers sync.WaitGroup
	for writer := 0; writer < 50; writer++ {
		writers.Add(1)
		go func() {
			defer writers.Done()
			for count := 0; count < 21; count++ {
				if _, err := keys.Set(ctx, "/filling", "", nil); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	writers.Wait()
}
