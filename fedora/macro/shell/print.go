package shell

import (
	"math/big"
	"strconv"
	"strings"

	"specgraft/overlay/regex"
)

func toolEcho(_ *shell, args []string, _ *stream, out *output) (int, error) {
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

func toolPrintf(s *shell, args []string, _ *stream, out *output) (int, error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return refuse("printf", "no format")
	}
	format, args := args[0], args[1:]
	for first := true; first || len(args) > 0; first = false {
		used := false
		if err := s.work(4 * len(format)); err != nil {
			return 1, err
		}
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
		if out.over {
			return 1, ErrBudget
		}
	}
	return 0, nil
}

var plainNumber = regex.Once(`^-?[0-9]{1,18}(\.[0-9]{0,40})?$`)

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
	case 'f':
		if !plainNumber().MatchString(arg) {
			return "", false
		}
		p, err := strconv.Atoi(orZero(precision))
		if !hasPrecision {
			p = 6
		}
		// bash computes with the 64 bits of a long double.
		f, _, err2 := big.ParseFloat(arg, 10, 64, big.ToNearestEven)
		if err != nil || err2 != nil || p > 100 {
			return "", false
		}
		text = f.Text('f', p)
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
