// Drives one of etcd's Go clients: main v2|v3 URL. ../lines.mjs describes the lines it reads and writes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// A client as the league uses it. Every method uses the client's defaults.
type driver interface {
	get(ctx context.Context, key string) error
	add(ctx context.Context, key, value string) error
	swap(ctx context.Context, key, from, to string) error
	watch(ctx context.Context, key string)
}

type request struct {
	ID    int    `json:"id"`
	Op    string `json:"op"`
	Key   string `json:"key"`
	Value string `json:"value"`
	From  string `json:"from"`
	To    string `json:"to"`
}

var printing sync.Mutex

func say(message map[string]any) {
	printing.Lock()
	defer printing.Unlock()
	line, _ := json.Marshal(message)
	fmt.Println(string(line))
}

func printEvent(value string) { say(map[string]any{"event": value}) }

func printNotice(kind string, err error) {
	say(map[string]any{"notice": kind, "text": err.Error()})
}

func main() {
	connect := map[string]func(string) (driver, error){"v2": connectV2, "v3": connectV3}
	client, err := connect[os.Args[1]](os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var each request
		if err := json.Unmarshal(lines.Bytes(), &each); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go answer(client, each)
	}
}

func answer(client driver, each request) {
	if err := perform(context.Background(), client, each); err != nil {
		say(map[string]any{"id": each.ID, "error": err.Error()})
	} else {
		say(map[string]any{"id": each.ID})
	}
}

func perform(ctx context.Context, client driver, each request) error {
	switch each.Op {
	case "get":
		return client.get(ctx, each.Key)
	case "add":
		return client.add(ctx, each.Key, each.Value)
	case "swap":
		return client.swap(ctx, each.Key, each.From, each.To)
	case "watch":
		go client.watch(ctx, each.Key)
		return nil
	default:
		return fmt.Errorf("unknown operation %s", each.Op)
	}
}
