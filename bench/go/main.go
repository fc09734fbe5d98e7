// Measures etcd's own Go clients as ../worker.mjs measures the others: `main API URL`, one command in JSON per line,
// one line as the answer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type command struct {
	Command   string  `json:"command"`
	Operation string  `json:"operation"`
	InFlight  int     `json:"inFlight"`
	Size      int     `json:"size"` // bytes of a value
	Keys      int64   `json:"keys"`
	Time      float64 `json:"time"` // milliseconds
	Rate      float64 `json:"rate"` // arrivals per second
}

type result struct {
	Calls     int64   `json:"calls"`
	Seconds   float64 `json:"seconds"`
	CPUMicros int64   `json:"cpuMicros"`
}

type latencies struct {
	Micros []float64 `json:"micros"`
}

// An api is one way to use etcd.
type api interface {
	get(key string) string
	set(key, value string)
	close()
}

// connect makes the api for a number of calls at a time.
type connect func(url string, inFlight int) api

var apis = map[string]connect{
	"v2":       connectV2,
	"v3":       connectV3,
	"v3-txn":   connectTxn,
	"v3-batch": connectBatch,
}

func main() {
	open, url := apis[os.Args[1]], os.Args[2]
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var c command
		must(json.Unmarshal(lines.Bytes(), &c))
		use(open, url, c.InFlight)
		switch c.Command {
		case "fill":
			fill(c)
			answer(result{})
		case "load":
			answer(load(c))
		case "arrivals":
			answer(arrivals(c))
		default:
			log.Fatalf("%s: not measured of this client", c.Command)
		}
	}
}

func answer(value any) {
	must(json.NewEncoder(os.Stdout).Encode(value))
}

// The client of the last command, which the next one uses, too.
var loaded struct {
	inFlight int
	api      api
}

func use(open connect, url string, inFlight int) {
	if loaded.inFlight == inFlight {
		return
	}
	if loaded.api != nil {
		loaded.api.close()
	}
	loaded.inFlight = inFlight
	loaded.api = open(url, inFlight)
}

// fill writes every key that will be read.
func fill(c command) {
	for index := range c.Keys {
		loaded.api.set(keyOf(c, index), valueOf(c.Size))
	}
}

func load(c command) result {
	repeat(c, c.Time/4)
	cpu, start := cpuMicros(), time.Now()
	calls := repeat(c, c.Time)
	return result{calls, time.Since(start).Seconds(), cpuMicros() - cpu}
}

func repeat(c command, milliseconds float64) int64 {
	var calls atomic.Int64
	var stopped atomic.Bool
	var lines sync.WaitGroup
	for range c.InFlight {
		lines.Go(func() {
			for !stopped.Load() {
				call(c, calls.Add(1))
			}
		})
	}
	time.Sleep(time.Duration(milliseconds * float64(time.Millisecond)))
	stopped.Store(true)
	lines.Wait()
	return calls.Load()
}

// arrivals begins calls at a fixed rate, however long the former ones take. A latency counts from the time at which the
// call was to begin.
func arrivals(c command) latencies {
	total := int(c.Rate * c.Time / 1000)
	micros := make([]float64, total)
	var calls sync.WaitGroup
	begun := time.Now()
	for index := range total {
		due := begun.Add(time.Duration(float64(index) / c.Rate * float64(time.Second)))
		waitUntil(due)
		calls.Go(func() {
			call(c, int64(index))
			micros[index] = float64(time.Since(due).Nanoseconds()) / 1000
		})
	}
	calls.Wait()
	slices.Sort(micros)
	return latencies{micros}
}

// waitUntil sleeps in the kernel, since Go's own timers have a resolution of 1 ms.
func waitUntil(due time.Time) {
	rest := time.Until(due)
	if rest <= 0 {
		return
	}
	pause := syscall.NsecToTimespec(rest.Nanoseconds())
	_ = syscall.Nanosleep(&pause, nil)
}

func call(c command, index int64) {
	key := keyOf(c, index)
	if c.Operation == "set" {
		loaded.api.set(key, valueOf(c.Size))
		return
	}
	if loaded.api.get(key) != valueOf(c.Size) {
		log.Fatalf("%s has another value", key)
	}
}

var values sync.Map

func valueOf(size int) string {
	if value, ok := values.Load(size); ok {
		return value.(string)
	}
	value := strings.Repeat("0123456789", size/10)
	values.Store(size, value)
	return value
}

func keyOf(c command, index int64) string {
	return fmt.Sprintf("/bench-%d/%d", c.Size, index%c.Keys)
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
