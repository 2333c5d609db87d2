package rebase

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strings"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render"
)

// A HandEdit is a component as its overlays leave it, and as they would have to
// leave it for its rendering to be what somebody made of it by hand.
type HandEdit struct {
	Before, After *overlay.Tree
	// Rendered are the files in the rendered tree, as edited.
	Rendered map[string][]byte
	// Problems are edits that no overlay can make, as the renderer itself
	// writes those lines or files.
	Problems diag.List
}

// OpenHandEdit compares the rendered directory of a component with what its
// configuration renders.
func OpenHandEdit(ctx context.Context, r *render.Renderer, c *components.Component, dir string) (*HandEdit, error) {
	return OpenUnsavedEdit(ctx, r, c, dir, nil)
}

// OpenUnsavedEdit is OpenHandEdit with the text that an editor has of some of
// the files, by name below the directory.
func OpenUnsavedEdit(ctx context.Context, r *render.Renderer, c *components.Component, dir string, unsaved map[string][]byte) (*HandEdit, error) {
	res := r.RenderComponent(ctx, c)
	if res.Failed() {
		return nil, res.Diags.Err()
	}
	found, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, unsaved)
	name := c.Name + ".spec"
	edited, ok := found[name]
	if !ok {
		return nil, &diag.Diagnostic{Code: "absorb/no-edit", Component: c.Name, Message: fmt.Sprintf("%s has no %s", dir, name),
			Hint: fmt.Sprintf("`specgraft render %s` writes it; edit it there", c.Name)}
	}
	h := &HandEdit{Rendered: found}
	if h.After, err = h.unrender(res, edited, path.Join(dir, name)); err != nil {
		return nil, err
	}
	return h, h.files(res, found)
}

// readDir reads the regular files of a directory, in memory.
func readDir(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	return files, eachFile(dir, func(root *os.Root, p string, _ fs.DirEntry) (err error) {
		files[p], err = root.ReadFile(p)
		return err
	})
}

// eachFile calls f for the regular files of a directory, but those of git, in the
// order of their paths.
func eachFile(dir string, f func(root *os.Root, path string, e fs.DirEntry) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == ".git":
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		}
		return f(root, p, e)
	})
}

// owned is what a rendered line is when it is no line of the spec as the
// overlays left it.
const owned = -1

// unrender carries the edits of the rendered spec over to the spec as the
// overlays left it.
func (h *HandEdit) unrender(res *render.Result, edited []byte, file string) (*overlay.Tree, error) {
	log := res.Spec.Log()
	cut := 0 // edits of the log up to the last overlay
	for i := range res.Report.Applied {
		if a := &res.Report.Applied[i]; a.Index < len(res.Ops) && (res.Ops[a.Index].Step == "" || strings.HasPrefix(res.Ops[a.Index].Step, "macros-")) {
			cut = max(cut, a.To)
		}
	}
	original := spec.Parse(res.Component+".spec", res.Upstream.Pristine)
	texts := make([]string, original.Len())
	for i := range texts {
		texts[i] = original.Line(i).Text
	}
	newTexts := func(e *spec.Edit, _ []string) []string {
		lines := make([]string, len(e.New))
		for i := range e.New {
			lines[i] = e.New[i].Text
		}
		return lines
	}
	texts = spec.Replay(texts, log[:cut], newTexts)
	ids := make([]int, len(texts))
	for i := range ids {
		ids[i] = i
	}
	ids = spec.Replay(ids, log[cut:], func(e *spec.Edit, old []int) []int {
		lines := make([]int, len(e.New))
		for i := range e.New {
			lines[i] = owned
			if i < len(e.Old) && e.Old[i].Text == e.New[i].Text {
				lines[i] = old[i]
			}
		}
		return lines
	})
	rendered := spec.Parse("", res.Text())
	if rendered.Len() != len(ids) {
		return nil, &diag.Diagnostic{Code: "absorb/no-edit", Component: res.Component, Message: "the rendered spec has lines that cannot be traced"}
	}
	h.Before = &overlay.Tree{Name: res.Component, Spec: parseLines(res.Component+".spec", texts), Files: map[string]*overlay.File{}}
	after := spec.Parse(file, edited)
	now := linesOf(after)
	var out []string
	next := 0 // first line of texts that is not in out yet
	for _, k := range absorb.Lines(linesOf(rendered), now) {
		at, end, ok := place(ids, k, next)
		if !ok {
			d := h.Problems.Add(after.Pos(min(k.NewStart, max(after.Len()-1, 0))), "absorb/rendered-line", "this is written by the renderer, not by upstream or an overlay")
			d.Component = res.Component
			if o := res.Spec.Line(min(k.OldStart, res.Spec.Len()-1)).Origin; o != nil {
				d.Message = fmt.Sprintf("this is written by the renderer's step %q, not by upstream or an overlay", o.Step)
				if o.Pos.Line > 0 {
					d.Related = append(d.Related, diag.Related{Pos: o.Pos, Message: "it is configured here"})
				}
			}
			d.Hint = "take the edit back, and change the configuration: see `specgraft blame`"
			continue
		}
		out = append(out, texts[next:at]...)
		out = append(out, now[k.NewStart:k.NewEnd]...)
		next = end
	}
	out = append(out, texts[next:]...)
	return &overlay.Tree{Name: res.Component, Spec: parseLines(file, out), Files: map[string]*overlay.File{}}, nil
}

