package render

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"specgraft/fedora/autospec"
	"specgraft/fedora/distgit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// ExportHistory writes the git history that a component's release and changelog
// are computed from as a real repository: upstream's commits interleaved
// with the component's own changes, the last of which carries the packaging with all
// overlays. dir must not exist or be empty. Rendering needs no such
// repository; it is for looking at, and for tools that want one.
func (r *Renderer) ExportHistory(ctx context.Context, name, dir string) error {
	res := r.Render(ctx, name)
	if err := res.Diags.Err(); err != nil {
		return err
	}
	text := res.staged
	if text == nil {
		text = res.Text()
	}
	tree := &overlay.Tree{Name: name, Spec: spec.Parse(name+".spec", text), Files: map[string]*overlay.File{}}
	// A history has what the render filters out.
	rest := slices.DeleteFunc(slices.Clone(res.dropped), func(f *overlay.File) bool { return gitOwn(f.Path) })
	all := slices.Concat(res.Files, rest)
	slices.SortFunc(all, func(a, b *overlay.File) int { return strings.Compare(a.Path, b.Path) })
	var files []autospec.File
	for _, f := range all {
		data := text
		if f.Path != name+".spec" {
			var err error
			if data, err = f.Bytes(); err != nil {
				return err
			}
			tree.Files[f.Path] = f
		}
		files = append(files, autospec.File{Path: f.Path, Data: data, Executable: f.Mode&0o100 != 0})
	}
	graph, done, err := r.graph(ctx, res, tree, text)
	if err != nil {
		return err
	}
	defer done()
	var repo *distgit.Repo
	if !res.Upstream.Local {
		if repo, err = r.Store.Repo(ctx, res.Upstream.Request.URL); err != nil {
			return err
		}
		defer repo.Close()
	}
	if err := graph.Export(ctx, dir, repo, files); err != nil {
		if _, ok := err.(*diag.Diagnostic); ok {
			return err
		}
		return &diag.Diagnostic{Code: "render/write", Component: name, Env: true,
			Message: fmt.Sprintf("cannot write the history to %s: %v", dir, err)}
	}
	return nil
}
