package autospec

import (
	"bytes"
	"strings"
)

// usage says which features a spec uses, by the lines of its text.
type usage struct {
	processed     bool // rpmautospec was here before
	autorelease   bool
	autochangelog int // index of the first %autochangelog line, -1 for none
	changelog     int // index of the first %changelog line, -1 for none
}

// detect scans the lines of a spec as rpmautospec does: textually, comments
// and conditionals included.
func detect(lines []string) usage {
	u := usage{autochangelog: -1, changelog: -1}
	for i, line := range lines {
		u.processed = u.processed || definesAutorelease(line)
		// The %changelog line itself is still looked at.
		u.autorelease = u.autorelease || u.changelog < 0 && usesAutorelease(line)
		if u.changelog < 0 && isChangelogHeader(line) {
			u.changelog = i
		}
		if u.autochangelog < 0 && isAutochangelog(line) {
			u.autochangelog = i
		}
	}
	return u
}

// needsChangelog reports whether a changelog is to be generated. A spec that
// has no %changelog at all gets one unasked.
func (u usage) needsChangelog() bool {
	return u.autochangelog >= 0 || u.changelog < 0
}

// definesAutorelease matches the line that rpmautospec puts into its header.
func definesAutorelease(line string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeftFunc(line, isSpace), "%define")
	if !ok {
		return false
	}
	word := strings.TrimLeftFunc(rest, isSpace)
	if len(word) == len(rest) {
		return false
	}
	rest, ok = strings.CutPrefix(word, "autorelease")
	return ok && strings.HasPrefix(strings.TrimLeftFunc(rest, isSpace), "(")
}

// usesAutorelease finds %autorelease at the end of the line or before white space,
// and the braced forms with or without arguments, anywhere in the line.
func usesAutorelease(line string) bool {
	for {
		i := strings.Index(line, "autorelease")
		if i < 0 {
			return false
		}
		before, after := line[:i], line[i+len("autorelease"):]
		if strings.HasSuffix(before, "%") && (after == "" || startsWithSpace(after)) {
			return true
		}
		if strings.HasSuffix(before, "%{") || strings.HasSuffix(before, "%{?") {
			if strings.HasPrefix(after, "}") || startsWithSpace(after) && strings.Contains(after, "}") {
				return true
			}
		}
		line = after
	}
}

func startsWithSpace(s string) bool {
	return strings.IndexFunc(s, isSpace) == 0
}

// isChangelogHeader matches %changelog in any case at the very start of a
// line, alone or followed by white space.
func isChangelogHeader(line string) bool {
	const word = "%changelog"
	if len(line) < len(word) || !strings.EqualFold(line[:len(word)], word) {
		return false
	}
	rest := line[len(word):]
	return rest == "" || startsWithSpace(rest)
}

// isAutochangelog matches %autochangelog and its braced forms behind nothing
// but white space. What follows does not matter.
func isAutochangelog(line string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeftFunc(line, isSpace), "%")
	if !ok {
		return false
	}
	for _, word := range [...]string{"autochangelog", "{autochangelog}", "{?autochangelog}"} {
		if strings.HasPrefix(rest, word) {
			return true
		}
	}
	return false
}

// splitLines cuts text with universal newlines into lines without their
// endings. final reports whether the last line has one.
func splitLines(text []byte) (lines []string, final bool) {
	s := string(universal(text))
	if s == "" {
		return nil, true
	}
	s, final = strings.CutSuffix(s, "\n")
	return strings.Split(s, "\n"), final
}

// universal turns CRLF and lone CR into LF. Process does so with the spec it
// is given: Keep counts the lines of universal(Spec).
func universal(text []byte) []byte {
	if bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}
