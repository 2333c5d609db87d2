package rebase

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/patch"
)

// file judges an overlay on files.
func (x *exchange) file(o *Overlay) {
	switch x.op.Type {
	case overlay.FileAdd:
		x.fileAdd(o)
	case overlay.FileRename:
		x.fileRename(o)
	case overlay.FileRemove:
		x.fileRemove(o)
	default:
		x.fileChange(o)
	}
}

// touched returns the paths of files that an operation changed, with their
// contents before and after.
func touched(rep *overlay.OpReport) map[string]overlay.FileChange {
	m := map[string]overlay.FileChange{}
	for _, c := range rep.Files {
		m[c.Path] = c
	}
	return m
}

func sameBytes(a, b *overlay.File) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, err1 := a.Bytes()
	y, err2 := b.Bytes()
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func filePlace(p, side, change string) Place { return Place{File: p, Side: side, Change: change} }

func (x *exchange) fileAdd(o *Overlay) {
	p := path.Clean(x.op.File)
	switch {
	case sameBytes(x.b1.Files[p], x.a2.Files[p]):
		o.Verdict, o.Reason = Landed, "upstream has the same file"
		o.Places = append(o.Places, filePlace(p, "new", "landed"))
	case x.b2 == nil:
		o.Verdict, o.Reason = Broken, x.why()
		o.Places = append(o.Places, filePlace(p, "new", "candidate"))
		x.fileThreeWay(o, p)
	default:
		o.Verdict = Clean
		o.Places = append(o.Places, filePlace(p, "new", "same"))
		for _, q := range slices.Sorted(maps.Keys(x.b1.Files)) {
			if x.a1.Files[q] == nil && x.b1.Files[q].Size() > 0 && sameBytes(x.b1.Files[q], x.a2.Files[p]) {
				o.Verdict, o.Reason = Landed, "upstream has the same file as "+q
				o.Places = []Place{filePlace(q, "new", "landed")}
			}
		}
	}
}

func (x *exchange) fileRename(o *Overlay) {
	c := x.repA.Files[0]
	switch now := x.b1.Files[c.Path]; {
	case x.b2 != nil:
		o.Verdict = Clean
		if d := x.repB.Files[0]; d.Old != c.Old {
			o.Verdict, o.Reason = Moved, fmt.Sprintf("the file is now %s, before %s", d.Old, c.Old)
		}
		o.Places = append(o.Places, filePlace(x.repB.Files[0].Old, "new", "same"))
	case now != nil && x.b1.Files[c.Old] == nil:
		o.Verdict, o.Reason = Landed, fmt.Sprintf("upstream's file has the name %s", c.Path)
		o.Places = append(o.Places, filePlace(c.Path, "new", "landed"))
	case x.b1.Files[c.Old] == nil:
		o.Verdict, o.Reason = Obsolete, fmt.Sprintf("upstream has no file %s any more", c.Old)
		o.Places = append(o.Places, filePlace(c.Old, "old", "gone"))
	default:
		o.Verdict, o.Reason = Broken, x.why()
		o.Places = append(o.Places, filePlace(c.Path, "new", "candidate"))
	}
}

// sets judges an operation by the files that it touches on both upstreams.
func (x *exchange) sets(o *Overlay) (same, gone, added []string) {
	a, b := touched(&x.repA), touched(&x.repB)
	for _, p := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[p]; ok {
			same = append(same, p)
			o.Places = append(o.Places, filePlace(p, "new", "same"))
		} else {
			gone = append(gone, p)
			o.Places = append(o.Places, filePlace(p, "old", "gone"))
		}
	}
	for _, p := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[p]; !ok {
			added = append(added, p)
			o.Places = append(o.Places, filePlace(p, "new", "added"))
		}
	}
	switch {
	case len(added) > 0:
		o.Verdict, o.Reason = Widened, fmt.Sprintf("matches %s, which it did not match before", strings.Join(added, ", "))
	case len(gone) > 0:
		o.Verdict, o.Reason = Narrowed, fmt.Sprintf("no longer matches %s", strings.Join(gone, ", "))
	default:
		o.Verdict = Clean
	}
	return same, gone, added
}

