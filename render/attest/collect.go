package attest

import (
	"cmp"
	"context"
	"fmt"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// A Collector makes statements about components of a project.
type Collector struct {
	Renderer *render.Renderer
	Output   *render.Output // the rendered tree, opened for reading
	Commit   string         // of the project, full
	Version  string         // of the tool
	// Committed reports whether a file is in the commit as it is on disk.
	Committed func(file string) (bool, error)
	All       bool     // the names are all components
	Packages  []string // files of source packages that are subjects, too
}

// A Subject is what is known of one rendered component.
type Subject struct {
	Name   string
	Dir    string // rendered directory, relative to the repository, with slashes
	Files  []File
	Result *render.Result
	// Sources are the archives that the component is built from.
	Sources []Resource
}

// Collect renders components in memory, compares them with the rendered tree, and
// returns the statement about them.
func (c *Collector) Collect(ctx context.Context, names []string) (*Statement, []Subject, diag.List) {
	s := &Statement{Type: StatementType, PredicateType: PredicateType}
	def := &s.Predicate.BuildDefinition
	def.BuildType = BuildType
	rendered, err := c.relative(c.Output.Dir)
	if err != nil {
		return nil, nil, diag.List{*err}
	}
	def.ExternalParameters = Parameters{Project: c.Commit, All: c.All, Components: names, Rendered: rendered}
	s.Predicate.RunDetails.Builder.ID = BuilderID
	s.Predicate.RunDetails.Builder.Version = map[string]string{"specgraft": c.Version}
	s.Predicate.RunDetails.Byproducts = []Resource{}
	materials := map[string]Resource{"project": {Name: "project", Digest: map[string]string{digestCommit: c.Commit}}}
	var problems diag.List
	var subjects []Subject
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, nil, append(problems, diag.Diagnostic{Code: "render/cancelled", Message: "cancelled", Env: true})
		}
		sub, list := c.subject(ctx, name, materials)
		problems = append(problems, list...)
		if sub == nil {
			continue
		}
		subjects = append(subjects, *sub)
		s.add(sub.Dir, sub.Files)
	}
	if c.All {
		problems = append(problems, c.rest(s, rendered)...)
	}
	for _, file := range c.Packages {
		sum, err := fileDigest(file)
		if err != nil {
			problems = append(problems, diag.Diagnostic{Code: "attest/differs", Message: fmt.Sprintf("%s cannot be read: %v", file, diag.Reason(err))})
			continue
		}
		s.Subject = append(s.Subject, Resource{Name: filepath.Base(file), Digest: map[string]string{digestSHA256: sum}})
	}
	var keys []string
	for k := range materials {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		def.ResolvedDependencies = append(def.ResolvedDependencies, materials[k])
	}
	if problems.HasErrors() {
		return nil, nil, problems
	}
	return s, subjects, problems
}

// rest adds what the rendered tree has besides the attested directories, such as a
// README or the mark of a component that is expected to fail, so that a file that is
// added there later does not go unseen.
func (c *Collector) rest(s *Statement, rendered string) diag.List {
	var problems diag.List
	attested := map[string]bool{}
	for _, sub := range s.Subject {
		attested[sub.Name] = true
	}
	files, err := readRest(c.Output.Dir, rendered, attested)
	if err != nil {
		d := problems.Add(token.Position{}, "attest/drift", "the rendered tree %s cannot be read: %v", rendered, diag.Reason(err))
		d.Env = true
		return problems
	}
	for _, f := range files {
		name := path.Join(rendered, f.Path)
		if !strings.HasPrefix(f.Mode, "0") {
			d := problems.Add(token.Position{}, "attest/dirty", "%s is no regular file", name)
			d.Hint = "remove it from the rendered tree"
			continue
		}
		if c.Committed == nil {
			continue
		}
		if ok, err := c.Committed(filepath.Join(c.Output.Dir, filepath.FromSlash(f.Path))); err != nil || !ok {
			d := problems.Add(token.Position{}, "attest/dirty", "%s is not as commit %.12s has it", name, c.Commit)
			d.Hint = "commit it, or remove it from the rendered tree"
		}
	}
	if len(files) > 0 {
		s.add(rendered, files)
	}
	return problems
}

// relative returns a path relative to the repository.
func (c *Collector) relative(file string) (string, *diag.Diagnostic) {
	root := cmp.Or(c.Renderer.Project.Root, c.Renderer.Project.Dir)
	rel, err := filepath.Rel(root, file)
	if err != nil || !filepath.IsLocal(rel) {
		return "", &diag.Diagnostic{Code: "attest/bad", Message: fmt.Sprintf("%s is outside of the project's repository", file),
			Hint: "an attestation is about what the repository has"}
	}
	return filepath.ToSlash(rel), nil
}

