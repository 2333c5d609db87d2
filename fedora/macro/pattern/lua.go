// Package pattern has the pattern languages that specs use and Go does not
// have: those of Lua, matched by backtracking with counted steps, and the
// regular expressions of POSIX, translated to Go's.
package pattern

import (
	"errors"
	"strconv"
	"strings"

	"specgraft/fedora/macro/fuel"
)

// A luaMatcher matches Lua's patterns, which %{gsub} takes. It backtracks like
// Lua's own matcher, but counts its steps: some patterns take longer than
// anybody waits.
type luaMatcher struct {
	src, pat string
	caps     []capture
	depth    int
	steps    int
}

// A capture is a part of the match; its end is capOpen while it is being
// matched, and capPosition when it only tells where it is.
type capture struct{ start, end int }

const (
	capOpen     = -1
	capPosition = -2
	maxCaptures = 32
)

// What can be wrong with a replacement.
var (
	ErrPattern     = errors.New("malformed pattern")
	ErrReplacement = errors.New("malformed replacement")
	ErrTooLong     = errors.New("the pattern takes too long")
)

// Gsub replaces the matches of a pattern in s, the first limit of them or all
// when limit is negative, as string.gsub does. It returns how many steps the
// matching took. Before bytes are written, grow is asked; when it refuses, Gsub
// ends without an error.
func Gsub(s, pat, repl string, limit int, grow func(n int) bool) (out string, steps int, err error) {
	p := &luaMatcher{src: s, pat: pat}
	anchored := strings.HasPrefix(p.pat, "^")
	var b strings.Builder
	for i, last := 0, -1; i <= len(s); {
		end := -1
		if limit != 0 {
			if end, err = p.find(i); err != nil {
				return "", p.steps, err
			}
		}
		switch {
		case end >= 0 && end != last: // nothing is matched twice at one place
			if err := p.replace(&b, repl, i, end, grow); err != nil {
				if errors.Is(err, errRefused) {
					err = nil
				}
				return "", p.steps, err
			}
			limit--
			i, last = end, end
		case limit == 0:
			b.WriteString(s[i:])
			i = len(s) + 1
		case i < len(s):
			b.WriteByte(s[i])
			i++
		default:
			i++
		}
		if anchored {
			limit = 0
		}
	}
	return b.String(), p.steps, nil
}

// find matches the pattern at position i of the text and returns the end of
// the match, or -1.
func (p *luaMatcher) find(i int) (end int, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(error)
			if !ok || e != ErrPattern && e != ErrTooLong {
				panic(r)
			}
			end, err = -1, e
		}
	}()
	p.caps = p.caps[:0]
	pat := 0
	if p.pat != "" && p.pat[0] == '^' {
		pat = 1
	}
	end = p.match(i, pat)
	for _, c := range p.caps {
		if end >= 0 && c.end == capOpen {
			return -1, ErrPattern
		}
	}
	return end, nil
}

// spend accounts for n steps; a matching that takes too many ends.
func (p *luaMatcher) spend(n int) {
	p.steps += n
	if p.steps > fuel.PatternSteps {
		panic(ErrTooLong)
	}
}

// match matches the pattern from k on at position s of the text and returns the
// end of the match, or -1.
func (p *luaMatcher) match(s, k int) int {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > fuel.PatternDepth {
		panic(ErrTooLong)
	}
	for s >= 0 {
		p.spend(1)
		if k >= len(p.pat) {
			return s
		}
		switch c := p.pat[k]; {
		case c == '(' && strings.HasPrefix(p.pat[k:], "()"):
			return p.capture(s, k+2, capPosition)
		case c == '(':
			return p.capture(s, k+1, capOpen)
		case c == ')':
			return p.closeCapture(s, k+1)
		case c == '$' && k+1 == len(p.pat):
			if s == len(p.src) {
				return s
			}
			return -1
		}
		if next, end, ok := p.special(s, k); ok {
			s, k = next, end
			continue
		}
		end := p.classEnd(k)
		if end < len(p.pat) && strings.IndexByte("?*+-", p.pat[end]) >= 0 {
			return p.repeated(s, k, end)
		}
		if !p.one(s, k, end) {
			return -1
		}
		s++
		k = end
	}
	return -1
}

// special matches %b, %f and back references at k. It returns where text and
// pattern go on, -1 for the text when there is no match; ok is false when none
// of these is at k.
func (p *luaMatcher) special(s, k int) (next, end int, ok bool) {
	if p.pat[k] != '%' || k+1 >= len(p.pat) {
		return 0, 0, false
	}
	switch c := p.pat[k+1]; {
	case c == 'b':
		return p.balance(s, k+2), k + 4, true
	case c == 'f':
		k += 2
		if k >= len(p.pat) || p.pat[k] != '[' {
			panic(ErrPattern)
		}
		end := p.classEnd(k)
		p.spend((end - k) / 4)
		if p.set(p.at(s-1), k, end-1) || !p.set(p.at(s), k, end-1) {
			s = -1
		}
		return s, end, true
	case '0' <= c && c <= '9':
		n := int(c) - '1'
		if n < 0 || n >= len(p.caps) || p.caps[n].end < 0 {
			panic(ErrPattern)
		}
		part := p.src[p.caps[n].start:p.caps[n].end]
		p.spend(len(part) / 16)
		if !strings.HasPrefix(p.src[s:], part) {
			return -1, k + 2, true
		}
		return s + len(part), k + 2, true
	}
	return 0, 0, false
}

