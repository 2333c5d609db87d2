package review

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// A Style says how to print.
type Style struct {
	Color bool
	// Visible shows control characters in caret notation, for a terminal that
	// must not be told what to do by a spec. The output no longer applies then.
	Visible bool
	Prefix  string // put before the paths of a diff, to keep components apart
}

// Colours as terminals know them.
const (
	bold  = "\x1b[1m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
	dim   = "\x1b[2m"
	reset = "\x1b[0m"
)

// show returns a line of a file as it is to be printed.
func (s Style) show(text string) string {
	if !s.Visible || !strings.ContainsFunc(text, isControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !isControl(r):
			b.WriteRune(r)
		case r < ' ':
			b.WriteString("^" + string('@'+r))
		default:
			b.WriteString("^?")
		}
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || 0x7f <= r && r < 0xa0 }

func (s Style) paint(color, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return color + text + reset
}

// Write prints the diff in git's unified format, which patch and git apply
// take. What stands behind the line numbers of a hunk are its causes.
func (d *FileDiff) Write(w io.Writer, s Style) error {
	b := bufio.NewWriter(w)
	old, path := s.Prefix+d.Path, s.Prefix+d.Path
	if d.OldPath != "" {
		old = s.Prefix + d.OldPath
	}
	head := func(format string, args ...any) { fmt.Fprintln(b, s.paint(bold, fmt.Sprintf(format, args...))) }
	head("diff --git %s %s", quote("a/"+old), quote("b/"+path))
	switch {
	case d.Status == Added:
		head("new file mode 100%03o", perm(d.NewMode))
	case d.Status == Deleted:
		head("deleted file mode 100%03o", perm(d.OldMode))
	case perm(d.OldMode) != perm(d.NewMode):
		head("old mode 100%03o", perm(d.OldMode))
		head("new mode 100%03o", perm(d.NewMode))
	}
	if d.Status == Renamed {
		head("rename from %s", quote(old))
		head("rename to %s", quote(path))
	}
	from, to := label("a/"+old), label("b/"+path)
	if d.Status == Added {
		from = "/dev/null"
	}
	if d.Status == Deleted {
		to = "/dev/null"
	}
	if d.Binary {
		fmt.Fprintf(b, "Binary files %s and %s differ\n", strings.TrimSuffix(from, "\t"), strings.TrimSuffix(to, "\t"))
		return b.Flush()
	}
	if len(d.Hunks) > 0 {
		head("--- %s", from)
		head("+++ %s", to)
	}
	for i := range d.Hunks {
		d.Hunks[i].write(b, s)
	}
	return b.Flush()
}

func (h *Hunk) write(b *bufio.Writer, s Style) {
	var causes []string
	for _, c := range h.Causes {
		causes = append(causes, clean(c.Label()))
	}
	b.WriteString(s.paint(cyan, fmt.Sprintf("@@ -%s +%s @@", span(h.OldStart, h.OldLines), span(h.NewStart, h.NewLines))))
	if len(causes) > 0 {
		b.WriteString(" " + s.paint(bold, strings.Join(causes, "; ")))
	}
	b.WriteByte('\n')
	for _, l := range h.Lines {
		text := s.show(l.Text)
		switch l.Op {
		case "+":
			b.WriteString(s.paint(green, "+"+text))
		case "-":
			b.WriteString(s.paint(red, "-"+text))
		default:
			b.WriteString(" " + text)
		}
		b.WriteByte('\n')
		if l.NoEOL {
			b.WriteString("\\ No newline at end of file\n")
		}
	}
}

func span(start, n int) string {
	if n == 1 {
		return strconv.Itoa(start)
	}
	return fmt.Sprintf("%d,%d", start, n)
}

func perm(m fs.FileMode) fs.FileMode {
	if m&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// label is a file name behind --- or +++: a tab ends one with blanks.
func label(name string) string {
	if q := quote(name); q != name {
		return q
	}
	if strings.ContainsRune(name, ' ') {
		return name + "\t"
	}
	return name
}

// quote writes a file name as git does: in C quotes when it has bytes that
// would confuse a line.
func quote(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return name
	}
	return strconv.Quote(name)
}

// clean makes one printable line of text from a configuration.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) || r == '\t' {
			return ' '
		}
		return r
	}, text)
}

// WriteStat prints one line per file with the number of its added and removed
// lines, and below it the causes.
func WriteStat(w io.Writer, files []FileDiff, s Style) error {
	b := bufio.NewWriter(w)
	wide := 0
	for i := range files {
		wide = max(wide, len(files[i].name()))
	}
	added, removed := 0, 0
	for i := range files {
		f := &files[i]
		added, removed = added+f.Added, removed+f.Removed
		what := s.paint(green, fmt.Sprintf("+%d", f.Added)) + " " + s.paint(red, fmt.Sprintf("-%d", f.Removed))
		if f.Binary {
			what = "binary"
		}
		if f.Status != Modified {
			what += "  " + string(f.Status)
		}
		fmt.Fprintf(b, " %-*s | %s\n", wide, f.name(), what)
		for _, c := range f.Causes {
			n, m := f.count(c)
			counts := fmt.Sprintf("+%d -%d", n, m)
			if n+m == 0 && len(f.Hunks) > 0 {
				counts = "(all changed again later)"
			}
			fmt.Fprintf(b, " %*s   %s\n", wide, "", s.paint(dim, counts+"  "+clean(c.Label())))
		}
	}
	fmt.Fprintf(b, " %s changed, %s added, %d removed\n", counted(len(files), "file"), counted(added, "line"), removed)
	return b.Flush()
}

func (d *FileDiff) name() string {
	if d.OldPath != "" {
		return quote(d.OldPath) + " => " + quote(d.Path)
	}
	return quote(d.Path)
}

// count returns the lines that one cause added and removed.
func (d *FileDiff) count(c *Cause) (added, removed int) {
	for i := range d.Hunks {
		for k := range d.Hunks[i].Lines {
			l := &d.Hunks[i].Lines[k]
			if l.Cause == nil || *l.Cause != *c {
				continue
			}
			if l.Op == "+" {
				added++
			} else {
				removed++
			}
		}
	}
	return added, removed
}
