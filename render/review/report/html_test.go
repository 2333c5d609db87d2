package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"specgraft/render/review/semantic"
)

// TestPageSize writes the page of a change that touches thousands of components,
// each of them drifted: it stays one that a browser opens, and has them all.
func TestPageSize(t *testing.T) {
	t.Parallel()
	r := &Report{Schema: Schema, From: "a", To: "b"}
	patch := strings.Repeat("+a line of a patch that is not short\n", 150)
	const n = 4007
	for i := range n {
		r.Components = append(r.Components, Component{Name: fmt.Sprintf("boat%d", i), Kind: Drift, Status: "changed", OldEVR: "1-1", NewEVR: "1-2", Order: "up",
			Patch: patch, Changes: []semantic.Change{{Class: semantic.Dependency, Op: semantic.Added, Package: "boat", What: "buildrequires", New: new("anchor >= 2")}}})
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 8<<20 {
		t.Errorf("the page has %d bytes", b.Len())
	}
	for _, want := range []string{"boat0", fmt.Sprintf("boat%d", n-1)} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not on the page", want)
		}
	}
}
