package shell

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"specgraft/fedora/macro/pattern"
)

func toolEgrep(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	return toolGrep(s, append([]string{"-E"}, args...), in, out)
}

func toolFgrep(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	return toolGrep(s, append([]string{"-F"}, args...), in, out)
}

func toolGrep(s *shell, args []string, in *stream, out *bytes.Buffer) (int, error) {
	opts, rest, ok := options(args, "EFGoivqce:m:wxsh", map[string]string{"extended-regexp": "E", "fixed-strings": "F", "only-matching": "o", "ignore-case": "i", "invert-match": "v", "quiet": "q", "count": "c", "regexp": "e", "line-regexp": "x"})
	if !ok {
		return refuse("grep", strings.Join(args, " "))
	}
	has, expr, limit := map[string]bool{}, "", -1
	for _, o := range opts {
		has[o[0]] = true
		switch o[0] {
		case "e":
			if expr != "" {
				return refuse("grep", "several patterns")
			}
			expr = o[1]
		case "m":
			n, err := strconv.Atoi(o[1])
			if err != nil {
				return refuse("grep", "-m "+o[1])
			}
			limit = n
		}
	}
	if !has["e"] {
		if len(rest) == 0 {
			return refuse("grep", "no pattern")
		}
		expr, rest = rest[0], rest[1:]
	}
	if strings.Contains(expr, "\n") || len(rest) > 1 && !has["h"] || has["w"] {
		return refuse("grep", strings.Join(args, " "))
	}
	if has["F"] {
		expr = regexp.QuoteMeta(expr)
	}
	re, ok := pattern.POSIX(expr, has["E"] || has["F"], has["i"])
	if !ok {
		return refuse("grep", expr)
	}
	b, err := s.input(rest, in)
	if err != nil {
		return 2, err
	}
	n := 0
	for _, line := range inLines(b) {
		loc := re.FindStringIndex(line)
		hit := loc != nil && (!has["x"] || loc[0] == 0 && loc[1] == len(line))
		if hit == has["v"] {
			continue
		}
		if n++; limit >= 0 && n > limit {
			n--
			break
		}
		switch {
		case has["q"], has["c"]:
		case has["o"]:
			for _, m := range re.FindAllString(line, -1) {
				if m != "" && !has["v"] {
					out.WriteString(m + "\n")
				}
			}
		default:
			out.WriteString(line + "\n")
		}
	}
	if has["c"] && !has["q"] {
		out.WriteString(strconv.Itoa(n) + "\n")
	}
	if n == 0 {
		return 1, nil
	}
	return 0, nil
}
