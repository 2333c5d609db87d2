package rebase

import (
	"bytes"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// An OverlayFile is a file of overlays for a spec that belongs to no project.
type OverlayFile struct {
	Name string
	Ops  []overlay.Op
	data []byte
}

// ParseOverlayFile reads a file of overlays, which have no errors then.
func ParseOverlayFile(name string, data []byte) (*OverlayFile, error) {
	ops, problems := components.ParseOverlays(name, data)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &OverlayFile{name, ops, data}, nil
}

// NeedsFiles reports whether an overlay is about the files beside the spec.
func (f *OverlayFile) NeedsFiles() bool {
	return slices.ContainsFunc(f.Ops, func(op overlay.Op) bool { return !strings.HasPrefix(string(op.Type), "spec-") })
}

// Rebase compares the overlays on the old packaging and on the new one. The outcome
// has the names of both specs' files in the place of commits, and is judged.
func (f *OverlayFile) Rebase(old, new *overlay.Tree, opt Options) (*Outcome, error) {
	found, err := Compare(old, new, f.Ops, opt)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Component: old.Name, From: old.Spec.Name(), To: new.Spec.Name(), Overlays: []OverlayOutcome{},
		Result: &Component{Comparison: found, Name: old.Name, FromVersion: VersionOf(old.Spec), ToVersion: VersionOf(new.Spec)}}
	for i := range found.Overlays {
		o := &found.Overlays[i]
		said := sayOverlay(o)
		if o.Proposed {
			after, err := f.with([]Overlay{*o})
			if err != nil {
				return nil, err
			}
			said.Proposal = string(diff.Diff("a/"+f.Name, f.data, "b/"+f.Name, after))
		}
		out.Overlays = append(out.Overlays, said)
	}
	out.Status = statusOf(found.Worst(), found.settled())
	return out, nil
}

// with returns the text of the file with proposals taken.
func (f *OverlayFile) with(list []Overlay) ([]byte, error) {
	e, problems := edit.Edit(f.Name, f.data)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for i := range list {
		if o := &list[i]; o.Proposed {
			if err := e.ReplaceOverlayAt(o.Op.Pos, o.Op, o.Proposal); err != nil {
				return nil, err
			}
		}
	}
	return e.Bytes(), nil
}

// Write writes the file with the proposals of an outcome taken, unless somebody has
// edited it since it was read.
func (f *OverlayFile) Write(out *Outcome) error {
	after, err := f.with(out.Result.Overlays)
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(f.Name); err != nil || !bytes.Equal(now, f.data) {
		return &diag.Diagnostic{Code: "rebase/changed", Message: f.Name + " has changed on disk meanwhile; it was not touched", Hint: "run the command again"}
	}
	return edit.WriteFile(f.Name, after)
}
