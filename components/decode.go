package components

import (
	"cmp"
	"path/filepath"
	"strings"
)

// decode fills the typed fields from the merged table.
func (p *Project) decode(c *Component) {
	t := c.merged
	if t == nil {
		c.Release.Calculation = "auto"
		return
	}
	spec := t.get("spec")
	c.Spec = Spec{
		Type: spec.text("type"), Path: spec.get("path").path(),
		UpstreamDistro: decodeDistroRef(spec.get("upstream-distro")),
		UpstreamName:   spec.text("upstream-name"), UpstreamCommit: spec.text("upstream-commit"),
		Source: spec.text("source"), Template: spec.text("template"),
	}
	if s := spec.get("srpm"); s != nil {
		if c.Spec.SRPM = s.str; !strings.Contains(s.str, "://") {
			c.Spec.SRPM = s.path()
		}
	}
	c.Release.Calculation = cmp.Or(t.text("release", "calculation"), "auto")
	own := t.get("specgraft", "release")
	c.Release.Suffix, c.Release.SuffixUntil = own.text("suffix"), own.text("suffix-until")
	c.Release.ChangelogEntry = own.flag("changelog-entry")
	if b := t.get("build"); b != nil {
		c.Build = Build{
			With: b.get("with").strings(), Without: b.get("without").strings(),
			Defines: b.get("defines").stringMap(), Undefines: b.get("undefines").strings(),
			EmitUpstreamProvenance: b.flag("emit-upstream-provenance"),
			Check:                  Check{b.flag("check", "skip"), b.text("check", "skip_reason")},
			Failure:                Failure{b.flag("failure", "expected"), b.text("failure", "expected-reason")},
			Hints:                  Hints{b.flag("hints", "expensive")},
		}
	}
	c.Render = Render{
		SkipFileFilter:      t.flag("render", "skip-file-filter"),
		AllowRejected:       t.flag("render", "allow-rejected") || t.flag("specgraft", "render", "allow-rejected"),
		AllowRejectedReason: cmp.Or(t.text("specgraft", "render", "allow-rejected-reason"), t.text("render", "allow-rejected-reason")),
	}
	c.Publish = decodePublish(t.get("publish"))
	if pkgs := t.get("packages").entries(); len(pkgs) > 0 {
		c.Packages = make(map[string]Package, len(pkgs))
		for _, e := range pkgs {
			c.Packages[e.name] = Package{decodePublish(e.val.get("publish"))}
		}
	}
	if files := t.get("source-files"); files != nil && files.kind == kindList {
		for _, f := range files.list {
			if f.kind == kindTable {
				c.SourceFiles = append(c.SourceFiles, decodeSourceFile(f))
			}
		}
	}
	if tab := t.get("template"); tab != nil && tab.kind == kindTable {
		c.Template = &Template{tab, &templateKey}
		if c.Spec.Type == "template" {
			c.SourceFiles = append(c.SourceFiles, c.Template.sourceFiles(c)...)
		}
	}
	if list := t.get("overlays"); list != nil && list.kind == kindList {
		origins := c.origins()
		for _, o := range list.list {
			if o.kind != kindTable {
				continue
			}
			op := decodeOp(o)
			op.Layer = origins[o]
			c.Overlays = append(c.Overlays, op)
			c.ops = append(c.ops, o)
			c.opLayers = append(c.opLayers, op.Layer)
		}
	}
}

func decodePublish(v *value) Publish {
	return Publish{v.text("rpm-channel"), v.text("srpm-channel"), v.text("debuginfo-channel"), v.text("channel")}
}

func decodeSourceFile(f *value) SourceFile {
	o := f.get("origin")
	return SourceFile{
		Pos: f.pos(), Filename: f.text("filename"), Hash: f.text("hash"), HashType: f.text("hash-type"),
		Origin:          SourceOrigin{o.text("type"), o.text("uri"), o.text("script"), o.get("mock-packages").strings(), o.get("inputs").strings()},
		ReplaceUpstream: f.flag("replace-upstream"), ReplaceReason: f.text("replace-reason"),
	}
}

