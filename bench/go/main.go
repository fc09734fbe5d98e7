// Measures etcd's own Go client of the v2 API as ../worker.mjs measures the others: `main URL`, one
// command in JSON per line, one line as the answer.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/v2"
)

const keys = 1000

var value = strings.Repeat("0123456789", 10)

type command struct {
	Command   string  `json:"command"`
	Operation string  `json:"operation"`
	InFlight  int     `json:"inFlight"`
	Time      float64 `json:"time"` // milliseconds
}

type result struct {
	Calls     int64   `json:"calls"`
	Seconds   float64 `json:"seconds"`
	CPUMicros int64   `json:"cpuMicros"`
}

type call func(api client.KeysAPI, key string)

func main() {
	url := os.Args[1]
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var c command
		must(json.Unmarshal(lines.Bytes(), &c))
		switch c.Command {
		case "warmUp":
			answer(warmUp(url, c))
		case "load":
			answer(load(url, c))
		default:
			log.Fatalf("%s: not measured of this client", c.Command)
		}
	}
}

func answer(value any) {
	must(json.NewEncoder(os.Stdout).Encode(value))
}

// connect gives the client a connection for each call that is in flight; its default transport
// keeps two and opens a new one for every call beyond them.
func connect(url string, inFlight int) (client.KeysAPI, *http.Transport) {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: inFlight,
	}
	etcd, err := client.New(client.Config{Endpoints: []string{url}, Transport: transport})
	must(err)
	return client.NewKeysAPI(etcd), transport
}

func warmUp(url string, c command) result {
	api, transport := connect(url, 32)
	defer transport.CloseIdleConnections()
	for index := int64(0); index < keys; index++ {
		set(api, keyOf(index))
	}
	repeat(api, set, 32, c.Time/2)
	repeat(api, get, 32, c.Time/2)
	return result{}
}

// The client of the last load, which the next part of it uses, too.
var loaded struct {
	inFlight  int
	api       client.KeysAPI
	transport *http.Transport
}

func load(url string, c command) result {
	if loaded.inFlight != c.InFlight {
		if loaded.transport != nil {
			loaded.transport.CloseIdleConnections()
		}
		loaded.inFlight = c.InFlight
		loaded.api, loaded.transport = connect(url, c.InFlight)
	}
	api := loaded.api
	call := set
	if c.Operation == "get" {
		call = get
	}
	repeat(api, call, c.InFlight, c.Time/4)
	cpu, start := cpuMicros(), time.Now()
	calls := repeat(api, call, c.InFlight, c.Time)
	return result{calls, time.Since(start).Seconds(), cpuMicros() - cpu}
}

func repeat(api client.KeysAPI, call call, inFlight int, milliseconds float64) int64 {
	var calls atomic.Int64
	var stopped atomic.Bool
	var lines sync.WaitGroup
	for range inFlight {
		lines.Add(1)
		go func() {
			defer lines.Done()
			for !stopped.Load() {
				call(api, keyOf(calls.Add(1)))
			}
		}()
	}
	time.Sleep(time.Duration(milliseconds * float64(time.Millisecond)))
	stopped.Store(true)
	lines.Wait()
	return calls.Load()
}

func get(api client.KeysAPI, key string) {
	answer, err := api.Get(context.Background(), key, nil)
	must(err)
	if answer.Node.Value != value {
		log.Fatalf("%s has another value", key)
	}
}

func set(api client.KeysAPI, key string) {
	_, err := api.Set(context.Background(), key, value, nil)
	must(err)
}

func keyOf(index int64) string {
	return fmt.Sprintf("/bench/%d", index%keys)
}

func cpuMicros() int64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
