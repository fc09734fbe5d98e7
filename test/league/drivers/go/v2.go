package main

import (
	"context"
	"time"

	"go.etcd.io/etcd/client/v2"
)

// A watch that failed is continued after this time.
const pause = 200 * time.Millisecond

type v2Driver struct{ keys client.KeysAPI }

func connectV2(url string) (driver, error) {
	made, err := client.New(client.Config{Endpoints: []string{url}})
	if err != nil {
		return nil, err
	}
	return &v2Driver{client.NewKeysAPI(made)}, nil
}

func (d *v2Driver) get(ctx context.Context, key string) error {
	_, err := d.keys.Get(ctx, key, nil)
	return err
}

func (d *v2Driver) add(ctx context.Context, key, value string) error {
	_, err := d.keys.CreateInOrder(ctx, key, value, nil)
	return err
}

func (d *v2Driver) swap(ctx context.Context, key, from, to string) error {
	_, err := d.keys.Set(ctx, key, to, &client.SetOptions{PrevValue: from})
	return err
}

// The watcher keeps its index when Next returns an error, so calling Next again continues the watch.
func (d *v2Driver) watch(ctx context.Context, key string) {
	watcher := d.keys.Watcher(key, &client.WatcherOptions{Recursive: true})
	for {
		response, err := watcher.Next(ctx)
		if err != nil {
			printNotice("error", err)
			time.Sleep(pause)
			continue
		}
		printEvent(response.Node.Value)
	}
}