// place returns the range of lines that an edit of rendered lines is about.
func place(ids []int, k absorb.Hunk, next int) (at, end int, ok bool) {
	if k.OldStart < k.OldEnd {
		for i := k.OldStart; i < k.OldEnd; i++ {
			if ids[i] == owned || i > k.OldStart && ids[i] != ids[i-1]+1 {
				return 0, 0, false
			}
		}
		return ids[k.OldStart], ids[k.OldEnd-1] + 1, ids[k.OldStart] >= next
	}
	switch {
	case k.OldStart > 0 && ids[k.OldStart-1] != owned:
		at = ids[k.OldStart-1] + 1
	case k.OldStart < len(ids) && ids[k.OldStart] != owned:
		at = ids[k.OldStart]
	default:
		return 0, 0, false
	}
	return at, at, at >= next
}

// files puts the other files into both trees.
func (h *HandEdit) files(res *render.Result, found map[string][]byte) error {
	name := res.Component + ".spec"
	rendered := map[string]bool{}
	for _, f := range res.Files {
		if f.Path == name {
			continue
		}
		rendered[f.Path] = true
		h.Before.Files[f.Path] = f
		data, ok := found[f.Path]
		if !ok {
			continue
		}
		was, err := f.Bytes()
		if err != nil {
			return err
		}
		switch {
		case string(was) == string(data):
			h.After.Files[f.Path] = f
		case f.Origin != nil && (f.Origin.Step == "macros-file" || f.Origin.Step == "sources"):
			d := h.Problems.Add(f.Origin.Pos, "absorb/rendered-line", "%s is written by the renderer, as is configured here", f.Path)
			d.Component, d.Hint = res.Component, "take the edit back, and change the configuration"
			h.After.Files[f.Path] = f
		default:
			h.After.Files[f.Path] = overlay.NewFile(f.Path, f.Mode, data, nil)
		}
	}
	for p, data := range found {
		if !rendered[p] && p != name {
			h.After.Files[p] = overlay.NewFile(p, 0o644, data, nil)
		}
	}
	return nil
}

// Proves renders the component with more overlays and says how the result
// differs from the edited files; nil when it does not.
func (h *HandEdit) Proves(ctx context.Context, r *render.Renderer, c *components.Component, ops []overlay.Op) error {
	with := *c
	with.Overlays = append(with.Overlays[:len(with.Overlays):len(with.Overlays)], ops...)
	res := r.RenderComponent(ctx, &with)
	if res.Failed() {
		return res.Diags.Err()
	}
	differs := func(p string) error {
		d := &diag.Diagnostic{Code: "absorb/incomplete", Component: c.Name, Message: fmt.Sprintf("rendered with these overlays, %s would not be as it was edited", p)}
		if len(with.Overlays) > len(ops) || res.Autospec != nil {
			d.Hint = "the edit may change what the release number or the changelog is computed from"
		}
		return d
	}
	got := map[string]bool{}
	for _, f := range res.Files {
		data, err := f.Bytes()
		if err != nil {
			return err
		}
		want, ok := h.Rendered[f.Path]
		if !ok && f.Origin == nil {
			continue // the spec as edited makes the file filter keep it
		}
		if !ok || string(want) != string(data) {
			return differs(f.Path)
		}
		got[f.Path] = true
	}
	for p := range h.Rendered {
		if !got[p] {
			return differs(p)
		}
	}
	return nil
}

func linesOf(f *spec.File) []string {
	lines := make([]string, f.Len())
	for i := range lines {
		lines[i] = f.Line(i).Text
	}
	return lines
}

func parseLines(name string, lines []string) *spec.File {
	return spec.Parse(name, []byte(strings.Join(append(lines, ""), "\n")))
}
