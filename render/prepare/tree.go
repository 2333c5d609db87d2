// Package prepare writes what rpmbuild needs of a component: the source tree and the
// source package.
package prepare

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"specgraft/components"
	"specgraft/fedora/lookaside"
	"specgraft/overlay"
	"specgraft/overlay/archive"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// A Tree is a component with everything that rpmbuild needs, in one
// directory: the rendered spec, all files of its packaging, and the sources
// that are too big for git.
type Tree struct {
	Component string   `json:"component"`
	Dir       string   `json:"outputDir"`
	Commit    string   `json:"upstreamCommit,omitempty"`
	Files     []string `json:"files"` // of the packaging, sorted
	Sources   []Source `json:"sources"`
}

// A Source is one downloaded file of a source tree.
type Source struct {
	Name     string `json:"name"`
	HashType string `json:"hashType"`
	Hash     string `json:"hash"` // verified; computed where none was configured
	Size     int64  `json:"size"` // bytes
	// Overlays says that the file is not as downloaded: overlays were applied
	// inside of it.
	Overlays bool `json:"overlays,omitempty"`
}

// TreeOptions say what goes into a source tree.
type TreeOptions struct {
	Dir       string // where it is written; must be empty or not exist, unless Force
	Force     bool   // replace what is in Dir
	Lookaside *lookaside.Client
	// SkipOverlays leaves the packaging as upstream has it, with upstream's
	// own sources.
	SkipOverlays bool
	SkipSources  bool // download nothing
	// AllowNoHashes accepts source files without a configured hash; the
	// hash of what came is written to the sources file.
	AllowNoHashes bool
	// Progress, when set, is told how many more bytes have come in; it may
	// be called from several goroutines at once.
	Progress func(n int64)
}

// treeTemp is what the names of directories begin with that Tree is
// still filling.
const treeTemp = ".specgraft-tree-"

// WriteTree writes the source tree of a component. The directory appears
// complete or, when there are errors, is left as it was. The renderer should be
// Unfiltered: what the spec does not list may still be needed by who works on
// the tree.
func WriteTree(ctx context.Context, r *render.Renderer, name string, o TreeOptions) (*Tree, diag.List) {
	c, problems := r.Project.Component(name)
	if problems.HasErrors() {
		return nil, problems
	}
	fail := func(err error) (*Tree, diag.List) { return nil, append(problems, render.Diagnostics(err, c)...) }
	if err := render.CheckName(c); err != nil {
		return fail(err)
	}
	dir, err := filepath.Abs(o.Dir)
	if err == nil {
		err = checkTreeDir(dir, o.Force, r.Project)
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return nil, append(problems, *d) // not the component's fault
	} else if err != nil {
		return fail(err)
	}
	own := *c
	own.SourceFiles = slices.Clone(c.SourceFiles)

	pristine, src, err := r.Source(ctx, &own)
	if err != nil {
		return fail(err)
	}
	temp, release, err := makeTreeTemp(dir)
	if err != nil {
		return fail(treeFailure(dir, err))
	}
	defer release()
	root, err := os.OpenRoot(temp)
	if err != nil {
		return fail(treeFailure(dir, err))
	}
	defer root.Close()

	out := &Tree{Component: name, Dir: dir, Commit: src.Commit, Files: []string{}, Sources: []Source{}}
	places := map[string]token.Position{} // of downloaded files
	if !o.SkipSources {
		wanted, list := wantedSources(r, &own, pristine, o)
		problems = append(problems, list...)
		if problems.HasErrors() {
			return nil, problems
		}
		for _, w := range wanted {
			places[w.download.Name] = w.pos
		}
		prepared, list := fetchSources(ctx, root, temp, &own, wanted, o)
		problems = append(problems, list...)
		if problems.HasErrors() {
			return nil, problems
		}
		out.Sources = append(out.Sources, prepared...)
	}
	files := treeFiles(pristine, src)
	if !o.SkipOverlays {
		res := r.RenderComponent(ctx, &own)
		for _, d := range res.Diags {
			if d.Code != "overlay/archive-skipped" || o.SkipSources {
				problems = append(problems, d)
			}
		}
		for _, d := range res.Homeless {
			d.Severity, d.Code, d.Component = diag.Error, "prepare/no-source", name
			problems = append(problems, d)
		}
		files = res.Files
	}
	if problems.HasErrors() {
		return nil, problems
	}
	for _, f := range files {
		if pos, taken := places[f.Path]; taken {
			return fail(&diag.Diagnostic{Pos: pos, Code: "prepare/collision",
				Message: fmt.Sprintf("source file %q has the name of a file of the packaging", f.Path),
				Hint:    "remove the entry from the sources file, or the file"})
		}
		data, err := f.Bytes()
		if err == nil {
			if d := path.Dir(f.Path); d != "." {
				err = root.MkdirAll(d, 0o755)
			}
		}
		if err == nil {
			err = root.WriteFile(f.Path, data, f.Mode)
		}
		if err != nil {
			return fail(treeFailure(f.Path, err))
		}
		out.Files = append(out.Files, f.Path)
	}
	slices.Sort(out.Files)
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	if err := placeTree(temp, dir); err != nil {
		return fail(treeFailure(dir, err))
	}
	return out, problems
}

