// Command follower sets a key and watches it with etcd's Go client for the v2 API, while AutoSync
// replaces the endpoints of the client with those that the members advertise.
//
//	follower URL URL
//
// It prints "set N" for each value written and "seen N" for each value watched. SIGTERM ends it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/v2"
)

const (
	key          = "/followed"
	syncInterval = 50 * time.Millisecond
	pause        = 20 * time.Millisecond
)

func main() {
	gateways := os.Args[1:]
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	etcd, err := client.New(client.Config{
		Endpoints:               gateways,
		HeaderTimeoutPerRequest: 10 * time.Second,
	})
	check(err)
	keys := client.NewKeysAPI(etcd)
	first, err := keys.Set(ctx, key, "0", nil)
	check(err)

	ended := make(chan error, 2)
	go func() { ended <- synchronise(ctx, etcd, gateways) }()
	go func() { ended <- watch(ctx, keys, first.Node.ModifiedIndex) }()
	for number := 1; ctx.Err() == nil; number++ {
		set(ctx, keys, number)
		time.Sleep(pause)
	}
	check(<-ended)
	check(<-ended)
}

// synchronise runs AutoSync, again after it failed, and fails when the client knows an endpoint
// that is not a gateway.
func synchronise(ctx context.Context, etcd client.Client, gateways []string) error {
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, 4*syncInterval)
		err := etcd.AutoSync(once, syncInterval)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			fmt.Println("AutoSync:", err)
		}
		endpoints := etcd.Endpoints()
		slices.Sort(endpoints)
		endpoints = slices.Compact(endpoints)
		for _, endpoint := range endpoints {
			if !slices.Contains(gateways, endpoint) {
				return fmt.Errorf("%s is not a gateway", endpoint)
			}
		}
		if len(endpoints) != len(gateways) {
			return fmt.Errorf("knows only %v", endpoints)
		}
	}
	return nil
}

func set(ctx context.Context, keys client.KeysAPI, number int) {
	for ctx.Err() == nil {
		if _, err := keys.Set(ctx, key, strconv.Itoa(number), nil); err == nil {
			fmt.Println("set", number)
			return
		}
	}
}

func watch(ctx context.Context, keys client.KeysAPI, index uint64) error {
	watcher := keys.Watcher(key, &client.WatcherOptions{AfterIndex: index})
	for {
		response, err := watcher.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var refused client.Error
		if errors.As(err, &refused) {
			return err
		}
		if err == nil {
			fmt.Println("seen", response.Node.Value)
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
