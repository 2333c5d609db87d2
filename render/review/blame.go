package review

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// A BlameLine says where one line comes from. A line without Cause is
// upstream's; Cause names the operation that wrote or last changed it.
type BlameLine struct {
	Num      int    `json:"line,omitempty"`     // in the rendered file, 0 for a removed line
	Upstream int    `json:"upstream,omitempty"` // line in upstream's file, 0 for a new line
	Removed  bool   `json:"removed,omitempty"`  // Cause removed it
	Cause    *Cause `json:"cause"`
	Text     string `json:"text"`
}

// A Blame is the lines of one rendered file with their causes.
type Blame struct {
	Component string      `json:"component"`
	Path      string      `json:"path"`
	Commit    string      `json:"commit,omitempty"` // upstream commit
	Lines     []BlameLine `json:"lines"`
}

// Blame attributes every line of the rendered spec. With removed, the lines of
// upstream that are gone stand where they stood.
func (v *View) Blame(removed bool) *Blame {
	out := v.blame(v.Spec())
	v.lines.blame(out, removed)
	return out
}

func (v *View) blame(path string) *Blame {
	return &Blame{Component: v.Result.Component, Path: path, Commit: v.Result.Upstream.Commit, Lines: []BlameLine{}}
}

// blame fills in the lines.
func (h *history) blame(out *Blame, removed bool) {
	next := 0
	minus := func(until int) {
		for ; next < until; next++ {
			if removed && h.gone[next] != nil {
				out.Lines = append(out.Lines, BlameLine{Upstream: next + 1, Removed: true, Cause: causeOf(h.gone[next]), Text: h.old[next].Text})
			}
		}
	}
	for i := range h.new {
		l := &h.new[i]
		b := BlameLine{Num: i + 1, Cause: causeOf(l.Origin), Text: l.Text}
		if was := int(h.was[i]); was >= 0 {
			minus(was)
			next = was + 1
			b.Upstream = was + 1
			if removed && h.old[was].Text != l.Text {
				out.Lines = append(out.Lines, BlameLine{Upstream: was + 1, Removed: true, Cause: b.Cause, Text: h.old[was].Text})
			}
		}
		out.Lines = append(out.Lines, b)
	}
	minus(len(h.old))
}

// BlameFile attributes a rendered file other than the spec, and returns what
// was done to line num of it (from 1), which may be 0 for none. Every operation
// is seen by the file it found and the file it left; lines between which nothing
// stayed as it was are taken for each other when there are equally many. A file
// that is no text has one line, with all that was done to it.
func (v *View) BlameFile(name string, removed bool, num int) (*Blame, []Touch, error) {
	for _, f := range v.Result.Files {
		if f.Path != name {
			continue
		}
		out := v.blame(name)
		versions := v.versions(f)
		h, log, text, err := follow(versions)
		if err != nil {
			return nil, nil, err
		}
		if !text {
			out.Lines = append(out.Lines, BlameLine{Num: 1, Cause: causeOf(f.Origin), Text: "(binary)"})
			var touches []Touch
			for _, ver := range versions {
				if ver.by != nil && ver.file != nil {
					touches = append(touches, Touch{Cause: causeOf(ver.by), New: true, After: "(binary)"})
				}
			}
			return out, touches, nil
		}
		h.blame(out, removed)
		if num < 1 || num > len(h.new) {
			return out, nil, nil
		}
		return out, trail(log, num-1, h.new[num-1].Text), nil
	}
	var names []string
	for _, f := range v.Result.Files {
		names = append(names, f.Path)
	}
	hint := fmt.Sprintf("; it has %s", strings.Join(names[:min(len(names), 10)], ", "))
	if n := diag.Nearest(name, names); n != "" {
		hint = fmt.Sprintf("; did you mean %q?", n)
	}
	return nil, nil, fmt.Errorf("component %s has no rendered file %s%s", v.Result.Component, name, hint)
}

// A Touch is one operation's work on a line: what it said before and after.
type Touch struct {
	Cause  *Cause `json:"cause"`
	Before string `json:"before,omitempty"`
	New    bool   `json:"new,omitempty"` // the operation added the line
	After  string `json:"after"`
}