func (c *Collector) subject(ctx context.Context, name string, materials map[string]Resource) (*Subject, diag.List) {
	res := c.Renderer.Render(ctx, name)
	if res.Failed() {
		return nil, res.Diags
	}
	one := func(code, hint, format string, args ...any) diag.List {
		return diag.List{{Code: code, Component: name, Pos: res.Config.Pos, Message: fmt.Sprintf(format, args...), Hint: hint}}
	}
	changes, err := c.Output.Compare(name, res.Files)
	if err != nil {
		return nil, one("attest/drift", "", "the rendered directory of %s cannot be read: %v", name, err)
	}
	if len(changes) > 0 {
		return nil, one("attest/drift", fmt.Sprintf("run `specgraft render %s`, and commit the result", name),
			"the rendered directory of %s is not what would be rendered: %s is %s", name, changes[0].Path, changes[0].Kind)
	}
	dir := filepath.Join(c.Output.Dir, filepath.FromSlash(render.ComponentDir(name)))
	sub := &Subject{Name: name, Result: res}
	rel, bad := c.relative(dir)
	if bad != nil {
		return nil, diag.List{*bad}
	}
	sub.Dir = rel
	if sub.Files, err = ReadTree(dir); err != nil {
		return nil, one("attest/drift", "", "the rendered directory of %s cannot be read: %v", name, diag.Reason(err))
	}
	if list := c.materials(res, sub, materials); list.HasErrors() {
		return nil, list
	}
	return sub, nil
}

// materials adds what a component is made from.
func (c *Collector) materials(res *render.Result, sub *Subject, materials map[string]Resource) diag.List {
	var problems diag.List
	name := res.Component
	if up := res.Upstream; up.Commit != "" {
		r := Resource{Name: "upstream:" + name, Digest: map[string]string{digestCommit: up.Commit}}
		if len(up.Commit) == 64 { // of a source package
			r.Digest = map[string]string{digestSHA256: up.Commit}
		}
		if up.Request.URL != "" {
			r.URI = "git+" + up.Request.URL + "@" + up.Commit
		}
		materials["upstream:"+name] = r
	}
	files, err := c.Renderer.Project.ConfigFiles(res.Config)
	if err != nil {
		problems.Add(res.Config.Pos, "attest/bad", "the configuration of %s cannot be listed: %v", name, err)
	}
	for i := range res.Config.Overlays {
		if s := res.Config.Overlays[i].Source; s != "" {
			files = append(files, s)
		}
	}
	for _, file := range files {
		rel, bad := c.relative(file)
		if bad != nil {
			continue // the user's own configuration, and what is built in
		}
		if slices.Contains(strings.Split(rel, "/"), ".git") {
			continue // beside a spec at the top of the repository
		}
		if _, done := materials["file:"+rel]; done {
			continue
		}
		st, err := os.Stat(file)
		if err != nil || !st.Mode().IsRegular() {
			continue
		}
		sum, err := fileDigest(file)
		if err != nil {
			continue
		}
		if c.Committed != nil {
			if ok, err := c.Committed(file); err == nil && !ok {
				d := problems.Add(res.Config.Pos, "attest/dirty", "%s is not as commit %.12s has it", rel, c.Commit)
				d.Hint = "commit the change, or put it away with 'git stash'"
			}
		}
		materials["file:"+rel] = Resource{Name: rel, Digest: map[string]string{digestSHA256: sum}}
	}
	set := res.Macros
	if set == nil {
		set = macro.Builtin()
	}
	materials["macros:"+set.Name()] = Resource{Name: "macros:" + set.Name(), Digest: map[string]string{digestSHA256: set.Hash()}}
	sub.Sources = c.sources(res)
	for _, s := range sub.Sources {
		materials["source:"+name+"/"+s.Name] = Resource{Name: "source:" + name + "/" + s.Name, URI: s.URI, Digest: s.Digest}
	}
	return problems
}

// sources lists the archives that the rendered sources file names.
func (c *Collector) sources(res *render.Result) []Resource {
	var out []Resource
	for _, f := range res.Files {
		if f.Path != "sources" {
			continue
		}
		data, err := f.Bytes()
		if err != nil {
			return nil
		}
		list, _ := lookaside.ParseSources("sources", data)
		for _, e := range list.Entries() {
			out = append(out, Resource{Name: e.Name, URI: c.address(res.Config, e), Digest: map[string]string{strings.ToLower(e.HashType): strings.ToLower(e.Hash)}})
		}
	}
	return out
}

// address returns where a source file can be had: its origin, or the lookaside
// cache of the distribution.
func (c *Collector) address(conf *components.Component, e lookaside.Entry) string {
	for i := range conf.SourceFiles {
		if s := &conf.SourceFiles[i]; s.Filename == e.Name && s.Origin.URI != "" {
			return s.Origin.URI
		}
	}
	p := c.Renderer.Project
	d := p.Distros[cmp.Or(conf.Spec.UpstreamDistro.Name, p.DefaultDistro.Name)]
	if d == nil || d.LookasideBaseURI == "" {
		return ""
	}
	return lookaside.URL(d.LookasideBaseURI, conf.UpstreamName(), e.Name, e.HashType, e.Hash)
}

// PatchFiles returns the patches among the files of a subject.
func (s *Subject) PatchFiles() []File {
	var out []File
	for _, f := range s.Files {
		if ext := path.Ext(f.Path); ext == ".patch" || ext == ".diff" {
			out = append(out, f)
		}
	}
	return out
}
