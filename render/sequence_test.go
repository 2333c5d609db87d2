package render

import (
	"strings"
	"testing"
)

// TestSequence brings outcomes in the wrong order.
func TestSequence(t *testing.T) {
	t.Parallel()
	var got []string
	var s *sequence
	s = newSequence(4, func(o *Outcome) {
		got = append(got, o.Component)
		if o.Component == "a" { // brought by another goroutine while this is handed on
			s.put(2, &Outcome{Component: "c"})
		}
	})
	s.put(1, &Outcome{Component: "b"})
	if len(got) > 0 {
		t.Fatalf("handed on too early: %v", got)
	}
	s.put(0, &Outcome{Component: "a"})
	s.put(3, &Outcome{Component: "d"})
	if strings.Join(got, "") != "abcd" {
		t.Errorf("the order is %v", got)
	}
}
