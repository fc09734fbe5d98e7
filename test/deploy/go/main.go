// Command validate checks deployment files with the code that reads them in production:
//
//	validate kubernetes  reads manifests; unknown fields, and pods that the Pod Security Standard
//	                     "restricted" forbids, are problems
//	validate compose     reads a Compose file, with its schema
//
// The file comes from standard input. Problems go to standard error.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	checks := map[string]func([]byte) error{"kubernetes": checkManifests, "compose": checkCompose}
	content, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = checks[os.Args[1]](content)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
