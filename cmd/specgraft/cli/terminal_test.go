package cli

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestHarmless holds that nothing but our own sequences reaches a terminal,
// wherever the text is cut into writes.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\n\tä…\r\nmore\r\n":                "plain\n\tä…\r\nmore\r\n",
		"\x1b[1;31mred\x1b[0m":                   "\x1b[1;31mred\x1b[0m",
		"hidden\rshown\r\x1b[Kshown":             "hidden?shown??[Kshown",
		"\x1b]0;title\a":                         "?]0;title?",
		"\x1b[2J\x1b[H\x1bc":                     "?[2J?[H?c",
		"\x1b[6n\x1b[?1049h":                     "?[6n?[?1049h",
		"\x1b[8mhidden\x1b[30;40m":               "?[8mhidden?[30;40m",
		"\x1b\x1b[0m":                            "?\x1b[0m",
		"\u009b2J \u0085 \u00a0 \x7f\b\x00":      "?2J ? \u00a0 ???",
		"rm \u202etxt.\u2066a\u2069 – \u200f…":   "rm ?txt.?a? – \u200f…",
		"\x1b[" + strings.Repeat("1", 20) + "m!": "?[" + strings.Repeat("1", 20) + "m!",
	} {
		for cut := range len(in) + 1 {
			first, held := harmless([]byte(in[:cut]))
			rest, held := harmless(append(held, in[cut:]...))
			if got := string(first) + string(rest) + string(held); got != want {
				t.Errorf("%q cut at %d: got %q, want %q", in, cut, got, want)
			}
		}
	}
}

// TestStatusLine holds that output takes the place of the status line, and that
// the status line takes the place of no output.
func TestStatusLine(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var s screen
	out, talk := &terminal{file: w, screen: &s}, &terminal{file: w, screen: &s}
	talk.setStatus("1 of 2")
	io.WriteString(out, "row\n")
	talk.setStatus("2 of 2\x1b[2J")
	talk.setStatus("")
	talk.setStatus("")
	io.WriteString(out, "half")
	talk.setStatus("hides it")
	io.WriteString(out, " row\n")
	w.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\r\x1b[K1 of 2\r\x1b[Krow\n\r\x1b[K2 of 2?[2J\r\x1b[Khalf row\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
