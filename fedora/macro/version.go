package macro

import (
	"strconv"
	"strings"
)

// An evr is epoch, version and release of a v"…" literal.
type evr struct{ epoch, version, release string }

// parseEVR splits [epoch:]version[-release]. ok is false when rpm would not
// take it as a version.
func parseEVR(s string) (v evr, ok bool) {
	if i := strings.IndexByte(s, ':'); i >= 0 {
		if i > 0 && strings.Trim(s[:i], "0123456789") != "" {
			return v, false
		}
		v.epoch, s = s[:i], s[i+1:]
	}
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		v.release, s = s[i+1:], s[:i]
	}
	v.version = s
	return v, v != evr{}
}

func (v evr) compare(w evr) int {
	a, _ := strconv.Atoi("0" + v.epoch)
	b, _ := strconv.Atoi("0" + w.epoch)
	if a != b {
		if a < b {
			return -1
		}
		return 1
	}
	if c := compareVersions(v.version, w.version); c != 0 {
		return c
	}
	switch {
	case v.release == w.release:
		return 0
	case v.release == "":
		return -1
	case w.release == "":
		return 1
	}
	return compareVersions(v.release, w.release)
}

// compareVersions orders two version or release strings as rpm does: runs of
// digits by number, runs of letters by bytes, digits above letters, '~' below
// everything, '^' above the end but below anything else.
func compareVersions(a, b string) int {
	if a == b {
		return 0
	}
	sep := func(c byte) bool {
		return !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '~' || c == '^')
	}
	for a != "" || b != "" {
		for a != "" && sep(a[0]) {
			a = a[1:]
		}
		for b != "" && sep(b[0]) {
			b = b[1:]
		}
		if ta, tb := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~"); ta || tb {
			if !ta {
				return 1
			}
			if !tb {
				return -1
			}
			a, b = a[1:], b[1:]
			continue
		}
		if ca, cb := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^"); ca || cb {
			switch {
			case a == "":
				return -1
			case b == "":
				return 1
			case !ca:
				return 1
			case !cb:
				return -1
			}
			a, b = a[1:], b[1:]
			continue
		}
		if a == "" || b == "" {
			break
		}
		digit := func(c byte) bool { return '0' <= c && c <= '9' }
		letter := func(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
		kind := letter
		number := digit(a[0])
		if number {
			kind = digit
		}
		x, y := run(a, kind), run(b, kind)
		if y == "" { // the kinds differ: a number is newer than a word
			if number {
				return 1
			}
			return -1
		}
		a, b = a[len(x):], b[len(y):]
		if number {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				if len(x) < len(y) {
					return -1
				}
				return 1
			}
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
	}
	switch {
	case a == "" && b == "":
		return 0
	case a == "":
		return -1
	}
	return 1
}

func run(s string, kind func(byte) bool) string {
	i := 0
	for i < len(s) && kind(s[i]) {
		i++
	}
	return s[:i]
}
