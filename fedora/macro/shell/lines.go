package shell

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// inLines returns the lines of a text without their newlines.
func inLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func putLines(out *output, list []string) {
	for _, l := range list {
		out.WriteString(l)
		out.WriteByte('\n')
	}
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

func toolHead(s *shell, args []string, in *stream, out *output) (int, error) {
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

func toolTail(s *shell, args []string, in *stream, out *output) (int, error) {
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

func toolSort(s *shell, args []string, in *stream, out *output) (int, error) {
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
	if err := s.work(40 * len(b)); err != nil {
		return 1, err
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

func toolUniq(s *shell, args []string, in *stream, out *output) (int, error) {
	if len(args) > 0 {
		return refuse("uniq", strings.Join(args, " "))
	}
	putLines(out, slices.Compact(inLines(in.all())))
	return 0, nil
}

func toolRev(_ *shell, args []string, in *stream, out *output) (int, error) {
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

func toolTac(_ *shell, args []string, in *stream, out *output) (int, error) {
	if len(args) > 0 {
		return refuse("tac", strings.Join(args, " "))
	}
	list := inLines(in.all())
	slices.Reverse(list)
	putLines(out, list)
	return 0, nil
}

func toolWc(_ *shell, args []string, in *stream, out *output) (int, error) {
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
