package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// FuzzHarmless writes to a terminal in two pieces: nothing but our own colours
// may command it, however the text is cut.
func FuzzHarmless(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b[0m"), []byte("\r\n\xc2\x9b\xe2\x80\xae"))
	f.Add([]byte("a\x1b"), []byte("[2J"))
	f.Add([]byte("a\xe2\x80"), []byte("\xaeb"))
	own := regexp.MustCompile(`\x1b\[(?:0|1|2|3[1236]|1;3[13])m`)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		out, held := harmless(bytes.Clone(a))
		rest, _ := harmless(append(bytes.Clone(held), b...))
		text := own.ReplaceAllString(string(out)+string(rest), "")
		text = strings.ReplaceAll(text, "\r\n", "\n")
		for _, bad := range []string{"\x1b", "\r", "\x07", "\x08", "\xc2\x9b", "\u202e", "\u2066"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q of %q and %q reaches the terminal", bad, a, b)
			}
		}
	})
}
