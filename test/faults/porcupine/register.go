package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// A file as its clients see it. Values are not empty: the empty state is a key that does not exist.
var register = porcupine.Model{
	Init:              func() interface{} { return "" },
	Step:              step,
	DescribeOperation: describe,
	DescribeState: func(state interface{}) string {
		if state == "" {
			return "absent"
		}
		return state.(string)
	},
}

// What a client asked for.
type request struct {
	kind string
	// Value of a write.
	value string
	// Values of a compare-and-swap.
	from, to string
}

// What a client learned. If the outcome is unknown, it learned nothing.
type response struct {
	unknown bool
	// Value of a read; empty: the key does not exist.
	value string
	// Why a write changed nothing: "different" or "absent"; empty: it was applied.
	refusal string
}

// Whether a register in the state allows the response, and its next state.
func step(state, input, output interface{}) (bool, interface{}) {
	current, request, response := state.(string), input.(request), output.(response)
	switch request.kind {
	case "read":
		return response.value == current, current
	case "write":
		return true, request.value
	case "cas":
		return swap(current, request, response)
	default:
		return remove(current, response)
	}
}

func swap(current string, request request, response response) (bool, interface{}) {
	refusal := ""
	if current == "" {
		refusal = "absent"
	} else if current != request.from {
		refusal = "different"
	}
	next := current
	if refusal == "" {
		next = request.to
	}
	return response.unknown || response.refusal == refusal, next
}

func remove(current string, response response) (bool, interface{}) {
	isAbsent := current == ""
	return response.unknown || isAbsent == (response.refusal == "absent"), ""
}

func describe(input, output interface{}) string {
	request, response := input.(request), output.(response)
	result := response.refusal
	if response.unknown {
		result = "unknown"
	}
	switch request.kind {
	case "read":
		return fmt.Sprintf("read -> %q", response.value)
	case "write":
		return fmt.Sprintf("write %s %s", request.value, result)
	case "cas":
		return fmt.Sprintf("cas %s -> %s %s", request.from, request.to, result)
	default:
		return fmt.Sprintf("delete %s", result)
	}
}
