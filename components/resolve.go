package components

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// resolved is what a component remembers about where its values came from.
type resolved struct {
	layers   []layer
	merged   *value
	ops      []*value // the overlays' tables, in the order of Overlays
	opLayers []string
	diags    diag.List
	origins  func() map[*value]string
}

// defaultLayers are the layers below the groups.
type defaultLayers struct {
	layers []layer
	merged *value
	diags  diag.List
}

// discovery is what the groups' spec globs found.
type discovery struct {
	specs  map[string]string   // component name to spec file
	groups map[string][]string // component name to groups whose globs found it
	where  map[string]*value   // component name to the first pattern that found it
	diags  diag.List
}

func (p *Project) prepare() {
	p.names = sync.OnceValue(p.allNames)
	p.discovered = sync.OnceValue(p.discover)
	p.base = sync.OnceValue(p.defaultLayers)
	p.memberOf = sync.OnceValue(func() map[string][]string {
		m := map[string][]string{}
		for name, g := range p.Groups {
			for _, c := range g.Components {
				if !slices.Contains(m[c], name) {
					m[c] = append(m[c], name)
				}
			}
		}
		for _, groups := range m {
			slices.Sort(groups)
		}
		return m
	})
}

// Names returns all component names, sorted: those of [components] and those
// that the groups' spec globs find.
func (p *Project) Names() []string { return slices.Clone(p.names()) }

