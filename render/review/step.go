package review

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// A Step is one operation by itself: what it did to the tree as the operations
// before it had left it.
type Step struct {
	Num    int        `json:"step"` // from 1, among all operations, the renderer's own included
	Cause  *Cause     `json:"cause"`
	Places int        `json:"places"`
	Status StepStatus `json:"status"`
	Files  []FileDiff `json:"files"`
	Diags  diag.List  `json:"diagnostics,omitempty"` // what was said about it
}

// A StepStatus says whether an operation was applied.
type StepStatus string

// The statuses.
const (
	Applied StepStatus = "applied"
	Skipped StepStatus = "skipped" // works in an archive, which rendering does not have
	Failed  StepStatus = "failed"
)

// Steps returns the operations in order of application. The last one is the
// one that failed, if any did.
func (v *View) Steps() ([]Step, error) {
	res := v.Result
	if res.Report == nil || v.Before.Spec == nil {
		return nil, nil
	}
	log := res.Spec.Log()
	lines := history{old: v.lines.old}
	at := 0
	var out []Step
	for i := range res.Report.Applied {
		a := &res.Report.Applied[i]
		s := Step{Num: i + 1, Cause: CauseOf(a.Origin), Places: a.Places, Status: Applied, Files: []FileDiff{}}
		if a.Skipped {
			s.Status = Skipped
		}
		if a.To > a.From {
			before := history{old: lines.old}
			before.play(log[at:a.From])
			lines = history{old: before.new}
			lines.play(log[a.From:a.To])
			at = a.To
			d := FileDiff{Path: res.Spec.Name(), Status: Modified, OldMode: res.Upstream.Mode, NewMode: res.Upstream.Mode}
			if d.hunks(lines.diff(false)); len(d.Hunks) > 0 {
				s.Files = append(s.Files, d)
			}
			lines = history{old: lines.new}
		}
		for _, c := range a.Files {
			d := FileDiff{Path: c.Path, Status: Modified}
			if c.Change == overlay.FileRenamed {
				d.Status, d.OldPath = Renamed, c.Old
			}
			if ok, err := d.files(c.Before, c.After, a.Origin); err != nil {
				return nil, err
			} else if ok {
				s.Files = append(s.Files, d)
			}
		}
		if a.Index < len(res.Ops) {
			s.Diags = about(res.Diags, &res.Ops[a.Index])
		}
		out = append(out, s)
	}
	if f := res.Report.Failed; f >= 0 && f < len(res.Ops) {
		op := &res.Ops[f]
		s := Step{Num: len(out) + 1, Status: Failed, Files: []FileDiff{}, Cause: CauseOf(op.Origin(f)), Diags: about(res.Diags, op)}
		s.Cause.Index = f - v.loads()
		out = append(out, s)
	}
	return out, nil
}

// loads returns how many steps of the renderer stand before the overlays.
func (v *View) loads() int {
	n := 0
	for n < len(v.Result.Ops) && v.Result.Ops[n].Step != "" {
		n++
	}
	return n
}

// about returns the diagnostics that stand at one of the operation's keys.
func about(l diag.List, op *overlay.Op) diag.List {
	var out diag.List
	for _, d := range l {
		if d.Pos.Line == 0 || op.Step != "" {
			continue
		}
		mine := d.Pos == op.Pos
		for _, p := range op.KeyPos {
			mine = mine || d.Pos == p
		}
		if mine {
			out = append(out, d)
		}
	}
	return out
}

// Write prints the headline of the step and its diffs.
func (st *Step) Write(w io.Writer, s Style, total int) error {
	b := bufio.NewWriter(w)
	what := string(st.Status)
	if st.Status == Applied {
		what = counted(st.Places, "place")
		if len(st.Files) == 0 {
			what = "no change"
		}
	}
	color := bold
	if st.Status == Failed {
		color = red
	}
	fmt.Fprintln(b, s.paint(color, fmt.Sprintf("== %d/%d %s (%s)", st.Num, total, st.Cause.String(), what)))
	if d := strings.TrimSpace(st.Cause.Description); d != "" {
		for line := range strings.SplitSeq(d, "\n") {
			fmt.Fprintln(b, s.paint(dim, "   "+clean(line)))
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	for i := range st.Files {
		d := st.Files[i]
		// The headline has said whose they are.
		d.Hunks = append([]Hunk(nil), d.Hunks...)
		for k := range d.Hunks {
			d.Hunks[k].Causes = nil
		}
		if err := d.Write(w, s); err != nil {
			return err
		}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
