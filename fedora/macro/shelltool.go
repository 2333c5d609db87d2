package macro

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A tool is our own implementation of a command that computes on text. It
// returns the exit status; an option that it does not implement makes the
// output unknown.
type tool func(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error)

// tools are all commands there are; a command that is not here is never run.
var tools = map[string]tool{
	"echo": toolEcho, "printf": toolPrintf, "cat": toolCat, "cut": toolCut, "tr": toolTr,
	"sed": toolSed, "awk": toolAwk, "gawk": toolAwk, "grep": toolGrep, "egrep": toolEgrep, "fgrep": toolFgrep,
	"head": toolHead, "tail": toolTail, "sort": toolSort, "uniq": toolUniq, "rev": toolRev, "tac": toolTac, "wc": toolWc,
	"basename": toolBasename, "dirname": toolDirname, "date": toolDate, "seq": toolSeq, "expr": toolExpr,
	"test": toolTest, "[": toolBracket, "true": toolTrue, ":": toolTrue, "false": toolFalse, "exit": toolExit,
}

func toolTrue(*shell, []string, *stream, *bytes.Buffer) (int, error)  { return 0, nil }
func toolFalse(*shell, []string, *stream, *bytes.Buffer) (int, error) { return 1, nil }

func toolExit(s *shell, args []string, _ *stream, _ *bytes.Buffer) (int, error) {
	if len(args) == 0 {
		return s.status, errExit
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 2, unknownf("exit wants a number")
	}
	return n & 0xff, errExit
}

func toolBracket(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	if len(args) == 0 || args[len(args)-1] != "]" {
		return 2, unknownf("[ has no ]")
	}
	return toolTest(s, args[:len(args)-1], in, out)
}

// refuse is the answer to an option or form that a tool does not implement.
func refuse(name string, what string) (int, error) {
	return 2, unknownf("%s with %s is not computed", name, excerpt(what))
}

// options splits arguments by the rules of getopt: letters that take a value
// stand before a colon in spec, long options in long map to letters. It
// returns false when an argument is no option of the tool.
func options(args []string, spec string, long map[string]string) (opts [][2]string, rest []string, ok bool) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return opts, append(rest, args[i+1:]...), true
		case strings.HasPrefix(a, "--"):
			name, value, has := strings.Cut(a[2:], "=")
			letter := long[name]
			if letter == "" {
				return nil, nil, false
			}
			if strings.Contains(spec, letter+":") && !has {
				if i++; i >= len(args) {
					return nil, nil, false
				}
				value = args[i]
			}
			opts = append(opts, [2]string{letter, value})
		case len(a) > 1 && a[0] == '-':
			for j := 1; j < len(a); j++ {
				letter := a[j : j+1]
				k := strings.Index(spec, letter)
				if k < 0 || letter == ":" {
					return nil, nil, false
				}
				if k+1 < len(spec) && spec[k+1] == ':' {
					value := a[j+1:]
					if value == "" {
						if i++; i >= len(args) {
							return nil, nil, false
						}
						value = args[i]
					}
					opts = append(opts, [2]string{letter, value})
					break
				}
				opts = append(opts, [2]string{letter, ""})
			}
		default:
			rest = append(rest, a)
		}
	}
	return opts, rest, true
}

// input is what a tool reads: the named files of the component, or its
// standard input.
func (s *shell) input(files []string, in *stream) ([]byte, error) {
	if len(files) == 0 {
		return in.all(), nil
	}
	var b []byte
	for _, f := range files {
		if f == "-" {
			b = append(b, in.all()...)
			continue
		}
		text, err := s.file(f)
		if err != nil {
			return nil, err
		}
		b = append(b, text...)
	}
	return b, nil
}

// inLines returns the lines of a text without their newlines.
func inLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func putLines(out *bytes.Buffer, list []string) {
	for _, l := range list {
		out.WriteString(l)
		out.WriteByte('\n')
	}
}

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

