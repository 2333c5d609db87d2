package shell

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"specgraft/fedora/macro/pattern"
)

// ascii reports whether bytes and characters are the same: what character
// tools do with other text depends on the locale of the build.
func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ranges reads a LIST of cut: numbers from 1 and ranges.
func ranges(list string) (func(int) bool, bool) {
	type span struct{ from, to int }
	var spans []span
	for part := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		a, b, isRange := strings.Cut(part, "-")
		sp := span{1, 1 << 30}
		var err1, err2 error
		if a != "" {
			sp.from, err1 = strconv.Atoi(a)
		}
		if !isRange {
			sp.to = sp.from
		} else if b != "" {
			sp.to, err2 = strconv.Atoi(b)
		}
		if err1 != nil || err2 != nil || sp.from < 1 || sp.to < sp.from || a == "" && b == "" {
			return nil, false
		}
		spans = append(spans, sp)
	}
	return func(i int) bool {
		return slices.ContainsFunc(spans, func(s span) bool { return s.from <= i && i <= s.to })
	}, len(spans) > 0
}

func toolCut(s *shell, args []string, in *stream, out *output) (int, error) {
	opts, files, ok := options(args, "b:c:d:f:sno:", map[string]string{"delimiter": "d", "fields": "f", "bytes": "b", "characters": "c", "only-delimited": "s", "output-delimiter": "o"})
	if !ok {
		return refuse("cut", strings.Join(args, " "))
	}
	kind, list, delim, only := "", "", "\t", false
	joiner, hasJoiner := "", false
	for _, o := range opts {
		switch o[0] {
		case "b", "c", "f":
			kind, list = o[0], o[1]
		case "d":
			delim = o[1]
		case "s":
			only = true
		case "o":
			joiner, hasJoiner = o[1], true
		}
	}
	in1, ok := ranges(list)
	if kind == "" || !ok || len(delim) != 1 || kind != "f" && hasJoiner {
		return refuse("cut", strings.Join(args, " "))
	}
	b, err := s.input(files, in)
	if err != nil {
		return 1, err
	}
	if kind == "c" && !ascii(b) {
		return refuse("cut", "text that is not ASCII")
	}
	if !hasJoiner {
		joiner = delim
	}
	for _, line := range inLines(b) {
		if err := s.work(4 * len(line) * (1 + len(list)/2)); err != nil {
			return 1, err
		}
		if kind != "f" {
			for i := range len(line) {
				if in1(i + 1) {
					out.WriteByte(line[i])
				}
			}
			out.WriteByte('\n')
			continue
		}
		if !strings.Contains(line, delim) {
			if !only {
				out.WriteString(line + "\n")
			}
			continue
		}
		var kept []string
		for i, f := range strings.Split(line, delim) {
			if in1(i + 1) {
				kept = append(kept, f)
			}
		}
		out.WriteString(strings.Join(kept, joiner) + "\n")
	}
	return 0, nil
}

// trSet expands a set of tr to its bytes in order.
func trSet(set string) ([]byte, bool) {
	var out []byte
	text := set
	for len(text) > 0 {
		if strings.HasPrefix(text, "[:") {
			name, rest, ok := strings.Cut(text[2:], ":]")
			class := pattern.Class(name)
			if ok && class != nil {
				for c := range 256 {
					if class(byte(c)) {
						out = append(out, byte(c))
					}
				}
				text = rest
				continue
			}
		}
		if strings.HasPrefix(text, "[=") || len(text) > 2 && text[0] == '[' && text[2] == '*' {
			return nil, false
		}
		c, rest, ok := trByte(text)
		if !ok {
			return nil, false
		}
		text = rest
		if len(text) > 1 && text[0] == '-' {
			end, rest, ok := trByte(text[1:])
			if !ok || end < c {
				return nil, false
			}
			for x := int(c); x <= int(end); x++ {
				out = append(out, byte(x))
			}
			text = rest
			continue
		}
		out = append(out, c)
	}
	return out, true
}

func trByte(text string) (byte, string, bool) {
	if text[0] != '\\' || len(text) == 1 {
		return text[0], text[1:], text[0] < utf8.RuneSelf
	}
	n := 2
	for n < len(text) && n < 4 && text[1] >= '0' && text[1] <= '7' && text[n] >= '0' && text[n] <= '7' {
		n++
	}
	if s, _ := unescape(text[:n], false); len(s) == 1 {
		return s[0], text[n:], true
	}
	return text[1], text[2:], true // an unknown escape is the character itself
}

func toolTr(_ *shell, args []string, in *stream, out *output) (int, error) {
	opts, sets, ok := options(args, "cCdst", map[string]string{"complement": "c", "delete": "d", "squeeze-repeats": "s", "truncate-set1": "t"})
	if !ok || len(sets) == 0 || len(sets) > 2 {
		return refuse("tr", strings.Join(args, " "))
	}
	has := map[string]bool{}
	for _, o := range opts {
		has[strings.ToLower(o[0])] = true
	}
	from, ok := trSet(sets[0])
	var to []byte
	if ok && len(sets) == 2 {
		to, ok = trSet(sets[1])
	}
	if !ok || has["t"] || has["d"] == (len(sets) == 2) && !has["s"] || has["d"] && has["s"] {
		return refuse("tr", strings.Join(args, " "))
	}
	if has["c"] {
		var rest []byte
		for c := range 256 {
			if !bytes.Contains(from, []byte{byte(c)}) {
				rest = append(rest, byte(c))
			}
		}
		from = rest
	}
	b := in.all()
	if has["c"] && !ascii(b) {
		return refuse("tr", "text that is not ASCII")
	}
	var table [256]byte
	var member [256]bool
	for c := range table {
		table[c] = byte(c)
	}
	for i, c := range from {
		member[c] = true
		if len(to) > 0 {
			table[c] = to[min(i, len(to)-1)]
		}
	}
	squeeze := member
	if len(to) > 0 {
		squeeze = [256]bool{}
		for _, c := range to {
			squeeze[c] = true
		}
	}
	last := -1
	for _, c := range b {
		if has["d"] && member[c] {
			continue
		}
		if len(to) > 0 {
			c = table[c]
		}
		if has["s"] && squeeze[c] && last == int(c) {
			continue
		}
		last = int(c)
		out.WriteByte(c)
	}
	return 0, nil
}
