package distgit

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	idA = "0123456789abcdef0123456789abcdef01234567"
	idB = "89abcdef0123456789abcdef0123456789abcdef"
)

func TestParseCommit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     *Commit // nil: an error
	}{
		{"plain", "tree " + idA + "\nparent " + idB + "\nauthor A U <a@x> 10 +0130\ncommitter C <c@x> 20 -0800\n\nSubject\n\nBody\n",
			&Commit{Tree: idA, Parents: []string{idB}, Author: Ident{"A U", "a@x", time.Unix(10, 0).In(time.FixedZone("", 5400))},
				Committer: Ident{"C", "c@x", time.Unix(20, 0).In(time.FixedZone("", -28800))}, Message: "Subject\n\nBody\n"}},
		{"signed, encoded, merge", "tree " + idA + "\nparent " + idA + "\nparent " + idB + "\nauthor \xc4 <\xe4@x> 1 +0000\ncommitter B <b> 2 +0000\nencoding ISO-8859-1\n" +
			"gpgsig -----BEGIN\n tree " + idB + "\n \n -----END\n\nx",
			&Commit{Tree: idA, Parents: []string{idA, idB}, Author: Ident{"\xc4", "\xe4@x", time.Unix(1, 0).UTC()},
				Committer: Ident{"B", "b", time.Unix(2, 0).UTC()}, Encoding: "ISO-8859-1", Message: "x"}},
		{"broken idents", "tree " + idA + "\nauthor nobody\ncommitter X <x> never\n\n",
			&Commit{Tree: idA, Committer: Ident{"X", "x", time.Unix(0, 0).UTC()}}},
		{"no message", "tree " + idA + "\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000",
			&Commit{Tree: idA, Author: Ident{"A", "a", time.Unix(1, 0).UTC()}, Committer: Ident{"A", "a", time.Unix(1, 0).UTC()}}},
		{"empty", "", nil},
		{"no tree", "parent " + idA + "\n\nx", nil},
		{"bad parent", "tree " + idA + "\nparent ../../x\n\n", nil},
		{"bad tree", "tree x\n\n", nil},
	}
	for _, tt := range tests {
		got, err := ParseCommit(idB, []byte(tt.in))
		if tt.want == nil {
			if err == nil {
				t.Errorf("%s: no error", tt.name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		tt.want.ID = idB
		if _, rest, ok := strings.Cut(tt.in, "\nauthor "); ok {
			tt.want.AuthorLine, _, _ = strings.Cut(rest, "\n")
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if tt.name == "plain" {
			if z := got.Author.When.Format(time.RFC3339); z != "1970-01-01T01:30:10+01:30" {
				t.Errorf("author time %s", z)
			}
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"One\n":                  "One",
		"One\ntwo \n\nBody":      "One two",
		"\n\nLate":               "Late",
		"One\r\n\r\nTwo":         "One",
		"  indented\n\tmore\n\n": "  indented \tmore",
	} {
		if got := (&Commit{Message: in}).Subject(); got != want {
			t.Errorf("subject of %q is %q, want %q", in, got, want)
		}
	}
}

func treeBytes(t testing.TB, entries ...TreeEntry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		id, err := hex.DecodeString(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%o %s\x00%s", e.Mode, e.Name, id)
	}
	return b.Bytes()
}

func TestParseTree(t *testing.T) {
	t.Parallel()
	want := []TreeEntry{{"a b", 0o100644, idA}, {"dir", 0o40000, idB}, {"x", 0o120000, idA}}
	data := treeBytes(t, want...)
	got, err := ParseTree(data, 20)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	whole := map[int]bool{0: true, 31: true, 61: true} // entries end here
	for n := range len(data) {
		if _, err := ParseTree(data[:n], 20); err == nil && !whole[n] {
			t.Errorf("no error after %d of %d bytes", n, len(data))
		}
	}
	for _, bad := range []string{"644", "100648 x\x00" + strings.Repeat("x", 20), " x\x00" + strings.Repeat("x", 20), "100644 \x00" + strings.Repeat("x", 20), "1006440000 x\x00" + strings.Repeat("x", 20)} {
		if _, err := ParseTree([]byte(bad), 20); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree " + idA + "\nparent " + idB + "\nauthor A <a@x> 10 +0130\ncommitter C <c@x> 20 -0800\n\nSubject\n"))
	f.Add([]byte("tree " + idA + "\nauthor <> -1 +99999\ncommitter >< 9223372036854775808 x\nencoding \n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCommit(idA, data)
		if err != nil {
			return
		}
		if !IsObjectID(c.Tree) {
			t.Fatalf("tree %q", c.Tree)
		}
		for _, p := range c.Parents {
			if !IsObjectID(p) {
				t.Fatalf("parent %q", p)
			}
		}
		if strings.Contains(c.Subject(), "\n") {
			t.Fatalf("subject %q", c.Subject())
		}
		_ = c.Author.When.Format(time.RFC3339) // must not panic
	})
}

func FuzzParseTree(f *testing.F) {
	f.Add(treeBytes(f, TreeEntry{"a", 0o100644, idA}, TreeEntry{"b", 0o40000, idB}))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := ParseTree(data, 20)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.Name == "" || strings.ContainsRune(e.Name, 0) || !IsObjectID(e.ID) {
				t.Fatalf("entry %v", e)
			}
		}
		// What is read can be written again, but for zeros before a mode.
		again, err := ParseTree(treeBytes(t, entries...), 20)
		if err != nil || !cmp.Equal(again, entries) {
			t.Fatalf("read again: %v %v", again, err)
		}
	})
}
