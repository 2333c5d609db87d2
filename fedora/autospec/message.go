package autospec

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A magic says what a commit message asks of the computation in lines such as
// "[skip changelog]" and "[bump release: 3]".
type magic struct {
	skip bool
	bump int64 // 0 for none
}

// maxRelease bounds release numbers so that sums of them stay in range. No
// real package comes near it.
const maxRelease = 1 << 40

// parseMagic reads the magic lines of a message, the subject included. It
// fails when a message asks for a release above any sense.
func parseMagic(message string) (magic, error) {
	var m magic
	for line := range strings.SplitSeq(message, "\n") {
		line = strip(line)
		if len(line) < 2 || line[0] != '[' || line[len(line)-1] != ']' {
			continue
		}
		for part := range strings.SplitSeq(line[1:len(line)-1], ",") {
			if _, ok := cutWords(part, "skip", "changelog"); ok {
				m.skip = true
			} else if rest, ok := cutWords(part, "bump", "release"); ok {
				n, ok := leadingNumber(rest)
				if !ok {
					continue
				}
				if n > maxRelease {
					return m, fmt.Errorf("the message asks for release %q, which is more than %d", strip(rest), int64(maxRelease))
				}
				m.bump = max(m.bump, n)
			}
		}
	}
	return m, nil
}

// cutWords takes two words with white space between them off the front.
func cutWords(s, first, second string) (rest string, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimLeftFunc(s, isSpace), first)
	if !ok {
		return s, false
	}
	t := strings.TrimLeftFunc(s, isSpace)
	if len(t) == len(s) {
		return s, false
	}
	return strings.CutPrefix(t, second)
}

// leadingNumber reads a number behind an optional colon. Text behind it does
// not matter, and digits of any script count. Numbers that are too large come
// out as more than maxRelease.
func leadingNumber(s string) (n int64, ok bool) {
	s = strings.TrimLeftFunc(s, isSpace)
	s = strings.TrimLeftFunc(strings.TrimPrefix(s, ":"), isSpace)
	for _, r := range s {
		d, digit := digitValue(r)
		if !digit {
			break
		}
		ok = true
		n = min(n*10+d, maxRelease+1)
	}
	return n, ok
}

// digitValue returns the value of a decimal digit of any script. Unicode
// allocates them in runs from zero to nine.
func digitValue(r rune) (int64, bool) {
	if '0' <= r && r <= '9' {
		return int64(r - '0'), true
	}
	if !unicode.IsDigit(r) {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int64(r-rune(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int64(r-rune(t.Lo)) % 10, true
		}
	}
	return 0, false
}

// changelogItems turns a commit message into the items of its changelog entry: the
// subject, and the dashed lines that start the body. Percent signs are
// doubled, as the items become part of a spec.
func changelogItems(message string) []string {
	const (
		beforeSubject = iota
		inSubject
		beforeBody
		continuation // of the subject, after an ellipsis
		inBody
	)
	items := [][]string{}
	appendTo := func(line string) { items[len(items)-1] = append(items[len(items)-1], line) }
	state := beforeSubject
loop:
	for line := range strings.SplitSeq(message, "\n") {
		line = strip(strings.ReplaceAll(line, "%", "%%"))
		switch state {
		case beforeSubject:
			if line != "" {
				line = cutDash(line)
				items = append(items, []string{line})
				if state = inSubject; line == "" {
					state = beforeBody
				}
			}
		case inSubject:
			if line == "" {
				state = beforeBody
			} else {
				appendTo(line)
			}
		case beforeBody:
			if rest, ok := cutEllipsis(line); ok {
				appendTo(rest)
				state = continuation
			} else if strings.HasPrefix(line, "-") {
				items = append(items, []string{cutDash(line)})
				state = inBody
			} else if line != "" {
				break loop
			}
		case continuation:
			if line == "" {
				break loop
			}
			if strings.HasPrefix(line, "-") {
				items = append(items, []string{cutDash(line)})
				state = inBody
			} else {
				appendTo(line)
			}
		case inBody:
			if line == "" {
				break loop
			}
			if strings.HasPrefix(line, "-") {
				items = append(items, []string{cutDash(line)})
			} else {
				appendTo(line)
			}
		}
	}
	if len(items) == 0 {
		return []string{""}
	}
	out := make([]string, len(items))
	for i, words := range items {
		out[i] = strings.Join(words, " ")
	}
	return out
}

// cutDash removes one dash and the white space behind it.
func cutDash(line string) string {
	if rest, ok := strings.CutPrefix(line, "-"); ok {
		return strings.TrimLeftFunc(rest, isSpace)
	}
	return line
}

// cutEllipsis removes three or more dots, or any number of ellipsis
// characters, from the front.
func cutEllipsis(line string) (rest string, ok bool) {
	rest = strings.TrimLeft(line, ".")
	if len(line)-len(rest) < 3 {
		if rest = strings.TrimLeft(line, "…"); len(rest) == len(line) {
			return line, false
		}
	}
	return strings.TrimLeftFunc(rest, isSpace), true
}

// decodeUTF8 returns valid UTF-8: each maximal part of a sequence that cannot
// be continued becomes one replacement character, as in Python and on the web.
// Go's own conversion replaces byte by byte.
func decodeUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			n = maximalSubpart(s[i:])
			b = append(b, "\uFFFD"...)
		} else {
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return string(b)
}

// maximalSubpart returns the length of the longest start of s that could begin
// a valid sequence, at least 1. Only the first continuation byte has a
// range that depends on the lead byte (Unicode, table 3-7).
func maximalSubpart(s string) int {
	lead := s[0]
	need, lo, hi := 0, byte(0x80), byte(0xbf)
	switch {
	case 0xc2 <= lead && lead <= 0xdf:
		need = 1
	case 0xe0 <= lead && lead <= 0xef:
		need = 2
		switch lead {
		case 0xe0:
			lo = 0xa0
		case 0xed:
			hi = 0x9f
		}
	case 0xf0 <= lead && lead <= 0xf4:
		need = 3
		switch lead {
		case 0xf0:
			lo = 0x90
		case 0xf4:
			hi = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(s) && lo <= s[n] && s[n] <= hi {
		n++
		lo, hi = 0x80, 0xbf
	}
	return n
}
