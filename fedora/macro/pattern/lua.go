// Package pattern has the pattern languages that specs use and Go does not
// have: those of Lua, matched by backtracking with counted steps, and the
// regular expressions of POSIX, translated to Go's.
package pattern

import (
	"errors"
	"strconv"
	"strings"
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
	capOpen      = -1
	capPosition  = -2
	maxCaptures  = 32
	patternSteps = 2_000_000
	patternDepth = 200
)

// What can be wrong with a replacement.
var (
	ErrPattern     = errors.New("malformed pattern")
	ErrReplacement = errors.New("malformed replacement")
	ErrTooLong     = errors.New("the pattern takes too long")
)

// Gsub replaces the matches of a pattern in s, the first limit of them or all
// when limit is negative, as string.gsub does. It ends early, without an error,
// when grow refuses the bytes of a replacement.
func Gsub(s, pat, repl string, limit int, grow func(n int) bool) (string, error) {
	p := &luaMatcher{src: s, pat: pat}
	anchored := strings.HasPrefix(p.pat, "^")
	var b strings.Builder
	for i, last := 0, -1; i <= len(s); {
		end := -1
		if limit != 0 {
			var err error
			if end, err = p.find(i); err != nil {
				return "", err
			}
		}
		switch {
		case end >= 0 && end != last: // nothing is matched twice at one place
			if !p.replace(&b, repl, i, end) {
				return "", ErrReplacement
			}
			if !grow(len(repl)) {
				return "", nil
			}
			limit--
			i, last = end, end
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
	return b.String(), nil
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

func (p *luaMatcher) match(s, k int) int {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > patternDepth {
		panic(ErrTooLong)
	}
	for {
		p.steps++
		if p.steps > patternSteps {
			panic(ErrTooLong)
		}
		if k >= len(p.pat) {
			return s
		}
		switch c := p.pat[k]; {
		case c == '(':
			if k+1 < len(p.pat) && p.pat[k+1] == ')' {
				return p.capture(s, k+2, capPosition)
			}
			return p.capture(s, k+1, capOpen)
		case c == ')':
			return p.closeCapture(s, k+1)
		case c == '$' && k+1 == len(p.pat):
			if s == len(p.src) {
				return s
			}
			return -1
		case c == '%' && k+1 < len(p.pat) && p.pat[k+1] == 'b':
			if s = p.balance(s, k+2); s < 0 {
				return -1
			}
			k += 4
			continue
		case c == '%' && k+1 < len(p.pat) && p.pat[k+1] == 'f':
			k += 2
			if k >= len(p.pat) || p.pat[k] != '[' {
				panic(ErrPattern)
			}
			end := p.classEnd(k)
			if p.set(p.at(s-1), k, end-1) || !p.set(p.at(s), k, end-1) {
				return -1
			}
			k = end
			continue
		case c == '%' && k+1 < len(p.pat) && '0' <= p.pat[k+1] && p.pat[k+1] <= '9':
			n := int(p.pat[k+1]) - '1'
			if n < 0 || n >= len(p.caps) || p.caps[n].end < 0 {
				panic(ErrPattern)
			}
			part := p.src[p.caps[n].start:p.caps[n].end]
			if len(p.src)-s < len(part) || p.src[s:s+len(part)] != part {
				return -1
			}
			s += len(part)
			k += 2
			continue
		}
		end := p.classEnd(k)
		var quant byte
		if end < len(p.pat) {
			quant = p.pat[end]
		}
		one := func(i int) bool { return i < len(p.src) && p.single(p.src[i], k, end) }
		switch quant {
		case '?':
			if one(s) {
				if r := p.match(s+1, end+1); r >= 0 {
					return r
				}
			}
			k = end + 1
		case '*', '+':
			n := 0
			for one(s + n) {
				n++
			}
			least := 0
			if quant == '+' {
				least = 1
			}
			for ; n >= least; n-- {
				if r := p.match(s+n, end+1); r >= 0 {
					return r
				}
			}
			return -1
		case '-':
			for {
				if r := p.match(s, end+1); r >= 0 {
					return r
				}
				if !one(s) {
					return -1
				}
				s++
			}
		default:
			if !one(s) {
				return -1
			}
			s++
			k = end
		}
	}
}

// replace appends the replacement for a match to b.
func (p *luaMatcher) replace(b *strings.Builder, repl string, start, end int) bool {
	for k := 0; k < len(repl); k++ {
		if repl[k] != '%' {
			b.WriteByte(repl[k])
			continue
		}
		k++
		if k >= len(repl) {
			return false
		}
		n := int(repl[k]) - '0'
		switch {
		case repl[k] == '%':
			b.WriteByte('%')
		case n == 0, n == 1 && len(p.caps) == 0:
			b.WriteString(p.src[start:end])
		case n < 0 || n > len(p.caps):
			return false
		case p.caps[n-1].end == capPosition:
			b.WriteString(strconv.Itoa(p.caps[n-1].start + 1))
		case p.caps[n-1].end < 0:
			return false
		default:
			b.WriteString(p.src[p.caps[n-1].start:p.caps[n-1].end])
		}
	}
	return true
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

// luaClass reports whether c is in the class %class.
func luaClass(c, class byte) bool {
	alpha := 'a' <= c|0x20 && c|0x20 <= 'z'
	digit := '0' <= c && c <= '9'
	var in bool
	switch class | 0x20 {
	case 'a':
		in = alpha
	case 'd':
		in = digit
	case 'l':
		in = 'a' <= c && c <= 'z'
	case 'u':
		in = 'A' <= c && c <= 'Z'
	case 's':
		in = c == ' ' || '\t' <= c && c <= '\r'
	case 'w':
		in = alpha || digit
	case 'x':
		in = digit || 'a' <= c|0x20 && c|0x20 <= 'f'
	case 'p':
		in = ' ' < c && c < 0x7f && !alpha && !digit
	case 'c':
		in = c < ' ' || c == 0x7f
	case 'g':
		in = ' ' < c && c < 0x7f
	default:
		return class == c
	}
	if 'A' <= class && class <= 'Z' {
		return !in
	}
	return in
}
