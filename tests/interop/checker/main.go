// Command checker judges what Assent publishes by code that Assent did not write: the packages sumdb/note and
// sumdb/tlog of the Go project, which check Go's own module transparency log.
//
// Usage:
//
//	checker notes  < {"notes": [{"note", "vkeys"}]}          open signed notes
//	checker sign   < {"name", "text"}                         sign a text with a new key
//	checker trees  < {"entries", "sizes", "inclusion", "consistency"}   build a tree and its proofs
//	checker proofs < {"proofs": [{"kind", ...}]}              check proofs
//	checker log URL VKEY [VKEY...]                            read and check a whole served log
//
// Every command writes one JSON document. The exit code is 0 unless the question itself was malformed or, for `log`,
// the log is not as it should be.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: checker notes|sign|trees|proofs|log"))
	}
	switch command := os.Args[1]; command {
	case "notes":
		answer(openNotes)
	case "sign":
		answer(signText)
	case "trees":
		answer(buildTree)
	case "proofs":
		answer(checkProofs)
	case "log":
		if len(os.Args) < 4 {
			fail(fmt.Errorf("usage: checker log URL VKEY [VKEY...]"))
		}
		found, err := checkLog(os.Args[2], os.Args[3:])
		if err != nil {
			fail(err)
		}
		write(found)
	default:
		fail(fmt.Errorf("there is no command %q", command))
	}
}

// answer reads one question from standard input and writes what the command makes of it.
func answer[Question, Answer any](command func(Question) (Answer, error)) {
	var question Question
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&question); err != nil {
		fail(err)
	}
	found, err := command(question)
	if err != nil {
		fail(err)
	}
	write(found)
}

func write(document any) {
	if err := json.NewEncoder(os.Stdout).Encode(document); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
