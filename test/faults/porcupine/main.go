// Reads a history of registers from its standard input and writes for each key, as one line of JSON,
// whether the operations are linearizable. The argument is a directory for pictures of those that are not.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// For all keys, and for one.
const (
	limit       = 40 * time.Second
	limitPerKey = 10 * time.Second
)

type verdict struct {
	Key        string `json:"key"`
	Operations int    `json:"operations"`
	// Ok, Illegal, or Unknown if the time was too short.
	Verdict porcupine.CheckResult `json:"verdict"`
	Picture string                `json:"picture,omitempty"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(directory string) error {
	registers, err := readHistory(os.Stdin)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(registers))
	for key := range registers {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	deadline := time.Now().Add(limit)
	for _, key := range keys {
		verdict, err := check(key, registers[key], time.Until(deadline), directory)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(verdict); err != nil {
			return err
		}
	}
	return nil
}

func check(key string, operations []porcupine.Operation, left time.Duration, directory string) (verdict, error) {
	// A limit of 0 would be none.
	timeout := max(time.Millisecond, min(left, limitPerKey))
	result, info := porcupine.CheckOperationsVerbose(register, operations, timeout)
	verdict := verdict{Key: key, Operations: len(operations), Verdict: result}
	if result != porcupine.Illegal {
		return verdict, nil
	}
	name := strings.ReplaceAll(strings.Trim(key, "/"), "/", "-") + ".html"
	verdict.Picture = filepath.Join(directory, name)
	return verdict, porcupine.VisualizePath(register, info, verdict.Picture)
}
