package shell

import (
	"path"
	"strconv"
	"strings"
	"time"

	"specgraft/overlay/diag"
)

// A tool is our own implementation of a command that computes on text. It
// returns the exit status; an option that it does not implement makes the
// output unknown.
type tool func(s *shell, args []string, in *stream, out *output) (int, error)

// toolOf returns the tool that a command names, alone or by its path on every
// distribution, as macros such as %__sed do; nil when there is none.
func toolOf(name string) tool {
	if name == "eval" {
		return toolEval // not in the table, which it reaches
	}
	for _, dir := range []string{"/usr/bin/", "/bin/"} {
		if base, ok := strings.CutPrefix(name, dir); ok && !builtins[base] {
			return tools[base]
		}
	}
	return tools[name]
}

// builtins are commands of the shell that are no programs.
var builtins = map[string]bool{":": true, "exit": true}

// toolEval runs a command that is made of its arguments.
func toolEval(s *shell, args []string, in *stream, out *output) (int, error) {
	prog, err := parse(strings.Join(args, " "))
	if err != nil {
		return 1, err
	}
	s.depth++
	defer func() { s.depth-- }()
	err = s.stmts(prog.Stmts, in, out)
	return s.status, err
}

// tools are all commands there are; a command that is not here is never run.
var tools = map[string]tool{
	"echo": toolEcho, "printf": toolPrintf, "cat": toolCat, "cut": toolCut, "tr": toolTr,
	"sed": toolSed, "awk": toolAwk, "gawk": toolAwk, "grep": toolGrep, "egrep": toolEgrep, "fgrep": toolFgrep,
	"head": toolHead, "tail": toolTail, "sort": toolSort, "uniq": toolUniq, "rev": toolRev, "tac": toolTac, "wc": toolWc,
	"basename": toolBasename, "dirname": toolDirname, "date": toolDate, "seq": toolSeq, "expr": toolExpr,
	"test": toolTest, "[": toolBracket, "true": toolTrue, ":": toolTrue, "false": toolFalse, "exit": toolExit,
	"rpm": toolRpm, "xargs": toolXargs,
}

func toolTrue(*shell, []string, *stream, *output) (int, error) { return 0, nil }

func toolFalse(*shell, []string, *stream, *output) (int, error) { return 1, nil }

func toolExit(s *shell, args []string, _ *stream, _ *output) (int, error) {
	if len(args) == 0 {
		return s.status, errExit
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 2, unknownf("exit wants a number")
	}
	return n & 0xff, errExit
}

func toolBracket(s *shell, args []string, in *stream, out *output) (int, error) {
	if len(args) == 0 || args[len(args)-1] != "]" {
		return 2, unknownf("[ has no ]")
	}
	return toolTest(s, args[:len(args)-1], in, out)
}

// refuse is the answer to an option or form that a tool does not implement.
func refuse(name string, what string) (int, error) {
	return 2, unknownf("%s with %s is not computed", name, diag.Excerpt(what))
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
		if err := s.work(4 * len(text)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func toolCat(s *shell, args []string, in *stream, out *output) (int, error) {
	_, files, ok := options(args, "", nil)
	if !ok {
		return refuse("cat", strings.Join(args, " "))
	}
	b, err := s.input(files, in)
	out.Write(b)
	return 0, err
}

func toolBasename(_ *shell, args []string, _ *stream, out *output) (int, error) {
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

func toolDirname(_ *shell, args []string, _ *stream, out *output) (int, error) {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") || strings.Contains(args[0], "//") || strings.Contains(args[0], "/.") {
		return refuse("dirname", strings.Join(args, " "))
	}
	out.WriteString(path.Dir(strings.TrimRight(args[0], "/")) + "\n")
	return 0, nil
}

// toolDate formats a day that is given, never the present.
func toolDate(_ *shell, args []string, _ *stream, out *output) (int, error) {
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
		err = ErrBudget
		for _, layout := range []string{"20060102", "2006-01-02"} {
			if when, err = time.Parse(layout, given); err == nil {
				break
			}
		}
	}
	if err != nil {
		return 1, unknownf("the date %s depends on the time of the build", diag.Excerpt(given))
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

func toolSeq(_ *shell, args []string, _ *stream, out *output) (int, error) {
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
	if by == 0 {
		return 1, ErrBudget
	}
	count := 0
	for n := from; by > 0 && n <= to || by < 0 && n >= to; n += by {
		if count++; count > maxSteps {
			return 1, ErrBudget
		}
		out.WriteString(strconv.Itoa(n) + "\n")
		if next := n + by; (next > n) != (by > 0) {
			break // beyond the largest number
		}
	}
	return 0, nil
}

// toolExpr computes with two numbers, the form that specs use.
func toolExpr(_ *shell, args []string, _ *stream, out *output) (int, error) {
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
