package review

import (
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render/review/semantic"
)

// Semantic compares what upstream's packaging and the rendered one mean. The
// cause of each change is the overlay, or the step of the renderer, that made
// it. It is nil when the component could not be fetched.
//
// Files that only the file filter leaves out are no changes.
func (v *View) Semantic(opt semantic.Options) (*semantic.Diff, error) {
	if v.Before.Spec == nil || v.Result.Spec == nil {
		return nil, nil
	}
	res := v.Result
	gone := map[string]*spec.Origin{}
	if res.Report != nil {
		for _, r := range res.Report.Removed {
			gone[r.Path] = r.By
		}
	}
	after := map[string]*overlay.File{}
	for _, f := range res.Files {
		after[f.Path] = f
	}
	before := map[string]*overlay.File{}
	for p, f := range v.Before.Files {
		if after[p] != nil || gone[p] != nil {
			before[p] = f
		}
	}
	name := v.Spec()
	old := semantic.Packaging{Name: name, Spec: v.Before.Spec.Bytes()}
	new := semantic.Packaging{Name: name, Spec: res.Text()}
	var err error
	if old.FS, old.Files, err = packagingFiles(before, v.UpstreamSpec()); err != nil {
		return nil, err
	}
	if new.FS, new.Files, err = packagingFiles(after, name); err != nil {
		return nil, err
	}
	opt.Config.Set = res.Macros
	opt.Cause = v.causeOfLines()
	opt.FileCause = func(path string) string {
		if f := after[path]; f != nil && f.Origin != nil {
			return causeOf(f.Origin).Label()
		}
		if o := gone[path]; o != nil {
			return causeOf(o).Label()
		}
		return ""
	}
	return semantic.Compare(old, new, opt), nil
}

// causeOfLines returns what names the cause of a line that differs.
func (v *View) causeOfLines() func(old, new int) string {
	return func(old, new int) string {
		h := &v.lines
		if new > 0 && new <= len(h.new) {
			if o := h.new[new-1].Origin; o != nil {
				return causeOf(o).Label()
			}
		}
		if old > 0 && old <= len(h.old) {
			if o := h.gone[old-1]; o != nil {
				return causeOf(o).Label()
			}
			for i := range h.new { // replaced in place
				if int(h.was[i]) == old-1 && h.new[i].Origin != nil {
					return causeOf(h.new[i].Origin).Label()
				}
			}
		}
		return ""
	}
}

// packagingFiles returns files as an evaluation reads them, and their digests.
func packagingFiles(files map[string]*overlay.File, specName string) (semantic.Tree, map[string]string, error) {
	tree, digests := semantic.Tree{}, map[string]string{}
	for p, f := range files {
		if p == specName {
			continue
		}
		b, err := f.Bytes()
		if err != nil {
			return nil, nil, err
		}
		tree[p] = f.Bytes
		digests[p] = semantic.Digest(b)
	}
	return tree, digests, nil
}

// CauseOfLine names the cause of a line of the rendered spec, from 1, "" for
// upstream's own.
func (v *View) CauseOfLine(line int) string {
	if line < 1 || line > len(v.lines.new) || v.lines.new[line-1].Origin == nil {
		return ""
	}
	return causeOf(v.lines.new[line-1].Origin).Label()
}

// CauseOfFile names the cause of a rendered file beside the spec, "" for
// upstream's own.
func (v *View) CauseOfFile(path string) string {
	for _, f := range v.Result.Files {
		if f.Path == path && f.Origin != nil {
			return causeOf(f.Origin).Label()
		}
	}
	return ""
}
