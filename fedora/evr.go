package fedora

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

// ParseEVR splits "[EPOCH:]VERSION[-RELEASE]" where rpm splits it: the epoch is
// what stands before a colon that follows nothing but digits, the release is
// what follows the last hyphen. A missing version or a hyphen without a release
// behind it is an error.
func ParseEVR(s string) (EVR, error) {
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
		at, bt := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~")
		switch {
		case at && bt:
			a, b = a[1:], b[1:]
			continue
		case at:
			return -1
		case bt:
			return 1
		}
		ac, bc := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^")
		switch {
		case ac && bc:
			a, b = a[1:], b[1:]
			continue
		case ac && b == "":
			return 1
		case bc && a == "":
			return -1
		case ac:
			return -1
		case bc:
			return 1
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b)) // at most one is not empty
		}
		class := isLetter
		if isDigit(a[0]) {
			class = isDigit
		}
		var as, bs string
		as, a = cutSegment(a, class)
		bs, b = cutSegment(b, class)
		if bs == "" { // segments of different kinds: the number is newer
			if isDigit(as[0]) {
				return 1
			}
			return -1
		}
		if isDigit(as[0]) {
			as, bs = strings.TrimLeft(as, "0"), strings.TrimLeft(bs, "0")
			if c := cmp.Compare(len(as), len(bs)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(as, bs); c != 0 {
			return c
		}
	}
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
