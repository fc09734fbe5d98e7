package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/anishathalye/porcupine"
)

// A line of a history: see Operation in ../workload.ts and RegisterOperation in ../checks/register.ts.
type line struct {
	Client      int
	Kind        string
	Key         string
	Input       json.RawMessage
	Output      json.RawMessage
	Outcome     string
	InvokedAt   int64
	CompletedAt int64
}

// An operation without an end returns at infinity: it may take effect at any time, or never.
const infinity = math.MaxInt64

// Reads the operations by key. Failed operations had no effect and are left out.
func readHistory(from io.Reader) (map[string][]porcupine.Operation, error) {
	registers := map[string][]porcupine.Operation{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, err
		}
		// A read without a result says nothing.
		if line.Outcome == "failed" || line.Kind == "read" && line.Outcome != "ok" {
			continue
		}
		operation, err := operationOf(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		registers[line.Key] = append(registers[line.Key], operation)
	}
	for _, operations := range registers {
		endWhenSeen(operations)
	}
	return registers, lines.Err()
}

func operationOf(line line) (porcupine.Operation, error) {
	request := request{kind: line.Kind}
	response := response{unknown: line.Outcome == "unknown"}
	var err error
	switch line.Kind {
	case "read":
		err = readValue(line.Output, &response.value)
	case "write":
		err = json.Unmarshal(line.Input, &request.value)
	case "cas":
		var swap struct{ From, To string }
		err = json.Unmarshal(line.Input, &swap)
		request.from, request.to = swap.From, swap.To
	case "delete":
	default:
		err = fmt.Errorf("unknown kind %q", line.Kind)
	}
	if line.Kind != "read" && !response.unknown {
		// Otherwise it is an index, and the write was applied.
		_ = json.Unmarshal(line.Output, &response.refusal)
	}
	operation := porcupine.Operation{
		ClientId: line.Client,
		Input:    request,
		Output:   response,
		Call:     line.InvokedAt,
		Return:   line.CompletedAt,
	}
	if response.unknown {
		operation.Return = infinity
	}
	return operation, err
}

func readValue(output json.RawMessage, value *string) error {
	var shown *struct{ Value string }
	if err := json.Unmarshal(output, &shown); err != nil {
		return err
	}
	if shown != nil {
		*value = shown.Value
	}
	return nil
}

// Values are unique: an unknown write took effect before the first operation that shows its value has
// returned. This equivalent end keeps the search short.
func endWhenSeen(operations []porcupine.Operation) {
	seen := map[string]int64{}
	for _, operation := range operations {
		value := shownBy(operation)
		if before, known := seen[value]; value != "" && (!known || operation.Return < before) {
			seen[value] = operation.Return
		}
	}
	for i, operation := range operations {
		end, isSeen := seen[writtenBy(operation)]
		if operation.Return == infinity && isSeen {
			// An operation that is shown before its call is a violation. Porcupine finds it.
			operations[i].Return = max(end, operation.Call)
		}
	}
}

func shownBy(operation porcupine.Operation) string {
	request, response := operation.Input.(request), operation.Output.(response)
	if request.kind == "read" {
		return response.value
	}
	if request.kind == "cas" && !response.unknown && response.refusal == "" {
		return request.from
	}
	return ""
}

func writtenBy(operation porcupine.Operation) string {
	request := operation.Input.(request)
	if request.kind == "cas" {
		return request.to
	}
	return request.value
}