// treeFiles returns all files of a tree, spec included.
func treeFiles(t *overlay.Tree, src render.Source) []*overlay.File {
	files := []*overlay.File{overlay.NewFile(t.Name+".spec", src.Mode, t.Spec.Bytes(), nil)}
	for _, f := range t.Files {
		files = append(files, f)
	}
	return files
}

// A wantedSource is a file to be downloaded for a source tree.
type wantedSource struct {
	download lookaside.Download
	pos      token.Position
	index    int                      // of the source-files entry, -1 for one of upstream's
	ops      []overlay.Op             // to be applied inside of it
	declared lookaside.Entry          // what has to come out of ops
	custom   *components.SourceOrigin // script that would make it, when no server has it
}

// wantedSources lists what belongs into the tree: the entries of upstream's
// sources file that are not replaced, and the component's source-files.
func wantedSources(r *render.Renderer, c *components.Component, pristine *overlay.Tree, o TreeOptions) ([]wantedSource, diag.List) {
	var text []byte
	if f := pristine.Files["sources"]; f != nil {
		b, err := f.Bytes()
		if err != nil {
			return nil, render.Diagnostics(err, c)
		}
		text = b
	}
	upstream, problems := lookaside.ParseSources("sources", text)
	for i := range problems {
		problems[i].Component = c.Name
		problems[i].Related = append(problems[i].Related, diag.Related{Pos: c.Pos, Message: fmt.Sprintf("upstream's sources file of component %q", c.Name)})
	}
	template, originsOff := lookasideOf(r, c)
	addresses := func(name, kind, hash string) []string {
		if template == "" || hash == "" {
			return nil
		}
		return []string{lookaside.URL(template, c.UpstreamName(), name, kind, hash)}
	}
	configured := c.SourceFiles
	if o.SkipOverlays {
		configured = nil
	}
	replaced := map[string]bool{}
	for i := range configured {
		replaced[configured[i].Filename] = true
	}
	var wanted []wantedSource
	for _, e := range upstream.Entries() {
		if replaced[e.Name] {
			continue
		}
		wanted = append(wanted, wantedSource{pos: e.Pos, index: -1, download: lookaside.Download{
			Name: e.Name, HashType: e.HashType, Hash: e.Hash, URLs: addresses(e.Name, e.HashType, e.Hash), Progress: o.Progress}})
	}
	groups := archive.Groups(c.Overlays)
	for i := range configured {
		f := &configured[i]
		if f.Hash == "" && !o.AllowNoHashes {
			d := problems.Add(f.Pos, "prepare/no-hash", "source file %q has no hash, so what comes cannot be verified", f.Filename)
			d.Hint = `set hash and hash-type = "SHA512", or accept anything once with --allow-no-hashes`
			continue
		}
		w := wantedSource{pos: f.Pos, index: i, download: lookaside.Download{
			Name: f.Filename, HashType: f.HashType, Hash: f.Hash, URLs: addresses(f.Filename, f.HashType, f.Hash), Progress: o.Progress}}
		switch f.Origin.Type {
		case "overlay":
			e, ok := upstream.Entry(f.Filename)
			if !ok {
				d := problems.Add(f.Pos, "sources/nothing-to-replace", "upstream's sources file has no %q to apply overlays to", f.Filename)
				d.Hint = "correct the file name"
				continue
			}
			w.declared = lookaside.Entry{Name: f.Filename, HashType: f.HashType, Hash: f.Hash}
			w.download.HashType, w.download.Hash, w.download.URLs = e.HashType, e.Hash, addresses(e.Name, e.HashType, e.Hash)
			for _, g := range groups {
				if g.Name == f.Filename {
					w.ops = g.Ops
				}
			}
		case "custom":
			w.custom = &f.Origin
		default:
			if f.Origin.URI != "" && !originsOff {
				w.download.URLs = append(w.download.URLs, f.Origin.URI)
			}
		}
		wanted = append(wanted, w)
	}
	if !o.SkipOverlays {
		for i := range wanted {
			// An archive without an entry of its own, which --allow-no-hashes lets pass.
			if w := &wanted[i]; w.index < 0 {
				for _, g := range groups {
					if g.Name == w.download.Name {
						w.ops = g.Ops
					}
				}
			}
		}
	}
	for i := range wanted {
		w := &wanted[i]
		if len(w.download.URLs) > 0 || w.custom != nil {
			continue
		}
		d := problems.Add(w.pos, "prepare/no-address", "there is no address to download source file %q from", w.download.Name)
		d.Hint = "set lookaside-base-uri of the distribution, or an origin with a uri"
		if originsOff {
			d.Hint = "the distribution sets disable-origins, so the file has to be in its lookaside cache, with its hash configured"
		}
	}
	return wanted, problems
}