// Trail returns all operations that worked on line num (from 1) of the
// rendered spec, oldest first.
func (v *View) Trail(num int) []Touch {
	return trail(v.Result.Spec.Log(), num-1, v.Result.Spec.Line(num-1).Text)
}

// trail goes back through the edits of the line that stands at index at now.
func trail(log []spec.Edit, at int, text string) []Touch {
	var out []Touch
	shown, part := text, 0 // what is left of text that was divided since
	for i := len(log) - 1; i >= 0; i-- {
		e := &log[i]
		switch {
		case at < e.Index:
			continue
		case at >= e.Index+len(e.New):
			at += len(e.Old) - len(e.New)
			continue
		}
		k := at - e.Index
		if e.Split {
			at, text, part = e.Index, e.Old[0].Text, k
			continue
		}
		if k >= len(e.Old) || part > 0 {
			out = append(out, Touch{Cause: causeOf(e.Origin), New: true, After: shown})
			break
		}
		if old := e.Old[k].Text; old != text {
			out = append(out, Touch{Cause: causeOf(e.Origin), Before: old, After: shown})
			text, shown = old, old
		}
	}
	slices.Reverse(out)
	return out
}

// Write prints the lines with their causes in front, which are blank where
// the line above has the same.
func (bl *Blame) Write(w io.Writer, s Style) error {
	b := bufio.NewWriter(w)
	wide, name := 0, bl.shortNames()
	for i := range bl.Lines {
		wide = max(wide, len(name(bl.Lines[i].Cause)))
	}
	digits := len(strconv.Itoa(len(bl.Lines)))
	last := ""
	for i := range bl.Lines {
		l := &bl.Lines[i]
		who := name(l.Cause)
		show := who
		if who == last && i > 0 {
			show = ""
		}
		last = who
		num, mark, color := strconv.Itoa(l.Num), " ", ""
		switch {
		case l.Removed:
			num, mark, color = "", "-", red
		case l.Cause != nil && l.Upstream == 0:
			mark, color = "+", green
		case l.Cause != nil:
			mark, color = "~", cyan
		}
		pad := fmt.Sprintf("%-*s", wide, show)
		if l.Cause == nil {
			pad = s.paint(dim, pad)
		} else {
			pad = s.paint(bold, pad)
		}
		line := fmt.Sprintf("%*s %s %s", digits, num, mark, s.show(l.Text))
		fmt.Fprintln(b, strings.TrimRight(pad+" "+s.paint(color, line), " "))
	}
	return b.Flush()
}

// shortNames returns how to name causes in a narrow column: by the base name
// of their file, unless two files have the same.
func (bl *Blame) shortNames() func(*Cause) string {
	files := map[string]string{}
	for i := range bl.Lines {
		if c := bl.Lines[i].Cause; c != nil && c.File != "" {
			base := path.Base(c.File)
			if other, ok := files[base]; ok && other != c.File {
				return (*Cause).String
			}
			files[base] = c.File
		}
	}
	return func(c *Cause) string {
		if c == nil || c.File == "" {
			return c.String()
		}
		short := *c
		short.File = path.Base(c.File)
		return short.String()
	}
}

// WriteLine prints one line and, below it, where it comes from.
func (bl *Blame) WriteLine(w io.Writer, l BlameLine, trail []Touch, s Style) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s %s\n", s.paint(bold, fmt.Sprintf("%s:%d:", bl.Path, l.Num)), s.show(l.Text))
	if l.Upstream > 0 {
		at := ""
		if len(bl.Commit) >= 12 {
			at = " at commit " + bl.Commit[:12]
		}
		fmt.Fprintf(b, "  upstream, line %d%s\n", l.Upstream, at)
	}
	for _, t := range trail {
		fmt.Fprintln(b, "  "+clean(t.Cause.Label()))
		if !t.New {
			fmt.Fprintln(b, "    "+s.paint(red, "- "+s.show(t.Before)))
		}
		fmt.Fprintln(b, "    "+s.paint(green, "+ "+s.show(t.After)))
	}
	if len(trail) == 0 && l.Cause != nil {
		fmt.Fprintln(b, "  "+clean(l.Cause.Label()))
	}
	return b.Flush()
}