func (p *Project) allNames() []string {
	found := p.discovered()
	comps := p.root.get("components")
	names := make([]string, 0, len(found.specs)+len(comps.names()))
	for _, e := range comps.entries() {
		names = append(names, e.name)
	}
	for name := range found.specs {
		if comps.entry(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// discover walks the spec globs of all groups, groups in order of their names.
func (p *Project) discover() *discovery {
	found := &discovery{specs: map[string]string{}, groups: map[string][]string{}, where: map[string]*value{}}
	groups := p.root.get("component-groups").entries()
	slices.SortFunc(groups, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for _, g := range groups {
		patterns := g.val.get("specs")
		if patterns == nil || patterns.kind != kindList {
			continue
		}
		excluded := p.Groups[g.name].ExcludedPaths
		for _, pattern := range patterns.list {
			if pattern.kind != kindString || pattern.str == "" || p.paths.confineGlob(pattern) != nil {
				continue // reported with the file
			}
			files, err := glob(pattern)
			if err != nil {
				found.diags.Add(pattern.pos(), "config/bad-value", "specs of component group %q: %q: %s", g.name, pattern.str, err).End = pattern.endPos()
				continue
			}
			for _, file := range files {
				if slices.ContainsFunc(excluded, func(x string) bool { ok, _ := doublestar.PathMatch(x, file); return ok }) {
					continue
				}
				if d := p.paths.confine(file, pattern); d != nil {
					d.Message = fmt.Sprintf("%q finds %s, which leads outside the project", pattern.str, p.paths.display(file))
					found.diags = append(found.diags, *d)
					continue
				}
				name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
				if !plainFileName(name) {
					found.diags.Add(pattern.pos(), "config/bad-name", "%s: component name %q must be %s", p.paths.display(file), name, fileNameFormat.What).End = pattern.endPos()
					continue
				}
				if first, ok := found.specs[name]; ok && first != file {
					d := found.diags.Add(pattern.pos(), "config/duplicate", "component %q has two specs: %s and %s", name, p.paths.display(first), p.paths.display(file))
					d.End = pattern.endPos()
					d.Related = []diag.Related{{Pos: found.where[name].pos(), Message: "the first is found by this pattern"}}
					continue
				} else if !ok {
					found.specs[name], found.where[name] = file, pattern
				}
				if !slices.Contains(found.groups[name], g.name) {
					found.groups[name] = append(found.groups[name], g.name)
				}
			}
		}
	}
	return found
}

// hasGlobs reports whether any group discovers components by spec files.
func (p *Project) hasGlobs() bool {
	for _, g := range p.Groups {
		if len(g.Specs) > 0 {
			return true
		}
	}
	return false
}

// defaultLayers merges the distro version's and the project's defaults. The
// distro is the project's own, not the upstream one.
func (p *Project) defaultLayers() *defaultLayers {
	b := &defaultLayers{}
	ref := p.root.get("project", "default-distro")
	version, _ := p.lookupVersion(&b.diags, p.DefaultDistro, ref, "project.default-distro")
	if version != nil {
		v := p.root.get("distros", p.DefaultDistro.Name, "versions", version.Name)
		if tab := v.get("default-component-config"); tab != nil && tab.kind == kindTable {
			b.layers = append(b.layers, layer{distroLayer(p.DefaultDistro.Name, version.Name), tab})
		}
	}
	if tab := p.root.get("default-component-config"); tab != nil && tab.kind == kindTable {
		b.layers = append(b.layers, layer{layerProject, tab})
	}
	b.merged = mergeLayers(b.layers)
	return b
}

var componentKey = Key{Type: Table, Keys: componentKeys}

func mergeLayers(layers []layer) *value {
	var m merger
	var merged *value
	for _, l := range layers {
		merged = m.into(merged, l.tab, &componentKey)
	}
	return merged
}

// lookupVersion looks up what a reference names. It reports at the reference.
func (p *Project) lookupVersion(list *diag.List, ref DistroRef, at *value, what string) (*DistroVersion, *Distro) {
	var pos, end token.Position
	if at != nil {
		pos, end = at.pos(), at.endPos()
	} else {
		pos.Filename = p.paths.display(p.File)
	}
	report := func(v *value, code, hint, format string, args ...any) {
		d := list.Add(pos, code, format, args...)
		d.End, d.Hint = end, hint
		if v != nil {
			d.Pos, d.End = v.pos(), v.endPos()
		}
	}
	if ref.Name == "" {
		report(at, "config/no-distro", `name one of [distros]: default-distro = { name = "..." }`, "no distro is selected in %s", what)
		return nil, nil
	}
	d := p.Distros[ref.Name]
	if d == nil {
		all := slices.Sorted(maps.Keys(p.Distros))
		report(at.get("name"), "config/unknown-reference", suggest(ref.Name, all, "distro"), "unknown distro %q in %s", ref.Name, what)
		return nil, nil
	}
	name := cmp.Or(ref.Version, d.DefaultVersion)
	if name == "" {
		report(at, "config/no-distro", fmt.Sprintf("give a version in %s, or a default-version in distros.%s", what, quoteKey(d.Name)), "no version of distro %q is selected", d.Name)
		return nil, d
	}
	v := d.Versions[name]
	if v == nil {
		all := slices.Sorted(maps.Keys(d.Versions))
		report(at.get("version"), "config/unknown-reference", suggest(name, all, "version"), "unknown version %q of distro %q in %s", name, d.Name, what)
		return nil, d
	}
	return v, d
}

func suggest(name string, all []string, what string) string {
	if n := nearestFold(name, all); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	if len(all) == 0 {
		return fmt.Sprintf("no %s is defined", what)
	}
	return "defined are " + strings.Join(all, ", ")
}

type resolution struct {
	c     *Component
	diags diag.List
}

// Component returns the fully merged component: the default distro version's
// defaults, the project's, those of its groups sorted by name, its own table,
// and the overlays of its overlay files. The result is shared and must not be
// changed. It is nil when there is no component of that name; when the list
// has errors the component must not be rendered.
func (p *Project) Component(name string) (*Component, diag.List) {
	f, ok := p.resolving.Load(name)
	if !ok {
		f, _ = p.resolving.LoadOrStore(name, sync.OnceValue(func() resolution {
			c, diags := p.resolve(name)
			for i := range diags {
				diags[i].Component = name
			}
			diags.Sort()
			return resolution{c, diags}
		}))
	}
	r := f.(func() resolution)()
	return r.c, r.diags
}

func (p *Project) resolve(name string) (*Component, diag.List) {
	var diags diag.List
	own := p.root.get("components").entry(name)
	spec, globGroups := p.specFile(name, &diags)
	if own == nil && spec == "" {
		d := diags.Add(noPos, "config/unknown-component", "there is no component %q", name)
		d.Hint = p.nearestComponent(name)
		return nil, diags
	}
	if own != nil && own.val.kind != kindTable {
		d := diags.Add(own.pos(), "config/wrong-type", "component %q must be a table", name)
		d.End = own.endPos()
		return nil, diags
	}
	base := p.base()
	diags = append(diags, base.diags...)

	groups := p.memberOf()[name]
	if len(globGroups) > 0 {
		groups = slices.Concat(groups, globGroups)
		slices.Sort(groups)
		groups = slices.Compact(groups)
	}
	c := &Component{Name: name, Groups: groups, resolved: &resolved{}}
	layers := base.layers
	merged := base.merged
	var m merger
	push := func(l layer) {
		layers = append(layers[:len(layers):len(layers)], l)
		merged = m.into(merged.frozen(), l.tab, &componentKey)
	}
	for _, g := range groups {
		if tab := p.root.get("component-groups", g, "default-component-config"); tab != nil && tab.kind == kindTable {
			push(layer{groupLayer(g), tab})
		}
	}
	inherited := merged
	if own != nil {
		c.Pos, c.File, c.Dir = own.val.pos(), own.src.path, own.src.dir
		if own.val.form != formHeader {
			c.Pos = own.pos()
		}
		if len(own.val.keys) > 0 {
			push(layer{layerComponent, own.val})
		}
	}
	c.layers, c.merged = layers, merged
	c.origins = sync.OnceValue(c.originMap)
	p.decode(c)
	if spec != "" {
		p.useSpec(c, spec, own, &diags)
		c.Spec.UpstreamDistro = decodeDistroRef(inherited.get("spec", "upstream-distro"))
	}
	p.checkMerged(c, &diags)
	p.addOverlayFiles(c, &diags)
	return c, diags
}

// frozen marks a merged value as shared, so that further merging copies it.
func (v *value) frozen() *value {
	if v == nil || v.form != formMerged {
		return v
	}
	f := *v
	f.form = formValue
	for i := range f.keys {
		if f.keys[i].val.form == formMerged {
			keys := slices.Clone(f.keys)
			for j := range keys {
				keys[j].val = keys[j].val.frozen()
			}
			f.keys = keys
			break
		}
	}
	return &f
}

// nearestComponent is the hint for an unknown name.
func (p *Project) nearestComponent(name string) string {
	names := p.names()
	if n := nearestFold(name, names); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return "'specgraft list' prints all names"
}

// specFile returns the spec that discovery found for a component, and the
// groups that found it.
func (p *Project) specFile(name string, diags *diag.List) (string, []string) {
	if path, ok := p.specFiles.Load(name); ok {
		return path.(string), p.groupsOf(path.(string))
	}
	if !p.hasGlobs() {
		return "", nil
	}
	found := p.discovered()
	for _, d := range found.diags {
		*diags = append(*diags, d)
	}
	return found.specs[name], found.groups[name]
}

// groupsOf returns the groups whose spec globs match a file.
func (p *Project) groupsOf(file string) []string {
	var names []string
	for name, g := range p.Groups {
		match := func(x string) bool { ok, _ := doublestar.PathMatch(x, file); return ok }
		if slices.ContainsFunc(g.Specs, match) && !slices.ContainsFunc(g.ExcludedPaths, match) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// useSpec makes a component one of the local spec file that was found for it.
func (p *Project) useSpec(c *Component, spec string, own *entry, diags *diag.List) {
	if own == nil {
		c.Dir = filepath.Dir(spec)
		c.Pos = token.Position{Filename: p.paths.display(spec)}
	} else if path := own.val.get("spec", "path"); path != nil && path.path() != "" && path.path() != spec {
		d := diags.Add(path.pos(), "config/conflict", "component %q has the spec path %q, but a group finds %s", c.Name, path.str, p.paths.display(spec))
		d.End = path.endPos()
		if w := p.discovered().where[c.Name]; w != nil {
			d.Related = []diag.Related{{Pos: w.pos(), Message: "found by this pattern"}}
		}
	}
	c.Spec = Spec{Type: "local", Path: spec}
}

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
	c.Render.SkipFileFilter = t.flag("render", "skip-file-filter")
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

// checkMerged holds the rules for the merged component, which azldev checks
// when it uses one.
func (p *Project) checkMerged(c *Component, diags *diag.List) {
	t := c.merged
	chk := &checker{permissive: true}
	at := (&trail{up: &trail{}, name: "components"}).key(c.Name)
	build := componentKey.find("build")
	for _, name := range []string{"check", "failure"} {
		b, k := t.get("build", name), build.find(name)
		if b == nil || b.kind != kindTable {
			continue
		}
		for i := range k.Rules {
			// What the component's own table says is checked with its file.
			if e := b.entry(k.Rules[i].Key); e != nil && c.origins()[e.val] != layerComponent {
				chk.rule(b, k, &k.Rules[i], at.key("build").key(name))
			}
		}
	}
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Layer != layerComponent { // those of the component's own table are checked with its file
			chk.diags = append(chk.diags, op.Validate()...)
		}
		if src := c.ops[i].get("source"); src != nil {
			p.confined(&chk.diags, src)
		}
	}
	if v := t.get("spec", "path"); v != nil && c.Spec.Type == "local" && c.Spec.Path == v.path() {
		p.confined(&chk.diags, v)
	}
	if v := t.get("spec", "srpm"); v != nil && !strings.Contains(v.str, "://") {
		p.confined(&chk.diags, v)
	}
	if files := t.get("source-files"); files != nil && files.form == formMerged {
		checkSourceFiles(chk, t, at)
	}
	p.checkArchives(chk, c)
	*diags = append(*diags, chk.diags...)
}

// checkArchives ties archive overlays to the source files they change.
func (p *Project) checkArchives(chk *checker, c *Component) {
	declared := map[string]int{}
	for i, f := range c.SourceFiles {
		if f.Origin.Type == "overlay" {
			declared[f.Filename] = i
		}
	}
	used := map[string]bool{}
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Archive == "" {
			continue
		}
		if _, ok := declared[op.Archive]; !ok && !used[op.Archive] {
			d := chk.diags.Add(op.At("archive"), "config/archive", "archive %q is changed but is no source file of the component", op.Archive)
			d.Hint = fmt.Sprintf(`add a source-files entry with filename = %q and origin = { type = "overlay" }`, op.Archive)
		}
		used[op.Archive] = true
	}
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Archive != "" || op.File == "" || op.Type == overlay.FileAdd || op.Type == overlay.PatchAdd || op.Type == overlay.PatchRemove {
			continue
		}
		for name := range used {
			if ok, _ := doublestar.Match(op.File, name); ok {
				d := chk.diags.Add(op.At("file"), "config/archive", "%q also matches the archive %q, which other overlays change inside", op.File, name)
				d.Hint = "exclude the archive from the pattern"
			}
		}
	}
	for _, f := range c.SourceFiles {
		if f.Origin.Type == "overlay" && !used[f.Filename] {
			d := chk.diags.Add(f.Pos, "config/archive", "source file %q has the origin type \"overlay\", but no overlay changes it", f.Filename)
			d.Hint = fmt.Sprintf("add an overlay with archive = %q, or remove the entry", f.Filename)
		}
	}
}

// An overlayDocument is a loaded overlay file.
type overlayDocument struct {
	root  *value
	ops   []overlay.Op
	vals  []*value
	diags diag.List
}

// addOverlayFiles appends the overlays of the component's overlay files.
func (p *Project) addOverlayFiles(c *Component, diags *diag.List) {
	list := c.merged.get("overlay-files")
	if list == nil || list.kind != kindList || len(list.list) == 0 {
		return
	}
	seen := map[string]bool{}
	for _, pattern := range list.list {
		if pattern.kind != kindString || pattern.str == "" {
			continue
		}
		if c.Dir == "" && !filepath.IsAbs(pattern.str) {
			diags.Add(pattern.pos(), "config/overlay-file", "overlay file %q is relative, but the component is not defined in a file", pattern.str).End = pattern.endPos()
			continue
		}
		// Patterns stay relative to the component, wherever they come from.
		at := *pattern
		at.src = &source{name: pattern.src.name, path: pattern.src.path, text: pattern.src.text, dir: c.Dir, trusted: pattern.src.trusted}
		if d := p.paths.confineGlob(&at); d != nil {
			*diags = append(*diags, *d)
			continue
		}
		files, err := glob(&at)
		if err != nil {
			diags.Add(pattern.pos(), "config/bad-value", "overlay-files: %q: %s", pattern.str, err).End = pattern.endPos()
			continue
		}
		if len(files) == 0 && !strings.ContainsAny(pattern.str, "*?[") {
			d := diags.Add(pattern.pos(), "config/overlay-file", "overlay file %q does not exist", pattern.str)
			d.End = pattern.endPos()
			d.Hint = "paths are relative to " + p.paths.display(c.Dir) + string(filepath.Separator)
			continue
		}
		slices.SortFunc(files, func(a, b string) int {
			return cmp.Or(cmp.Compare(filepath.Base(a), filepath.Base(b)), cmp.Compare(a, b))
		})
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			if d := p.paths.confine(file, &at); d != nil {
				*diags = append(*diags, *d)
				continue
			}
			doc := p.overlayDocument(file, at.src.trusted)
			*diags = append(*diags, doc.diags...)
			for i := range doc.ops {
				c.Overlays = append(c.Overlays, doc.ops[i])
				c.ops = append(c.ops, doc.vals[i])
				c.opLayers = append(c.opLayers, layerDocument)
			}
		}
	}
}

// overlayDocument loads an overlay file once.
func (p *Project) overlayDocument(file string, trusted bool) *overlayDocument {
	f, ok := p.overlays.Load(file)
	if !ok {
		f, _ = p.overlays.LoadOrStore(file, sync.OnceValue(func() *overlayDocument {
			src := &source{name: p.paths.display(file), path: file, dir: filepath.Dir(file), trusted: trusted}
			doc := &overlayDocument{}
			data, err := readRegular(file, maxDocument)
			if err != nil {
				d := doc.diags.Add(token.Position{Filename: src.name}, "config/read", "cannot read the overlay file: %s", reason(err))
				d.Env = !errors.Is(err, os.ErrNotExist)
				return doc
			}
			src.text = string(data)
			doc.read(src, p.opt.Permissive, true)
			for _, v := range doc.vals {
				p.confined(&doc.diags, v.get("source"))
			}
			return doc
		}))
	}
	return f.(func() *overlayDocument)()
}

// read decodes an overlay document. A strict one has metadata of its own and
// none on its overlays.
func (doc *overlayDocument) read(src *source, permissive, strict bool) {
	root, diags := readDocument(src)
	doc.root, doc.diags = root, diags
	key := documentKey
	key.Keys = slices.Clone(documentKey.Keys)
	key.find("metadata").Required = strict
	broken := len(diags) > 0
	if root.entry("overlays").empty() && !broken {
		d := doc.diags.Add(token.Position{Filename: src.name, Line: 1, Column: 1}, "config/overlay-file", "overlay file declares no overlays")
		if e := root.entry("overlays"); e != nil {
			d.Pos, d.End = e.pos(), e.endPos()
		}
		d.Hint = "each overlay has a header: [[overlays]]"
		key.find("overlays").Required = false
	}
	c := &checker{permissive: permissive}
	c.value(root, &key, &trail{})
	if permissive {
		for i := range c.diags {
			if meta := root.get("metadata"); meta != nil && c.diags[i].Pos.Offset >= int(meta.off) && strings.HasPrefix(c.diags[i].Code, "config/") && !insideList(root.get("overlays"), c.diags[i].Pos.Offset) {
				c.diags[i].Severity = diag.Warning
			}
		}
	}
	doc.diags = append(doc.diags, c.diags...)
	list := root.get("overlays")
	if list == nil || list.kind != kindList {
		return
	}
	meta := decodeMetadata(root.get("metadata"))
	for _, o := range list.list {
		if o.kind != kindTable {
			continue
		}
		op := decodeOp(o)
		op.Layer = layerDocument
		if e := o.entry("metadata"); e != nil && strict {
			d := doc.diags.Add(e.pos(), "config/conflict", "metadata stands once in an overlay file, not on an overlay")
			d.End = e.endPos()
			d.Hint = "the file's [metadata] applies to all its overlays; use another file for another reason"
		}
		if op.Metadata == nil {
			op.Metadata = meta
		}
		doc.ops = append(doc.ops, op)
		doc.vals = append(doc.vals, o)
	}
}

func (e *entry) empty() bool { return e == nil || e.val.zero() }

func insideList(v *value, off int) bool {
	return v != nil && v.kind == kindList && len(v.list) > 0 && off >= int(v.list[0].off)
}

// Customised reports whether anything but the component's place in upstream is
// configured, in its own table or by inheritance.
func (c *Component) Customised() bool {
	b := &c.Build
	return len(c.Overlays) > 0 || len(b.With)+len(b.Without)+len(b.Defines)+len(b.Undefines) > 0 ||
		b.EmitUpstreamProvenance || b.Check.Skip || c.Render.SkipFileFilter || len(c.SourceFiles) > 0 ||
		c.Spec.UpstreamCommit != "" || c.Spec.UpstreamName != "" && c.Spec.UpstreamName != c.Name ||
		c.Release.Calculation != "auto" || c.merged.get("overlay-files") != nil && len(c.merged.get("overlay-files").list) > 0
}
