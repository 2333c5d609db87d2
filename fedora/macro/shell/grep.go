package shell

import (
	"regexp"
	"strconv"
	"strings"

	"specgraft/fedora/macro/pattern"
)

func toolEgrep(s *shell, args []string, in *stream, out *output) (int, error) {
	return toolGrep(s, append([]string{"-E"}, args...), in, out)
}

func toolFgrep(s *shell, args []string, in *stream, out *output) (int, error) {
	return toolGrep(s, append([]string{"-F"}, args...), in, out)
}

func toolGrep(s *shell, args []string, in *stream, out *output) (int, error) {
	opts, rest, ok := options(args, "EFGoivqce:m:wxsh", map[string]string{"extended-regexp": "E", "fixed-strings": "F", "only-matching": "o", "ignore-case": "i", "invert-match": "v", "quiet": "q", "count": "c", "regexp": "e", "line-regexp": "x"})
	if !ok {
		return refuse("grep", strings.Join(args, " "))
	}
	g := grep{has: map[string]bool{}, limit: -1}
	expr := ""
	for _, o := range opts {
		if o[0] == "e" && expr != "" {
			return refuse("grep", "several patterns")
		}
		g.has[o[0]] = true
		switch o[0] {
		case "e":
			expr = o[1]
		case "m":
			n, err := strconv.Atoi(o[1])
			if err != nil {
				return refuse("grep", "-m "+o[1])
			}
			g.limit = n
		}
	}
	if !g.has["e"] {
		if len(rest) == 0 {
			return refuse("grep", "no pattern")
		}
		expr, rest = rest[0], rest[1:]
	}
	if strings.Contains(expr, "\n") || len(rest) > 1 && !g.has["h"] || g.has["w"] {
		return refuse("grep", strings.Join(args, " "))
	}
	if g.has["F"] {
		expr = regexp.QuoteMeta(expr)
	}
	if g.re, ok = pattern.POSIX(expr, g.has["E"] || g.has["F"], g.has["i"]); !ok {
		return refuse("grep", expr)
	}
	b, err := s.input(rest, in)
	if err != nil {
		return 2, err
	}
	n, err := g.lines(s, inLines(b), out)
	if err != nil {
		return 2, err
	}
	if g.has["c"] && !g.has["q"] {
		out.WriteString(strconv.Itoa(n) + "\n")
	}
	if n == 0 {
		return 1, nil
	}
	return 0, nil
}

// A grep is a search with its options by their letters.
type grep struct {
	re    *pattern.Regexp
	has   map[string]bool
	limit int // of lines, negative for none
}

// lines writes what is asked for of the lines and returns how many are selected.
func (g *grep) lines(s *shell, lines []string, out *output) (n int, err error) {
	for _, line := range lines {
		loc, err := s.find(g.re, line)
		if err != nil {
			return n, err
		}
		hit := loc != nil && (!g.has["x"] || loc[0] == 0 && loc[1] == len(line))
		if hit == g.has["v"] {
			continue
		}
		if g.limit >= 0 && n >= g.limit {
			return n, nil
		}
		n++
		switch {
		case g.has["q"], g.has["c"]:
		case g.has["o"]:
			if !g.has["v"] {
				if err := g.matches(s, line, out); err != nil {
					return n, err
				}
			}
		default:
			out.WriteString(line + "\n")
		}
	}
	return n, nil
}

// matches writes what matches in a line, each on a line of its own.
func (g *grep) matches(s *shell, line string, out *output) error {
	if all, cost, ok := g.re.FindAll(line); ok {
		for _, m := range all {
			if m != "" {
				out.WriteString(m + "\n")
			}
		}
		return s.work(cost)
	}
	for pos := 0; pos <= len(line); {
		m, err := s.find(g.re, line[pos:])
		if err != nil || m == nil || pos > 0 && g.re.Anchored() {
			return err
		}
		if m[1] > m[0] {
			out.WriteString(line[pos+m[0]:pos+m[1]] + "\n")
		}
		pos += max(m[1], 1)
	}
	return nil
}

// find searches for an expression and accounts for it.
func (s *shell) find(re *pattern.Regexp, line string) ([]int, error) {
	m, cost := re.Find(line)
	return m, s.work(cost)
}
