package diag

import "strings"

// Excerpt shortens a text that a message quotes: its first line, and of that
// at most 60 bytes.
func Excerpt(s string) string {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:57], "") + "..."
	}
	return s
}
