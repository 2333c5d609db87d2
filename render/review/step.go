package review

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
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
	Same   int        `json:"unchangedPlaces,omitempty"` // places that match but read as wanted already
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
func (v *View) Steps() ([]Step, error) { return v.steps(func(int) bool { return true }) }

// Step returns what overlay number index of the component did, from 0, nil when
// it was not applied. It costs a fraction of Steps.
func (v *View) Step(index int) (*Step, error) {
	steps, err := v.steps(func(i int) bool { return i == index })
	for i := range steps {
		if steps[i].Cause.Index == index {
			return &steps[i], err
		}
	}
	return nil, err
}

// steps returns the operations that are wanted, by their index among the
// overlays; the one that failed is always there.
func (v *View) steps(wanted func(index int) bool) ([]Step, error) {
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
		if c := causeOf(a.Origin); c == nil || !wanted(c.Index) {
			continue
		}
		s := Step{Num: i + 1, Cause: causeOf(a.Origin), Places: a.Places, Same: a.Unchanged, Status: Applied, Files: []FileDiff{}}
		if a.Skipped {
			s.Status = Skipped
		}
		if a.To > a.From {
			before := history{old: lines.old}
			before.play(log[at:a.From])
			lines = history{old: before.new}
			lines.play(log[a.From:a.To])
			at = a.To
			d := FileDiff{Path: v.Spec(), Status: Modified, OldMode: res.Upstream.Mode, NewMode: res.Upstream.Mode}
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
			if ok, err := d.files(c.Before, c.After, a.Origin, nil); err != nil {
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
		s := Step{Num: len(res.Report.Applied) + 1, Status: Failed, Files: []FileDiff{}, Cause: causeOf(op.Origin(f)), Diags: about(res.Diags, op)}
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

// Without returns the view with those diagnostics only that no given step has.
func (v *View) Without(steps []Step) *View {
	res := *v.Result
	res.Diags = nil
	for _, d := range v.Result.Diags {
		if !slices.ContainsFunc(steps, func(s Step) bool {
			return slices.ContainsFunc(s.Diags, func(x diag.Diagnostic) bool {
				return x.Pos == d.Pos && x.Code == d.Code && x.Message == d.Message
			})
		}) {
			res.Diags = append(res.Diags, d)
		}
	}
	out := *v
	out.Result = &res
	return &out
}

// WriteTree writes the spec and the other files as the first n steps leave
// them into a directory that is empty or does not exist.
func (v *View) WriteTree(dir string, n int) error {
	if v.Before.Spec == nil {
		return errors.New("there is nothing to write")
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return &diag.Diagnostic{Code: "render/output-unsafe", Message: fmt.Sprintf("output directory %s is not empty", dir),
			Hint: "choose another one with -o"}
	}
	files := map[string]*overlay.File{}
	for p, f := range v.Before.Files {
		files[p] = f
	}
	h := history{old: v.lines.old, new: v.lines.old}
	applied := v.Result.Report.Applied
	for i := range applied[:min(n, len(applied))] {
		a := &applied[i]
		if a.To > 0 {
			h = history{old: v.lines.old}
			h.play(v.Result.Spec.Log()[:a.To])
		}
		for _, c := range a.Files {
			if c.Change == overlay.FileRenamed {
				delete(files, c.Old)
			}
			if files[c.Path] = c.After; c.After == nil {
				delete(files, c.Path)
			}
		}
	}
	var text strings.Builder
	for i := range h.new {
		text.WriteString(h.new[i].Text)
		text.WriteByte('\n')
	}
	files[v.Spec()] = overlay.NewFile(v.Spec(), 0o644, []byte(text.String()), nil)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, p := range slices.Sorted(maps.Keys(files)) {
		data, err := files[p].Bytes()
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		if err := root.MkdirAll(path.Dir(p), 0o777); err != nil {
			return err
		}
		if err := root.WriteFile(p, data, perm(files[p].Mode)); err != nil {
			return err
		}
	}
	return nil
}

// about returns the diagnostics that stand at one of the operation's keys.
func about(l diag.List, op *overlay.Op) diag.List {
	var out diag.List
	for _, d := range l {
		if d.Pos.Filename == "" || op.Step != "" {
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
		if st.Same > 0 {
			what += fmt.Sprintf(", %d unchanged", st.Same)
		}
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