func (x *exchange) fileRemove(o *Overlay) {
	if x.b2 == nil {
		for _, c := range x.repA.Files {
			o.Places = append(o.Places, filePlace(c.Path, "old", "landed"))
		}
		o.Verdict, o.Reason = Landed, "upstream has removed the file, too"
		return
	}
	x.sets(o)
}

// fileChange judges an overlay that changes the content of files.
func (x *exchange) fileChange(o *Overlay) {
	landed, gone := 0, 0
	changed := map[string]string{}
	for _, c := range x.repA.Files {
		now := x.b1.Files[c.Path]
		if now == nil {
			gone++
			continue
		}
		was, err1 := c.Before.Bytes()
		then, err2 := c.After.Bytes()
		is, err3 := now.Bytes()
		if err1 != nil || err2 != nil || err3 != nil {
			continue
		}
		if !bytes.Equal(was, is) {
			changed[c.Path] = "the file's text changed"
		}
		if hasEdit(string(was), string(then), string(is)) {
			landed++
			o.Places = append(o.Places, filePlace(c.Path, "new", "landed"))
		}
	}
	n := len(x.repA.Files)
	switch {
	case landed == n:
		o.Verdict, o.Reason = Landed, "upstream has made the same change"
		return
	case gone == n:
		o.Verdict, o.Reason = Obsolete, "upstream no longer has the file"
		for _, c := range x.repA.Files {
			o.Places = append(o.Places, filePlace(c.Path, "old", "gone"))
			for _, q := range slices.Sorted(maps.Keys(x.b1.Files)) {
				if x.a1.Files[q] == nil && sameBytes(x.b1.Files[q], c.Before) {
					o.Verdict, o.Reason = Broken, fmt.Sprintf("the file is now %s", q)
					o.Places = append(o.Places, filePlace(q, "new", "candidate"))
					op := *x.op
					op.File = q
					if n == 1 {
						x.variants = append(x.variants, op)
						x.wanted = x.b1 // the spec stays as it is
					}
				}
			}
		}
		return
	case x.b2 == nil:
		x.fileFails(o)
		return
	}
	o.Places = nil
	_, _, added := x.sets(o)
	if o.Places == nil {
		o.Places = []Place{}
	}
	a, b := touched(&x.repA), touched(&x.repB)
	more, fewer := 0, 0
	for p, c := range a {
		if d, ok := b[p]; ok {
			more += max(d.Matches-c.Matches, 0)
			fewer += max(c.Matches-d.Matches, 0)
		}
	}
	switch {
	case more > 0:
		o.Verdict = Widened
		o.Reason = fmt.Sprintf("replaces %s that it did not replace before", counted(more, "match", "matches"))
	case landed > 0 && len(added) == 0:
		o.Verdict = Widened
		o.Reason = "would make a change again that upstream has made"
	case o.Verdict == Clean && fewer > 0:
		o.Verdict = Narrowed
		o.Reason = fmt.Sprintf("replaces %s fewer than before", counted(fewer, "match", "matches"))
	case o.Verdict == Clean && len(changed) > 0:
		o.Verdict, o.Reason = Moved, changed[slices.Sorted(maps.Keys(changed))[0]]
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// hasEdit reports whether the way from was to is leads over then.
func hasEdit(was, then, is string) bool {
	a, m, b := strings.Split(was, "\n"), strings.Split(then, "\n"), strings.Split(is, "\n")
	own := size(absorb.Lines(a, m))
	all := size(absorb.Lines(a, b))
	return own > 0 && own <= all && own+size(absorb.Lines(m, b)) <= all
}

// fileFails judges an expression that no longer matches in its files.
func (x *exchange) fileFails(o *Overlay) {
	o.Verdict, o.Reason = Obsolete, "what it changes is gone: "+x.why()
	for _, c := range x.repA.Files {
		was, _ := c.Before.Bytes()
		then, _ := c.After.Bytes()
		o.Places = append(o.Places, filePlace(c.Path, "old", "gone"))
		now := x.b1.Files[c.Path]
		if now == nil {
			continue
		}
		is, _ := now.Bytes()
		a, b := strings.Split(string(was), "\n"), strings.Split(string(is), "\n")
		for _, h := range absorb.Lines(a, strings.Split(string(then), "\n")) {
			for i := h.OldStart; i < h.OldEnd; i++ {
				best, at := 0.5, -1
				for k, l := range b {
					if s := alike(a[i], l); s > best && !slices.Contains(a, l) {
						best, at = s, k
					}
				}
				if at >= 0 {
					o.Verdict, o.Reason = Broken, x.why()
					o.Places = append(o.Places, Place{File: c.Path, Line: at + 1, Text: b[at], Side: "new", Change: "candidate"})
				}
			}
		}
		if o.Verdict == Broken && o.ThreeWay == nil {
			x.fileThreeWay(o, c.Path)
		}
	}
}

// fileThreeWay shows the places of a file that differ.
func (x *exchange) fileThreeWay(o *Overlay, p string) {
	text := func(t *overlay.Tree) []string {
		f := t.Files[p]
		if f == nil || f.Size() > 1<<20 {
			return nil
		}
		data, err := f.Bytes()
		if err != nil {
			return nil
		}
		return clip(strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), 12)
	}
	o.ThreeWay = &ThreeWay{Old: text(x.a1), Rendered: text(x.a2), New: text(x.b1)}
}

// patchAdd judges an overlay that adds a patch.
func (x *exchange) patchAdd(o *Overlay) {
	c := x.repA.Files[0]
	data, err := c.After.Bytes()
	if err != nil {
		o.Verdict, o.Reason = Broken, err.Error()
		return
	}
	if now := x.b1.Files[c.Path]; now != nil {
		o.Places = append(o.Places, filePlace(c.Path, "new", "landed"))
		if sameBytes(now, c.After) || sameID(now, data) {
			o.Verdict, o.Reason = Landed, "upstream carries the same patch"
			return
		}
		o.Places[0].Change = "candidate"
		o.Verdict, o.Reason = Broken, x.why()
		x.fileThreeWay(o, c.Path)
		return
	}
	id := patch.ID(data)
	for _, p := range slices.Sorted(maps.Keys(x.b1.Files)) {
		if f := x.b1.Files[p]; id != "" && sameID(f, data) && !(x.a1.Files[p] != nil && sameID(x.a1.Files[p], data)) {
			o.Verdict, o.Reason = Landed, fmt.Sprintf("upstream's %s makes the same change", p)
			o.Places = append(o.Places, filePlace(p, "new", "landed"))
			return
		}
	}
	if id != "" && x.opt.PatchIDs != nil {
		if where, ok := x.opt.PatchIDs()[id]; ok {
			o.Verdict, o.Reason = Landed, "upstream carried the same patch, "+where+", and has dropped it since"
			o.Places = append(o.Places, filePlace(c.Path, "old", "landed"))
			return
		}
	}
	if x.b2 == nil {
		x.fails(o)
	} else {
		x.pair(o)
	}
	x.holdPatch(o, c.Path, data)
}

// patchRemove judges an overlay that removes a patch.
func (x *exchange) patchRemove(o *Overlay) {
	if x.b2 == nil {
		left := false
		for _, c := range x.repA.Files {
			left = left || x.b1.Files[c.Path] != nil
			o.Places = append(o.Places, filePlace(c.Path, "old", "landed"))
		}
		if left {
			o.Verdict, o.Reason = Broken, x.why()
			x.threeWay(o)
			return
		}
		o.Verdict, o.Reason = Landed, "upstream has removed the patch, too"
		return
	}
	_, gone, added := x.sets(o)
	if len(gone) == 0 && len(added) == 0 {
		o.Places = []Place{}
		x.pair(o)
	}
}

func sameID(f *overlay.File, data []byte) bool {
	if f.Size() > 16<<20 {
		return false
	}
	other, err := f.Bytes()
	if err != nil {
		return false
	}
	id := patch.ID(data)
	return id != "" && id == patch.ID(other)
}
