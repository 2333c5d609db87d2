package components

import (
	"cmp"
	"path/filepath"
	"strings"

	"specgraft/components/distro"
	"specgraft/components/schema"
	"specgraft/components/toml"
)

// decode fills the typed fields from the merged table.
func (p *Project) decode(c *Component) {
	t := c.merged
	if t == nil {
		c.Release.Calculation = "auto"
		return
	}
	spec := t.Get("spec")
	c.Spec = Spec{
		Type: spec.Text("type"), Path: spec.Get("path").Path(),
		UpstreamDistro: distro.ReadRef(spec.Get("upstream-distro")),
		UpstreamName:   spec.Text("upstream-name"), UpstreamCommit: spec.Text("upstream-commit"),
		Source: spec.Text("source"), Template: spec.Text("template"),
	}
	if s := spec.Get("srpm"); s != nil {
		if c.Spec.SRPM = s.Str; !strings.Contains(s.Str, "://") {
			c.Spec.SRPM = s.Path()
		}
	}
	c.Release.Calculation = cmp.Or(t.Text("release", "calculation"), "auto")
	own := t.Get("specgraft", "release")
	c.Release.Suffix, c.Release.SuffixUntil = own.Text("suffix"), own.Text("suffix-until")
	c.Release.ChangelogEntry = own.Flag("changelog-entry")
	if b := t.Get("build"); b != nil {
		c.Build = Build{
			With: b.Get("with").Strings(), Without: b.Get("without").Strings(),
			Defines: b.Get("defines").StringMap(), Undefines: b.Get("undefines").Strings(),
			EmitUpstreamProvenance: b.Flag("emit-upstream-provenance"),
		}
		c.Build.Check.Skip, c.Build.Check.SkipReason = b.Flag("check", "skip"), b.Text("check", "skip_reason")
		c.Build.Failure.Expected, c.Build.Failure.ExpectedReason = b.Flag("failure", "expected"), b.Text("failure", "expected-reason")
		c.Build.Hints.Expensive = b.Flag("hints", "expensive")
	}
	c.Render = Render{
		SkipFileFilter:      t.Flag("render", "skip-file-filter"),
		AllowRejected:       t.Flag("render", "allow-rejected") || t.Flag("specgraft", "render", "allow-rejected"),
		AllowRejectedReason: cmp.Or(t.Text("specgraft", "render", "allow-rejected-reason"), t.Text("render", "allow-rejected-reason")),
	}
	c.Publish = decodePublish(t.Get("publish"))
	if pkgs := t.Get("packages").Entries(); len(pkgs) > 0 {
		c.Packages = make(map[string]Package, len(pkgs))
		for _, e := range pkgs {
			c.Packages[e.Name] = Package{decodePublish(e.Val.Get("publish"))}
		}
	}
	if files := t.Get("source-files"); files != nil && files.Kind == toml.KindList {
		for _, f := range files.List {
			if f.Kind == toml.KindTable {
				c.SourceFiles = append(c.SourceFiles, decodeSourceFile(f))
			}
		}
	}
	if tab := t.Get("template"); tab != nil && tab.Kind == toml.KindTable {
		c.Template = schema.ReadTemplate(tab)
		if c.Spec.Type == "template" {
			c.SourceFiles = append(c.SourceFiles, templateSources(c)...)
		}
	}
	if list := t.Get("overlays"); list != nil && list.Kind == toml.KindList {
		origins := c.origins()
		for _, o := range list.List {
			if o.Kind != toml.KindTable {
				continue
			}
			op := schema.Overlay(o)
			op.Layer = origins[o]
			c.Overlays = append(c.Overlays, op)
			c.ops = append(c.ops, o)
			c.opLayers = append(c.opLayers, op.Layer)
		}
	}
}

func decodePublish(v *toml.Value) Publish {
	return Publish{v.Text("rpm-channel"), v.Text("srpm-channel"), v.Text("debuginfo-channel"), v.Text("channel")}
}

func decodeSourceFile(f *toml.Value) SourceFile {
	o := f.Get("origin")
	return SourceFile{
		Pos: f.Pos(), Filename: f.Text("filename"), Hash: f.Text("hash"), HashType: f.Text("hash-type"),
		Origin:          SourceOrigin{o.Text("type"), o.Text("uri"), o.Text("script"), o.Get("mock-packages").Strings(), o.Get("inputs").Strings()},
		ReplaceUpstream: f.Flag("replace-upstream"), ReplaceReason: f.Text("replace-reason"),
	}
}

// newProject makes the typed project of a merged configuration.
func newProject(dir string, l *loader) *Project {
	p := &Project{
		Dir: dir, File: filepath.Join(dir, FileName), Root: l.paths.root,
		Distros: map[string]*distro.Distro{}, Groups: map[string]*Group{},
		state: &state{root: l.root, opt: l.opt, paths: l.paths, documents: l.order, twice: l.twice, lost: l.merge.lost, parts: l.merge.parts},
	}
	proj := l.root.Get("project")
	p.Description = proj.Text("description")
	where := func(key, std string) string {
		return cmp.Or(proj.Get(key).Path(), filepath.Join(dir, std))
	}
	p.LogDir = where("log-dir", "build/logs")
	p.WorkDir = where("work-dir", "build/work")
	p.OutputDir = where("output-dir", "out")
	p.LockDir = where("lock-dir", "locks")
	p.RenderedDir = where("rendered-specs-dir", "specs")
	p.DefaultDistro = distro.ReadRef(proj.Get("default-distro"))
	set := proj.Get("specgraft")
	p.Settings = Settings{
		Lint:            set.Get("lint").StringMap(),
		DirtyClock:      cmp.Or(set.Text("dirty-clock"), "head"),
		History:         cmp.Or(set.Text("history"), "locks"),
		Header:          set.Text("header"),
		HasHeader:       set.Get("header") != nil,
		AutospecVersion: cmp.Or(set.Text("autospec-version"), "0.8.3"),
		TemplatesDir:    cmp.Or(set.Get("templates-dir").Path(), filepath.Join(dir, "templates")),
	}
	for _, e := range l.root.Get("distros").Entries() {
		p.Distros[e.Name] = distro.Read(e)
	}
	for _, e := range l.root.Get("component-groups").Entries() {
		g := &Group{Name: e.Name, Pos: e.Val.Pos(), Description: e.Val.Text("description"), Components: e.Val.Get("components").Strings()}
		g.Specs = e.Val.Get("specs").PathList()
		g.ExcludedPaths = e.Val.Get("excluded-paths").PathList()
		p.Groups[e.Name] = g
	}
	p.findPins()
	p.findProfile()
	p.prepare()
	return p
}
