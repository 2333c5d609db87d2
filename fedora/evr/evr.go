// Package evr orders packages by epoch, version and release, as rpm does. It is
// the only place in the program that compares versions.
package evr

import (
	"cmp"
	"fmt"
	"strings"
)

// An EVR is a package's epoch, version and release. The zero Epoch stands for
// a package without one, as rpm treats both alike. An empty Release means that
// none was given; such an EVR sorts before the same one with a release.
type EVR struct {
	Epoch   string // decimal digits without leading zeros, "" for 0
	Version string
	Release string
}

// Parse splits "[EPOCH:]VERSION[-RELEASE]" where rpm splits it: the epoch is
// what stands before a colon that follows nothing but digits, the release is
// what follows the last hyphen. A missing version or a hyphen without a release
// behind it is an error.
func Parse(s string) (EVR, error) {
	var e EVR
	rest := s
	if digits := strings.TrimLeft(s, "0123456789"); strings.HasPrefix(digits, ":") {
		e.Epoch = strings.TrimLeft(s[:len(s)-len(digits)], "0")
		rest = digits[1:]
	}
	e.Version = rest
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		e.Version, e.Release = rest[:i], rest[i+1:]
		if e.Release == "" {
			return EVR{}, fmt.Errorf("version %q has an empty release", s)
		}
	}
	if e.Version == "" {
		return EVR{}, fmt.Errorf("version %q has no version part", s)
	}
	return e, nil
}

// String returns the EVR as rpm prints it, without an epoch of 0.
func (e EVR) String() string {
	s := e.Version
	if e.Epoch != "" {
		s = e.Epoch + ":" + s
	}
	if e.Release != "" {
		s += "-" + e.Release
	}
	return s
}

// Compare returns -1, 0 or 1 as a sorts before, with or after b in rpm's order:
// by epoch, then version, then release.
func (a EVR) Compare(b EVR) int {
	// Epochs have no leading zeros, so the longer one is the larger one.
	if c := cmp.Or(cmp.Compare(len(a.Epoch), len(b.Epoch)), cmp.Compare(a.Epoch, b.Epoch)); c != 0 {
		return c
	}
	if c := CompareVersions(a.Version, b.Version); c != 0 {
		return c
	}
	switch {
	case a.Release == "" && b.Release == "":
		return 0
	case a.Release == "":
		return -1
	case b.Release == "":
		return 1
	}
	return CompareVersions(a.Release, b.Release)
}

// CompareVersions orders two version or release strings as rpm does: they are
// compared segment by segment, a segment being a run of ASCII digits or of
// ASCII letters and everything else a mere separator. Numbers compare by value
// and are newer than letters; a string with further segments is newer. "~"
// sorts before the end of the string and "^" right after it, but before any
// other continuation.
func CompareVersions(a, b string) int {
	if a == b {
		return 0
	}
	for {
		a, b = skipSeparators(a), skipSeparators(b)
		c, both := compareMarks(a, b)
		switch {
		case c != 0:
			return c
		case both:
			a, b = a[1:], b[1:]
			continue
		case a == "" || b == "":
			return cmp.Compare(len(a), len(b)) // at most one is not empty
		}
		if c, a, b = compareSegments(a, b); c != 0 {
			return c
		}
	}
}

// compareMarks compares what a tilde or a caret at the beginning of one of two
// strings decides. both says that they begin with the same mark.
func compareMarks(a, b string) (c int, both bool) {
	ra, rb := rank(a), rank(b)
	if !isMark(a) && !isMark(b) {
		return 0, false // the end against a segment is not decided here
	}
	return cmp.Compare(ra, rb), ra == rb
}

func isMark(s string) bool { return s != "" && (s[0] == '~' || s[0] == '^') }

// rank orders how strings may go on: "~", the end, "^", anything else.
func rank(s string) int {
	switch {
	case s == "":
		return 1
	case s[0] == '~':
		return 0
	case s[0] == '^':
		return 2
	}
	return 3
}

// compareSegments compares the first segments of two strings, neither of which
// is empty or begins with a mark, and returns what is behind them.
func compareSegments(a, b string) (c int, restA, restB string) {
	number, class := isDigit(a[0]), isLetter
	if number {
		class = isDigit
	}
	as, a := cutSegment(a, class)
	bs, b := cutSegment(b, class)
	switch {
	case bs == "" && number: // segments of different kinds: the number is newer
		return 1, a, b
	case bs == "":
		return -1, a, b
	case number:
		as, bs = strings.TrimLeft(as, "0"), strings.TrimLeft(bs, "0")
		if c := cmp.Compare(len(as), len(bs)); c != 0 {
			return c, a, b
		}
	}
	return cmp.Compare(as, bs), a, b
}

func skipSeparators(s string) string {
	for s != "" && !isDigit(s[0]) && !isLetter(s[0]) && s[0] != '~' && s[0] != '^' {
		s = s[1:]
	}
	return s
}

func cutSegment(s string, class func(byte) bool) (segment, rest string) {
	n := 0
	for n < len(s) && class(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