func toolEcho(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	newline, escapes := true, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, c := range args[0][1:] {
			switch c {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	text := strings.Join(args, " ")
	if escapes && strings.Contains(text, `\`) {
		var stop bool
		if text, stop = unescape(text, true); stop {
			newline = false
		}
	}
	out.WriteString(text)
	if newline {
		out.WriteByte('\n')
	}
	return 0, nil
}

// unescape replaces the backslash escapes of echo -e and printf. With echo, \0
// begins an octal number and \c ends the output.
func unescape(s string, echo bool) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'a':
			b.WriteByte(7)
		case 'b':
			b.WriteByte(8)
		case 'e', 'E':
			b.WriteByte(27)
		case 'f':
			b.WriteByte(12)
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte(11)
		case '\\':
			b.WriteByte('\\')
		case 'c':
			if echo {
				return b.String(), true
			}
			b.WriteString(`\c`)
		case '0', '1', '2', '3', '4', '5', '6', '7':
			if echo && c != '0' {
				b.WriteByte('\\')
				b.WriteByte(c)
				continue
			}
			j, n := i, 0
			if echo {
				j++
			}
			for k := j; k < len(s) && k < j+3 && '0' <= s[k] && s[k] <= '7'; k++ {
				n = n*8 + int(s[k]-'0')
				i = k
			}
			b.WriteByte(byte(n))
		case 'x':
			n, k := 0, i+1
			for ; k < len(s) && k < i+3; k++ {
				d, err := strconv.ParseUint(s[k:k+1], 16, 8)
				if err != nil {
					break
				}
				n = n*16 + int(d)
			}
			if k == i+1 {
				b.WriteString(`\x`)
				continue
			}
			i = k - 1
			b.WriteByte(byte(n))
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

func toolPrintf(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return refuse("printf", "no format")
	}
	format, args := args[0], args[1:]
	for first := true; first || len(args) > 0; first = false {
		used := false
		for i := 0; i < len(format); i++ {
			c := format[i]
			if c == '\\' {
				j := i + 2
				for j < len(format) && j < i+4 && strings.IndexByte("01234567abcdefABCDEF", format[j]) >= 0 && strings.IndexByte("01234567x", format[i+1]) >= 0 {
					j++
				}
				text, _ := unescape(format[i:min(j, len(format))], false)
				out.WriteString(text)
				i = min(j, len(format)) - 1
				continue
			}
			if c != '%' {
				out.WriteByte(c)
				continue
			}
			j := i + 1
			for j < len(format) && strings.IndexByte("-+ #0123456789.", format[j]) >= 0 {
				j++
			}
			if j == len(format) {
				return refuse("printf", format)
			}
			spec, verb := format[i+1:j], format[j]
			i = j
			if verb == '%' {
				out.WriteByte('%')
				continue
			}
			arg := ""
			if len(args) > 0 {
				arg, args = args[0], args[1:]
			}
			used = true
			text, ok := formatOne(spec, verb, arg)
			if !ok {
				return refuse("printf", format)
			}
			out.WriteString(text)
		}
		if !used && len(args) > 0 {
			break // a format without directives is printed once
		}
		if out.Len() > shellOutput {
			return 1, errBudget
		}
	}
	return 0, nil
}

// formatOne formats one argument by a directive of printf.
func formatOne(spec string, verb byte, arg string) (string, bool) {
	left := strings.HasPrefix(spec, "-")
	zero := strings.HasPrefix(spec, "0")
	width, precision, hasPrecision := strings.TrimLeft(spec, "-0"), "", false
	if strings.ContainsAny(spec, "+ #") {
		return "", false
	}
	width, precision, hasPrecision = strings.Cut(width, ".")
	w, err := strconv.Atoi(orZero(width))
	if err != nil || w > 1000 {
		return "", false
	}
	var text string
	switch verb {
	case 's', 'b':
		text = arg
		if verb == 'b' {
			text, _ = unescape(arg, true)
		}
		if hasPrecision {
			p, err := strconv.Atoi(orZero(precision))
			if err != nil {
				return "", false
			}
			text = text[:min(p, len(text))]
		}
		zero = false
	case 'c':
		text = arg[:min(1, len(arg))]
	case 'd', 'i', 'u', 'x', 'X', 'o':
		n, err := strconv.ParseInt(strings.TrimLeft(orZero(arg), " "), 0, 64)
		if err != nil || hasPrecision || strings.HasPrefix(arg, "0b") || strings.Contains(arg, "_") || strings.HasPrefix(arg, "0o") {
			return "", false
		}
		switch verb {
		case 'x':
			text = strconv.FormatUint(uint64(n), 16)
		case 'X':
			text = strings.ToUpper(strconv.FormatUint(uint64(n), 16))
		case 'o':
			text = strconv.FormatUint(uint64(n), 8)
		default:
			text = strconv.FormatInt(n, 10)
		}
	default:
		return "", false
	}
	for len(text) < w {
		switch {
		case left:
			text += " "
		case zero && strings.HasPrefix(text, "-"):
			text = "-0" + text[1:]
		case zero:
			text = "0" + text
		default:
			text = " " + text
		}
	}
	return text, true
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

func toolCat(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	_, files, ok := options(args, "", nil)
	if !ok {
		return refuse("cat", strings.Join(args, " "))
	}
	b, err := s.input(files, in)
	out.Write(b)
	return 0, err
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

func toolCut(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
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

// classes are the character classes of POSIX in the C locale.
var classes = map[string]func(byte) bool{
	"digit": func(c byte) bool { return '0' <= c && c <= '9' },
	"lower": func(c byte) bool { return 'a' <= c && c <= 'z' },
	"upper": func(c byte) bool { return 'A' <= c && c <= 'Z' },
	"alpha": func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' },
	"alnum": func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' },
	"space": func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' },
	"blank": func(c byte) bool { return c == ' ' || c == '\t' },
	"punct": func(c byte) bool {
		return '!' <= c && c <= '~' && !('a' <= c|0x20 && c|0x20 <= 'z') && !('0' <= c && c <= '9')
	},
	"xdigit": func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' },
	"print":  func(c byte) bool { return ' ' <= c && c <= '~' },
	"graph":  func(c byte) bool { return '!' <= c && c <= '~' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
}

// trSet expands a set of tr to its bytes in order.
func trSet(set string) ([]byte, bool) {
	var out []byte
	text := set
	for len(text) > 0 {
		if strings.HasPrefix(text, "[:") {
			name, rest, ok := strings.Cut(text[2:], ":]")
			class := classes[name]
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

func toolTr(_ *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
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

// count reads the number of head and tail, which may be the old form -3.
func count(name string, args []string) (n int, bytes bool, files []string, ok bool) {
	n = 10
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0][1] >= '0' && args[0][1] <= '9' {
		args = append([]string{"-n", args[0][1:]}, args[1:]...)
	}
	opts, files, ok := options(args, "n:c:", map[string]string{"lines": "n", "bytes": "c"})
	for _, o := range opts {
		v := o[1]
		if name == "tail" && strings.HasPrefix(v, "+") {
			return 0, false, nil, false
		}
		x, err := strconv.Atoi(v)
		if err != nil || x < 0 {
			return 0, false, nil, false
		}
		n, bytes = x, o[0] == "c"
	}
	return n, bytes, files, ok
}

func toolHead(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	n, isBytes, files, ok := count("head", args)
	if !ok || len(files) > 1 {
		return refuse("head", strings.Join(args, " "))
	}
	b, err := s.input(files, in)
	if err != nil {
		return 1, err
	}
	if isBytes {
		out.Write(b[:min(n, len(b))])
		return 0, nil
	}
	for i, l := range bytes.SplitAfter(b, []byte("\n")) {
		if i < n {
			out.Write(l)
		}
	}
	return 0, nil
}

func toolTail(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	n, isBytes, files, ok := count("tail", args)
	if !ok || len(files) > 1 {
		return refuse("tail", strings.Join(args, " "))
	}
	b, err := s.input(files, in)
	if err != nil {
		return 1, err
	}
	if isBytes {
		out.Write(b[max(0, len(b)-n):])
		return 0, nil
	}
	list := bytes.SplitAfter(b, []byte("\n"))
	if len(list) > 0 && len(list[len(list)-1]) == 0 {
		list = list[:len(list)-1]
	}
	for _, l := range list[max(0, len(list)-n):] {
		out.Write(l)
	}
	return 0, nil
}

func toolSort(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	opts, files, ok := options(args, "runV", map[string]string{"reverse": "r", "unique": "u", "numeric-sort": "n", "version-sort": "V"})
	if !ok {
		return refuse("sort", strings.Join(args, " "))
	}
	b, err := s.input(files, in)
	if err != nil {
		return 1, err
	}
	list := inLines(b)
	has := map[string]bool{}
	for _, o := range opts {
		has[o[0]] = true
	}
	compare := strings.Compare
	switch {
	case has["n"]:
		for _, l := range list {
			if _, err := strconv.Atoi(strings.TrimSpace(l)); err != nil {
				return refuse("sort", "-n on text that is no number")
			}
		}
		compare = func(a, b string) int {
			x, _ := strconv.Atoi(strings.TrimSpace(a))
			y, _ := strconv.Atoi(strings.TrimSpace(b))
			return x - y
		}
	case has["V"]:
		for _, l := range list {
			if strings.Trim(l, "0123456789.") != "" {
				return refuse("sort", "-V on text other than numbers and dots")
			}
		}
		compare = compareNumbers
	default:
		// The order of mixed letters depends on the locale of the build.
		for _, l := range list {
			if strings.ToLower(l) != l || strings.ContainsFunc(l, func(r rune) bool { return r > '~' || strings.ContainsRune("-_./ +~", r) }) {
				if len(list) > 1 {
					return refuse("sort", "text whose order depends on the locale")
				}
			}
		}
	}
	slices.SortStableFunc(list, compare)
	if has["r"] {
		slices.Reverse(list)
	}
	if has["u"] {
		list = slices.Compact(list)
	}
	putLines(out, list)
	return 0, nil
}

// compareNumbers compares numbers separated by dots.
func compareNumbers(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(x) && i < len(y); i++ {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m - n
		}
	}
	return len(x) - len(y)
}

func toolUniq(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	if len(args) > 0 {
		return refuse("uniq", strings.Join(args, " "))
	}
	putLines(out, slices.Compact(inLines(in.all())))
	return 0, nil
}

func toolRev(_ *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	b := in.all()
	if len(args) > 0 || !ascii(b) {
		return refuse("rev", "this text")
	}
	for _, l := range inLines(b) {
		r := []byte(l)
		slices.Reverse(r)
		out.Write(append(r, '\n'))
	}
	return 0, nil
}

func toolTac(_ *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	if len(args) > 0 {
		return refuse("tac", strings.Join(args, " "))
	}
	list := inLines(in.all())
	slices.Reverse(list)
	putLines(out, list)
	return 0, nil
}

func toolWc(_ *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	b := in.all()
	if len(args) != 1 {
		return refuse("wc", strings.Join(args, " "))
	}
	n := 0
	switch args[0] {
	case "-l":
		n = bytes.Count(b, []byte("\n"))
	case "-w":
		n = len(bytes.Fields(b))
	case "-c":
		n = len(b)
	default:
		return refuse("wc", args[0])
	}
	out.WriteString(strconv.Itoa(n) + "\n")
	return 0, nil
}

func toolBasename(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	opts, names, ok := options(args, "s:", map[string]string{"suffix": "s"})
	if !ok || len(names) == 0 || len(names) > 2 || len(opts) > 0 && len(names) > 1 {
		return refuse("basename", strings.Join(args, " "))
	}
	suffix := ""
	if len(names) == 2 {
		suffix = names[1]
	}
	for _, o := range opts {
		suffix = o[1]
	}
	base := names[0]
	if base != "" {
		base = path.Base(base)
	}
	if base != suffix {
		base = strings.TrimSuffix(base, suffix)
	}
	out.WriteString(base + "\n")
	return 0, nil
}

func toolDirname(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") || strings.Contains(args[0], "//") || strings.Contains(args[0], "/.") {
		return refuse("dirname", strings.Join(args, " "))
	}
	out.WriteString(path.Dir(strings.TrimRight(args[0], "/")) + "\n")
	return 0, nil
}

// toolDate formats a day that is given, never the present.
func toolDate(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	opts, rest, ok := options(args, "d:u", map[string]string{"date": "d", "utc": "u", "universal": "u"})
	given, utc := "", false
	for _, o := range opts {
		switch o[0] {
		case "d":
			given = o[1]
		case "u":
			utc = true
		}
	}
	if !ok || len(rest) != 1 || !strings.HasPrefix(rest[0], "+") {
		return refuse("date", strings.Join(args, " "))
	}
	var when time.Time
	var err error
	switch n, nerr := strconv.ParseInt(strings.TrimPrefix(given, "@"), 10, 64); {
	case strings.HasPrefix(given, "@") && nerr == nil && utc:
		when = time.Unix(n, 0).UTC()
	default:
		err = errBudget
		for _, layout := range []string{"20060102", "2006-01-02"} {
			if when, err = time.Parse(layout, given); err == nil {
				break
			}
		}
	}
	if err != nil {
		return 1, unknownf("the date %s depends on the time of the build", excerpt(given))
	}
	for i := 1; i < len(rest[0]); i++ {
		c := rest[0][i]
		if c != '%' {
			out.WriteByte(c)
			continue
		}
		if i++; i == len(rest[0]) {
			return refuse("date", rest[0])
		}
		layout, ok := map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'y': "06", 'H': "15", 'M': "04", 'S': "05", 'F': "2006-01-02",
			'T': "15:04:05", 'j': "002", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'e': "_2"}[rest[0][i]]
		switch {
		case ok:
			out.WriteString(when.Format(layout))
		case rest[0][i] == '%':
			out.WriteByte('%')
		case rest[0][i] == 's' && utc:
			out.WriteString(strconv.FormatInt(when.Unix(), 10))
		default:
			return refuse("date", rest[0])
		}
	}
	out.WriteByte('\n')
	return 0, nil
}

func toolSeq(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	nums := make([]int, len(args))
	for i, a := range args {
		n, err := strconv.Atoi(a)
		if err != nil {
			return refuse("seq", strings.Join(args, " "))
		}
		nums[i] = n
	}
	from, by, to := 1, 1, 0
	switch len(nums) {
	case 1:
		to = nums[0]
	case 2:
		from, to = nums[0], nums[1]
	case 3:
		from, by, to = nums[0], nums[1], nums[2]
	default:
		return refuse("seq", strings.Join(args, " "))
	}
	if by == 0 || (to-from)/by > shellSteps {
		return 1, errBudget
	}
	for n := from; by > 0 && n <= to || by < 0 && n >= to; n += by {
		out.WriteString(strconv.Itoa(n) + "\n")
	}
	return 0, nil
}

// toolExpr computes with two numbers, the form that specs use.
func toolExpr(_ *shell, args []string, _ *stream, out *bytes.Buffer) (int, error) {
	if len(args) != 3 {
		return refuse("expr", strings.Join(args, " "))
	}
	a, err1 := strconv.Atoi(args[0])
	b, err2 := strconv.Atoi(args[2])
	if err1 != nil || err2 != nil {
		return refuse("expr", strings.Join(args, " "))
	}
	n := 0
	switch args[1] {
	case "+":
		n = a + b
	case "-":
		n = a - b
	case "*":
		n = a * b
	case "/", "%":
		if b == 0 {
			return refuse("expr", "a division by zero")
		}
		if n = a / b; args[1] == "%" {
			n = a % b
		}
	default:
		return refuse("expr", strings.Join(args, " "))
	}
	out.WriteString(strconv.Itoa(n) + "\n")
	if n == 0 {
		return 1, nil
	}
	return 0, nil
}
