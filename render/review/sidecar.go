package review

import (
	"bytes"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// A version is a file other than the spec as one operation left it.
type version struct {
	file *overlay.File // nil where the operation took the file away
	by   *spec.Origin  // nil for the packaging's own
}

// chains follows every file other than the spec through the operations and
// returns its versions by its last path. A file that comes to a path where
// another one was taken away goes on from that one.
func (v *View) chains() map[string][]version {
	chains := map[string][]version{}
	if v.Result.Report == nil {
		return chains
	}
	chain := func(path string) []version {
		c, ok := chains[path]
		if up := v.Before.Files[path]; !ok && up != nil {
			c = []version{{up, up.Origin}}
		}
		return c[:len(c):len(c)]
	}
	for i := range v.Result.Report.Applied {
		a := &v.Result.Report.Applied[i]
		for _, c := range a.Files {
			switch now := (version{c.After, a.Origin}); c.Change {
			case overlay.FileAdded, overlay.FileModified:
				chains[c.Path] = append(chain(c.Path), now)
			case overlay.FileRenamed:
				chains[c.Path] = append(chain(c.Old), now)
				chains[c.Old] = append(chain(c.Old), version{nil, a.Origin})
			case overlay.FileDeleted:
				chains[c.Path] = append(chain(c.Path), version{nil, a.Origin})
			}
		}
	}
	return chains
}

// versions returns what a rendered file went through, in order. The first is
// the packaging's, unless there was none; the last is the file itself.
func (v *View) versions(f *overlay.File) []version {
	if v.files == nil {
		v.files = v.chains()
	}
	all, ok := v.files[f.Path]
	if up := v.Before.Files[f.Path]; !ok && up != nil {
		all = []version{{up, up.Origin}}
	}
	all = all[:len(all):len(all)]
	o, n := f.Origin, len(all)
	switch {
	case o == nil:
	case n > 0 && all[n-1].file != nil && sameOperation(all[n-1].by, o):
		all = append(all[:n-1:n-1], version{f, o})
	default:
		all = append(all, version{f, o}) // a step of the renderer wrote it
	}
	return all
}

// sameOperation reports whether two origins, which may be nil, are of one
// operation.
func sameOperation(a, b *spec.Origin) bool {
	return a == b || a != nil && b != nil && a.Pos == b.Pos && a.Step == b.Step && a.Index == b.Index
}

// follow follows the lines of a file other than the spec through its versions,
// and returns the edits that were made to them. It is false for a file that is
// no text at the end; versions before that were none have no lines.
func follow(versions []version) (h history, log []spec.Edit, text bool, err error) {
	var was []byte
	for i, ver := range versions {
		var data []byte
		if ver.file != nil {
			if data, err = ver.file.Bytes(); err != nil {
				return h, nil, false, err
			}
		}
		if text = !isBinary(data); !text {
			data = nil
		}
		if i == 0 && ver.by == nil {
			for _, l := range textDiff(data, data, nil) {
				h.old = append(h.old, spec.Line{Text: l.Text, Num: len(h.old) + 1})
			}
		} else if !bytes.Equal(was, data) {
			log = append(log, lineEdits(was, data, ver.by)...)
		}
		was = data
	}
	h.play(log)
	return h, log, text, nil
}

// lineEdits returns the edits that lead from one text to the other. Where as
// many lines came as went, each is taken for the one in its place.
func lineEdits(a, b []byte, by *spec.Origin) []spec.Edit {
	var edits []spec.Edit
	var minus, plus []spec.Line
	at := 0 // lines of the new text passed
	settle := func() {
		switch {
		case len(minus) == len(plus) && len(minus) > 0:
			edits = append(edits, spec.Edit{Index: at, Old: minus, New: plus, Origin: by})
		default:
			if len(minus) > 0 {
				edits = append(edits, spec.Edit{Index: at, Old: minus, Origin: by})
			}
			if len(plus) > 0 {
				edits = append(edits, spec.Edit{Index: at, New: plus, Origin: by})
			}
		}
		at += len(plus)
		minus, plus = nil, nil
	}
	for _, l := range textDiff(a, b, nil) {
		switch l.Op {
		case "-":
			minus = append(minus, spec.Line{Text: l.Text})
		case "+":
			plus = append(plus, spec.Line{Text: l.Text, Origin: by})
		default:
			settle()
			at++
		}
	}
	settle()
	return edits
}

// relabel gives the changed lines of a comparison with the last version the
// causes that h knows. first says that the other side is the first version.
func (h *history) relabel(lines []Line, first bool) {
	changed := map[int]int{} // old line to the new one it became
	for j, was := range h.was {
		if was >= 0 {
			changed[int(was)] = j
		}
	}
	old, new := 0, 0
	for i := range lines {
		l := &lines[i]
		switch l.Op {
		case "-":
			if !first {
				// another file stood there
			} else if by := h.gone[old]; by != nil {
				l.Cause = causeOf(by)
			} else if j, ok := changed[old]; ok && h.new[j].Origin != nil {
				l.Cause, l.Earlier = causeOf(h.new[j].Origin), h.earlier(int32(old))
			}
			old++
		case "+":
			if by := h.new[new].Origin; by != nil {
				l.Cause, l.Earlier = causeOf(by), h.earlier(h.was[new])
			}
			new++
		default:
			old, new = old+1, new+1
		}
	}
}