// lookasideOf returns the address template of the lookaside cache that a
// component uses, and whether it is the only place to download from.
func lookasideOf(r *render.Renderer, c *components.Component) (template string, only bool) {
	ref := c.Spec.UpstreamDistro.Name
	if ref == "" {
		ref = r.Project.DefaultDistro.Name
	}
	if d := r.Project.Distros[ref]; d != nil {
		return d.LookasideBaseURI, d.DisableOrigins
	}
	return "", false
}

// fetchSources downloads into root, several files at once, and applies the
// overlays that work inside archives. Hashes that were not configured are
// filled into c.
func fetchSources(ctx context.Context, root *os.Root, temp string, c *components.Component, wanted []wantedSource, o TreeOptions) ([]Source, diag.List) {
	prepared := make([]Source, len(wanted))
	lists := make([]diag.List, len(wanted))
	var pool errgroup.Group
	pool.SetLimit(16) // what is really parallel, the lookaside bounds
	for i := range wanted {
		pool.Go(func() error {
			prepared[i], lists[i] = fetchSource(ctx, root, temp, &wanted[i], c, o)
			return nil
		})
	}
	pool.Wait()
	var problems diag.List
	if err := ctx.Err(); err != nil {
		return nil, render.Diagnostics(err, c)
	}
	for i := range lists {
		problems = append(problems, lists[i]...)
		if w := &wanted[i]; w.index >= 0 && !lists[i].HasErrors() && c.SourceFiles[w.index].Hash == "" {
			c.SourceFiles[w.index].HashType, c.SourceFiles[w.index].Hash = prepared[i].HashType, prepared[i].Hash
		}
	}
	return prepared, problems
}

func fetchSource(ctx context.Context, root *os.Root, temp string, w *wantedSource, c *components.Component, o TreeOptions) (Source, diag.List) {
	p := Source{Name: w.download.Name, HashType: strings.ToUpper(w.download.HashType), Hash: strings.ToLower(w.download.Hash)}
	fail := func(err error) (Source, diag.List) {
		list := render.Diagnostics(err, c)
		for i := range list {
			list[i].Pos = w.pos
		}
		return p, list
	}
	var content *lookaside.Content
	var err error
	if len(w.download.URLs) > 0 {
		content, err = o.Lookaside.Get(ctx, w.download)
	}
	if w.custom != nil && (len(w.download.URLs) == 0 || isNotFound(err)) {
		return fail(&diag.Diagnostic{
			Code:    "prepare/custom",
			Message: fmt.Sprintf("source file %q is made by the script %s, which specgraft does not run", p.Name, w.custom.Script),
			Hint:    "make it elsewhere and upload it to the lookaside cache under its hash, or give it an origin of type \"download\"",
		})
	}
	if err != nil {
		return fail(err)
	}
	if p.Hash == "" {
		p.HashType, p.Hash = "SHA512", content.SHA512
	}
	p.Size = content.Size
	if len(w.ops) == 0 {
		if err := content.Install(root, p.Name, 0o644); err != nil {
			return fail(err)
		}
		return p, nil
	}
	p.Overlays = true
	in, err := os.Open(content.Path)
	if err != nil {
		return fail(treeFailure(p.Name, err))
	}
	defer in.Close()
	dst, err := root.OpenFile(p.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fail(treeFailure(p.Name, err))
	}
	report, list := archive.Apply(dst, in, p.Name, w.ops, archive.Options{TempDir: temp})
	if err := dst.Close(); err != nil && !list.HasErrors() {
		return fail(treeFailure(p.Name, err))
	}
	if list.HasErrors() {
		return p, list
	}
	if d := report.Drift(p.Name, w.declared.HashType, w.declared.Hash, w.pos); d != nil {
		list = append(list, *d)
	}
	p.Size, p.HashType = report.Size, "SHA512"
	if t := strings.ToUpper(w.declared.HashType); report.Hash(t) != "" {
		p.HashType = t
	}
	p.Hash = report.Hash(p.HashType)
	return p, list
}