// newProject makes the typed project of a merged configuration.
func newProject(dir string, l *loader) *Project {
	p := &Project{
		Dir: dir, File: filepath.Join(dir, FileName), Root: l.paths.root,
		Distros: map[string]*Distro{}, Groups: map[string]*Group{},
		state: &state{root: l.root, opt: l.opt, paths: l.paths, documents: l.order, twice: l.twice, lost: l.merge.lost, parts: l.merge.parts},
	}
	proj := l.root.get("project")
	p.Description = proj.text("description")
	where := func(key, std string) string {
		return cmp.Or(proj.get(key).path(), filepath.Join(dir, std))
	}
	p.LogDir = where("log-dir", "build/logs")
	p.WorkDir = where("work-dir", "build/work")
	p.OutputDir = where("output-dir", "out")
	p.LockDir = where("lock-dir", "locks")
	p.RenderedDir = where("rendered-specs-dir", "specs")
	p.DefaultDistro = decodeDistroRef(proj.get("default-distro"))
	set := proj.get("specgraft")
	p.Settings = Settings{
		Lint:            set.get("lint").stringMap(),
		DirtyClock:      cmp.Or(set.text("dirty-clock"), "head"),
		History:         cmp.Or(set.text("history"), "locks"),
		Header:          set.text("header"),
		HasHeader:       set.get("header") != nil,
		AutospecVersion: cmp.Or(set.text("autospec-version"), "0.8.3"),
		TemplatesDir:    cmp.Or(set.get("templates-dir").path(), filepath.Join(dir, "templates")),
	}
	for _, e := range l.root.get("distros").entries() {
		p.Distros[e.name] = decodeDistro(e)
	}
	for _, e := range l.root.get("component-groups").entries() {
		g := &Group{Name: e.name, Pos: e.val.pos(), Description: e.val.text("description"), Components: e.val.get("components").strings()}
		g.Specs = e.val.get("specs").pathList()
		g.ExcludedPaths = e.val.get("excluded-paths").pathList()
		p.Groups[e.name] = g
	}
	p.findPins()
	p.findProfile()
	p.prepare()
	return p
}

func decodeDistroRef(v *value) DistroRef {
	return DistroRef{Name: v.text("name"), Version: v.text("version"), Snapshot: v.text("snapshot")}
}

func decodeDistro(e entry) *Distro {
	d := &Distro{
		Name: e.name, Pos: e.val.pos(), Description: e.val.text("description"),
		DefaultVersion: e.val.text("default-version"), DistGitBaseURI: e.val.text("dist-git-base-uri"),
		LookasideBaseURI: e.val.text("lookaside-base-uri"), MirrorBaseURIs: e.val.get("mirror-base-uri").strings(),
		DisableOrigins: e.val.flag("disable-origins"), Versions: map[string]*DistroVersion{},
	}
	if repos := e.val.get("repos"); repos != nil {
		for _, r := range repos.list {
			if uri := r.text("base-uri"); uri != "" {
				d.Repos = append(d.Repos, uri)
			}
		}
	}
	for _, ve := range e.val.get("versions").entries() {
		v := &DistroVersion{
			Name: ve.name, Pos: ve.val.pos(), Description: ve.val.text("description"), ReleaseVer: ve.val.text("release-ver"),
			DistGitBranch: ve.val.text("dist-git-branch"), MacroSet: ve.val.get("macro-set").path(), MockConfig: map[string]string{},
		}
		for _, arch := range []string{"", "x86_64", "aarch64"} {
			key := "mock-config"
			if arch != "" {
				key += "-" + arch
			}
			if path := ve.val.get(key).path(); path != "" {
				v.MockConfig[arch] = path
			}
		}
		d.Versions[ve.name] = v
	}
	return d
}