// repeated matches the class from k to end, which has a quantifier behind it,
// and the rest of the pattern.
func (p *luaMatcher) repeated(s, k, end int) int {
	least := 0
	switch p.pat[end] {
	case '?':
		if p.one(s, k, end) {
			if r := p.match(s+1, end+1); r >= 0 {
				return r
			}
		}
		return p.match(s, end+1)
	case '-':
		for {
			if r := p.match(s, end+1); r >= 0 {
				return r
			}
			if !p.one(s, k, end) {
				return -1
			}
			s++
		}
	case '+':
		least = 1
	}
	n := 0
	for p.one(s+n, k, end) {
		n++
	}
	for ; n >= least; n-- {
		if r := p.match(s+n, end+1); r >= 0 {
			return r
		}
	}
	return -1
}

// one reports whether the byte at i is in the class from k to end.
func (p *luaMatcher) one(i, k, end int) bool {
	p.spend(1 + (end-k)/16)
	return i < len(p.src) && p.single(p.src[i], k, end)
}

// errRefused says that grow did not want the bytes.
var errRefused = errors.New("refused")

// replace appends the replacement for a match to b.
func (p *luaMatcher) replace(b *strings.Builder, repl string, start, end int, grow func(n int) bool) error {
	put := func(text string) error {
		if !grow(len(text)) {
			return errRefused
		}
		b.WriteString(text)
		return nil
	}
	for {
		text, rest, more := strings.Cut(repl, "%")
		if err := put(text); err != nil || !more {
			return err
		}
		if rest == "" {
			return ErrReplacement
		}
		p.spend(1)
		c := rest[0]
		repl = rest[1:]
		part := ""
		n := int(c) - '0'
		switch {
		case c == '%':
			part = "%"
		case n == 0, n == 1 && len(p.caps) == 0:
			part = p.src[start:end]
		case n < 0 || n > len(p.caps):
			return ErrReplacement
		case p.caps[n-1].end == capPosition:
			part = strconv.Itoa(p.caps[n-1].start + 1)
		case p.caps[n-1].end < 0:
			return ErrReplacement
		default:
			part = p.src[p.caps[n-1].start:p.caps[n-1].end]
		}
		if err := put(part); err != nil {
			return err
		}
	}
}

// at returns the byte at i, 0 outside of the text.
func (p *luaMatcher) at(i int) byte {
	if i < 0 || i >= len(p.src) {
		return 0
	}
	return p.src[i]
}

func (p *luaMatcher) capture(s, k, kind int) int {
	if len(p.caps) >= maxCaptures {
		panic(ErrPattern)
	}
	p.caps = append(p.caps, capture{s, kind})
	r := p.match(s, k)
	if r < 0 {
		p.caps = p.caps[:len(p.caps)-1]
	}
	return r
}

func (p *luaMatcher) closeCapture(s, k int) int {
	for i := len(p.caps) - 1; i >= 0; i-- {
		if p.caps[i].end == capOpen {
			p.caps[i].end = s
			r := p.match(s, k)
			if r < 0 {
				p.caps[i].end = capOpen
			}
			return r
		}
	}
	panic(ErrPattern)
}

// balance matches %bxy: from an x to the y that belongs to it.
func (p *luaMatcher) balance(s, k int) int {
	if k+1 >= len(p.pat) {
		panic(ErrPattern)
	}
	if s >= len(p.src) || p.src[s] != p.pat[k] {
		return -1
	}
	level := 0
	for i := s; i < len(p.src); i++ {
		if (i-s)%64 == 0 {
			p.spend(16)
		}
		switch p.src[i] {
		case p.pat[k+1]:
			level--
			if level == 0 {
				return i + 1
			}
		case p.pat[k]:
			level++
		}
	}
	return -1
}

// classEnd returns the index behind the class that begins at k.
func (p *luaMatcher) classEnd(k int) int {
	switch p.pat[k] {
	case '%':
		if k+1 >= len(p.pat) {
			panic(ErrPattern)
		}
		return k + 2
	case '[':
		k++
		if k < len(p.pat) && p.pat[k] == '^' {
			k++
		}
		for first := true; ; first = false {
			if k >= len(p.pat) {
				panic(ErrPattern)
			}
			if p.pat[k] == ']' && !first {
				return k + 1
			}
			if p.pat[k] == '%' {
				k++
			}
			k++
		}
	}
	return k + 1
}

func (p *luaMatcher) single(c byte, k, end int) bool {
	switch p.pat[k] {
	case '.':
		return true
	case '%':
		return luaClass(c, p.pat[k+1])
	case '[':
		return p.set(c, k, end-1)
	}
	return p.pat[k] == c
}

// set reports whether c is in the set whose brackets are at k and end.
func (p *luaMatcher) set(c byte, k, end int) bool {
	in := true
	k++
	if k < end && p.pat[k] == '^' {
		in = false
		k++
	}
	for k < end {
		switch {
		case p.pat[k] == '%' && k+1 < end:
			if luaClass(c, p.pat[k+1]) {
				return in
			}
			k += 2
		case k+2 < end && p.pat[k+1] == '-':
			if p.pat[k] <= c && c <= p.pat[k+2] {
				return in
			}
			k += 3
		default:
			if p.pat[k] == c {
				return in
			}
			k++
		}
	}
	return !in
}

// luaClasses are the classes that a letter behind % names; the capital letter
// names what is not in it.
var luaClasses = map[byte]func(byte) bool{
	'a': classes["alpha"], 'd': classes["digit"], 'l': classes["lower"], 'u': classes["upper"], 's': classes["space"],
	'w': classes["alnum"], 'x': classes["xdigit"], 'p': classes["punct"], 'c': classes["cntrl"], 'g': classes["graph"],
}

// luaClass reports whether c is in the class %class.
func luaClass(c, class byte) bool {
	in := luaClasses[class|0x20]
	if in == nil || class < 'A' {
		return class == c
	}
	return in(c) == (class >= 'a')
}
