// Checks a proof of missent with the Go project's own packages: proof VKEY PROOF ENTRY.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(why ...interface{}) {
	fmt.Fprintln(os.Stderr, why...)
	os.Exit(1)
}

func hash(text string) (h tlog.Hash) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != len(h) {
		fail("not a hash:", text)
	}
	copy(h[:], raw)
	return h
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	entry, err2 := os.ReadFile(os.Args[3])
	verifier, err3 := note.NewVerifier(os.Args[1])
	if err != nil || err2 != nil || err3 != nil {
		fail(err, err2, err3)
	}
	parts := strings.SplitN(string(text), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("not a proof")
	}
	var index, size int64
	if _, err := fmt.Sscanf(lines[1], "index %d", &index); err != nil {
		fail(err)
	}
	signed, err := note.Open([]byte(parts[1]), note.VerifierList(verifier))
	if err != nil {
		fail(err)
	}
	checkpoint := strings.Split(signed.Text, "\n")
	if _, err := fmt.Sscanf(checkpoint[1], "%d", &size); err != nil {
		fail(err)
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		proof = append(proof, hash(line))
	}
	if err := tlog.CheckRecord(proof, size, hash(checkpoint[2]), index, tlog.RecordHash(entry)); err != nil {
		fail(err)
	}
	fmt.Println("proven")
}
