package schema

import (
	"strings"
	"testing"

	"specgraft/overlay"
)

// TestReference checks that every key of every table is described once.
func TestReference(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	n, err := Reference(&b, "")
	if err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if n < 30 {
		t.Errorf("only %d tables", n)
	}
	for i, line := range strings.Split(text, "\n") {
		if len(line) > 120 {
			t.Errorf("line %d has %d columns", i+1, len(line))
		}
	}
	for _, op := range overlay.Ops {
		if strings.Count(text, "type = \""+string(op.Type)+"\"\n") != 1 {
			t.Errorf("%s is not described once", op.Type)
		}
	}
	var walk func(k *Key, depth int)
	walk = func(k *Key, depth int) {
		for i := range k.Keys {
			if !k.ops && !strings.Contains(text, "    "+k.Keys[i].Name+"  (") {
				t.Errorf("%s is not described", k.Keys[i].Name)
			}
			if depth < 8 {
				walk(&k.Keys[i], depth+1)
			}
		}
		if k.Elem != nil {
			walk(k.Elem, depth)
		}
	}
	walk(&RootKey, 0)
	walk(&DocumentKey, 0)
	b.Reset()
	if n, _ := Reference(&b, "source-files"); n != 2 || !strings.HasPrefix(b.String(), "components.COMPONENT.source-files[]\n") && !strings.Contains(b.String(), "source-files[].origin\n") {
		t.Errorf("%d tables for source-files:\n%s", n, b.String())
	}
	if n, _ := Reference(&b, "no such table"); n != 0 {
		t.Errorf("%d tables", n)
	}
}