func isNotFound(err error) bool {
	d, ok := errors.AsType[*diag.Diagnostic](err)
	return ok && d.Code == "lookaside/not-found"
}

func treeFailure(what string, err error) error {
	return &diag.Diagnostic{Code: "prepare/write", Message: fmt.Sprintf("write %s: %v", what, render.Cause(err)), Env: true,
		Hint: "check the space and permissions there"}
}

// checkTreeDir refuses directories that would be lost.
func checkTreeDir(dir string, force bool, p *components.Project) error {
	refuse := func(hint, format string, args ...any) error {
		return &diag.Diagnostic{Code: "prepare/output", Message: fmt.Sprintf("output directory %s ", dir) + fmt.Sprintf(format, args...), Hint: hint}
	}
	if err := render.CheckOutputDir(dir, render.OutputOptions{Force: true, Protect: []string{p.Dir, p.Root, p.LockDir, p.RenderedDir}}); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return refuse("choose another directory with -o", "cannot be used: %v", render.Cause(err))
	case len(entries) == 0:
		return nil
	case !force:
		return refuse("choose another directory with -o, or replace it with --force", "is not empty")
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), ".git") {
			return refuse("choose another directory with -o", "is a git repository, which is not replaced")
		}
	}
	here, err := os.Getwd()
	if err == nil {
		if rel, err := filepath.Rel(dir, here); err == nil && filepath.IsLocal(rel) {
			return refuse("choose another directory with -o", "holds the working directory, which is not replaced")
		}
	}
	return nil
}

// makeTreeTemp creates the directory that a tree is filled in, beside its
// final place, and removes those that killed runs left there. The function it
// returns removes it again, unless it has been moved.
func makeTreeTemp(dir string) (temp string, release func(), err error) {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return "", nil, err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), treeTemp) || !e.IsDir() {
			continue
		}
		left := filepath.Join(parent, e.Name())
		if lock, err := render.LockDir(left, false); err == nil {
			os.RemoveAll(left) // nobody is filling it
			render.UnlockDir(lock)
		}
	}
	temp, err = os.MkdirTemp(parent, treeTemp)
	if err != nil {
		return "", nil, err
	}
	lock, err := render.LockDir(temp, false)
	if err == nil {
		err = os.Chmod(temp, 0o755)
	}
	release = func() {
		os.RemoveAll(temp)
		if lock != nil {
			render.UnlockDir(lock)
		}
	}
	if err != nil {
		release()
		return "", nil, err
	}
	return temp, release, nil
}

// placeTree moves a finished tree to its place. An old one is moved away first
// and removed at the end, so that there is always one of them.
func placeTree(temp, dir string) error {
	err := os.Remove(dir) // succeeds on an empty directory only
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return os.Rename(temp, dir)
	}
	old := temp + ".old"
	if err := os.Rename(dir, old); err != nil {
		return err
	}
	if err := os.Rename(temp, dir); err != nil {
		os.Rename(old, dir)
		return err
	}
	return os.RemoveAll(old)
}

// Codes are the diagnostics about source trees.
var Codes = []diag.Code{
	{ID: "prepare/custom", Summary: "a source file would have to be made by running a script",
		Doc: "Specgraft never runs code of a project or of upstream. A source file of origin type \"custom\" is taken from the lookaside cache when it has been uploaded there; otherwise make it with the tool of your choice and upload it."},
	{ID: "prepare/no-hash", Summary: "a source file cannot be verified",
		Doc: "Without a configured hash any content would be accepted. Set hash and hash-type; --allow-no-hashes accepts what comes and prints its hash."},
	{ID: "prepare/no-source", Summary: "a Source or Patch whose file is in no place",
		Doc: "The spec lists a file that is neither in the packaging, nor in its sources file, nor in source-files, and that NoSource or NoPatch does not leave out, so that no source package can be made. Add the file with source-files, or correct the tag."},
	{ID: "prepare/no-address", Summary: "nothing says where a source file is",
		Doc: "Source files come from the lookaside cache of the component's distribution and from the uri of their origin."},
	{ID: "prepare/collision", Summary: "a downloaded file has the name of a file of the packaging",
		Doc: "It would be written over the other. Remove one of the two."},
	{ID: "prepare/output", Summary: "an output directory that is not empty",
		Doc: "A source tree is put into an empty or new directory. --force replaces what is there, but no git repository and no directory that the command runs in."},
	{ID: "prepare/write", Summary: "a source tree cannot be written",
		Doc: "The disk is full, or permissions are missing."},
	{ID: "prepare/failed", Summary: "a source tree cannot be made",
		Doc: "The message says what went wrong in the environment."},
}
