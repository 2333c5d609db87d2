package components

import (
	"cmp"
	"fmt"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/components/distro"
	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// resolved is what a component remembers about where its values came from.
type resolved struct {
	layers   []layer
	merged   *toml.Value
	ops      []*toml.Value // the overlays' tables, in the order of Overlays
	opLayers []string
	origins  func() map[*toml.Value]string
	parts    []toml.Entry // the component's own tables, one for each file
}

// defaultLayers are the layers below the groups.
type defaultLayers struct {
	layers []layer
	merged *toml.Value
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
	comps := p.root.Get("components")
	entries := comps.Entries()
	names := make([]string, 0, len(found.specs)+len(entries))
	for _, e := range entries {
		if !p.isOrphan(e.Name) {
			names = append(names, e.Name)
		}
	}
	for name := range found.specs {
		if comps.Entry(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// defaultLayers merges the distro version's and the project's defaults. The
// distro is the project's own, not the upstream one.
func (p *Project) defaultLayers() *defaultLayers {
	b := &defaultLayers{}
	ref := p.root.Get("project", "default-distro")
	version, _ := p.lookupVersion(&b.diags, p.DefaultDistro, ref, "project.default-distro")
	if version != nil {
		v := p.root.Get("distros", p.DefaultDistro.Name, "versions", version.Name)
		if tab := v.Get("default-component-config"); tab != nil && tab.Kind == toml.KindTable {
			b.layers = append(b.layers, layer{distroLayer(p.DefaultDistro.Name, version.Name), tab})
		}
	}
	if tab := p.root.Get("default-component-config"); tab != nil && tab.Kind == toml.KindTable {
		b.layers = append(b.layers, layer{layerProject, tab})
	}
	b.merged = mergeLayers(b.layers)
	return b
}

func mergeLayers(layers []layer) *toml.Value {
	var m merger
	var merged *toml.Value
	for _, l := range layers {
		merged = m.into(merged, l.tab, &schema.ComponentKey)
	}
	return merged
}

// lookupVersion looks up what a reference names. It reports at the reference.
func (p *Project) lookupVersion(list *diag.List, ref distro.Ref, at *toml.Value, what string) (*distro.Version, *distro.Distro) {
	var pos, end token.Position
	if at != nil {
		pos, end = at.Pos(), at.EndPos()
	} else {
		pos.Filename = p.paths.display(p.File)
	}
	report := func(v *toml.Value, code, hint, format string, args ...any) {
		d := list.Add(pos, code, format, args...)
		d.End, d.Hint = end, hint
		if v != nil {
			d.Pos, d.End = v.Pos(), v.EndPos()
		}
	}
	if ref.Name == "" {
		report(at, "config/no-distro", `name one of [distros]: default-distro = { name = "..." }`, "no distro is selected in %s", what)
		return nil, nil
	}
	d := p.Distros[ref.Name]
	if d == nil {
		all := slices.Sorted(maps.Keys(p.Distros))
		report(at.Get("name"), "config/unknown-reference", suggest(ref.Name, all, "distro"), "unknown distro %q in %s", ref.Name, what)
		return nil, nil
	}
	name := cmp.Or(ref.Version, d.DefaultVersion)
	if name == "" {
		report(at, "config/no-distro", fmt.Sprintf("give a version in %s, or a default-version in distros.%s", what, toml.QuoteKey(d.Name)), "no version of distro %q is selected", d.Name)
		return nil, d
	}
	v := d.Versions[name]
	if v == nil {
		all := slices.Sorted(maps.Keys(d.Versions))
		report(at.Get("version"), "config/unknown-reference", suggest(name, all, "version"), "unknown version %q of distro %q in %s", name, d.Name, what)
		return nil, d
	}
	return v, d
}

func suggest(name string, all []string, what string) string {
	if n := diag.Nearest(name, all); n != "" {
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
	parts := p.definitions(name)
	spec, globGroups := p.specFile(name, &diags)
	if parts != nil && spec == "" && p.isOrphan(name) {
		d := diags.Add(parts[0].Pos(), "pin/orphan", "there is no component %q, only its generated pin is left", name)
		d.Hint = "run `specgraft update -a` to remove it"
		return nil, diags
	}
	if parts == nil && spec == "" {
		d := diags.Add(toml.NoPos, "config/unknown-component", "there is no component %q", name)
		d.Hint = p.nearestComponent(name)
		return nil, diags
	}
	for _, own := range parts {
		if own.Val.Kind != toml.KindTable {
			d := diags.Add(own.Pos(), "config/wrong-type", "component %q must be a table", name)
			d.End = own.EndPos()
			return nil, diags
		}
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
		merged = m.into(merged.Frozen(), l.tab, &schema.ComponentKey)
	}
	for _, g := range groups {
		if tab := p.root.Get("component-groups", g, "default-component-config"); tab != nil && tab.Kind == toml.KindTable {
			push(layer{groupLayer(g), tab})
		}
	}
	inherited := merged
	for i := range parts {
		own := &parts[i]
		if !p.generated[own.Src.Path] || c.File == "" {
			c.Pos, c.File, c.Dir = own.Val.Pos(), own.Src.Path, own.Src.Dir
			if own.Val.Form != toml.FormHeader {
				c.Pos = own.Pos()
			}
		}
		if len(own.Val.Keys) > 0 {
			push(layer{layerComponent, own.Val})
		}
	}
	c.layers, c.merged = layers, merged
	c.parts = parts
	c.origins = sync.OnceValue(c.originMap)
	p.decode(c)
	if spec != "" {
		var own *toml.Entry
		if parts != nil {
			own = &toml.Entry{Name: name, Off: parts[0].Off, End: parts[0].End, Src: parts[0].Src, Val: p.root.Get("components", name)}
		}
		p.useSpec(c, spec, own, &diags)
		c.Spec.UpstreamDistro = distro.ReadRef(inherited.Get("spec", "upstream-distro"))
	}
	p.checkMerged(c, &diags)
	p.addOverlayFiles(c, &diags)
	p.checkParts(c, &diags)
	return c, diags
}

// Prospect returns a component as it would be if its table had nothing but
// spec.type = "upstream", and as it is without its pin if it is one already.
func (p *Project) Prospect(name string) (*Component, diag.List) {
	if slices.Contains(p.names(), name) {
		c, diags := p.Component(name)
		if c == nil || diags.HasErrors() || c.IsUpstream() {
			if c != nil {
				own := *c
				own.Spec.UpstreamCommit = ""
				c = &own
			}
			return c, diags
		}
	}
	base := p.base()
	c := &Component{Name: name, resolved: &resolved{layers: base.layers, merged: base.merged}}
	c.Pos.Filename = p.paths.display(p.File)
	if base.merged.Get("spec", "upstream-distro") == nil {
		d := diag.Diagnostic{Pos: c.Pos, Code: "config/no-distro", Component: name,
			Message: "no default-component-config says from which distro packaging comes",
			Hint:    "set spec.upstream-distro = { name = ... } in a default-component-config"}
		return c, append(base.diags[:len(base.diags):len(base.diags)], d)
	}
	c.origins = sync.OnceValue(c.originMap)
	p.decode(c)
	c.Spec.Type, c.Spec.Path, c.Spec.UpstreamCommit, c.Spec.UpstreamName, c.Spec.SRPM = "upstream", "", "", "", ""
	return c, base.diags
}

// definitions returns the tables of a component in the order of merging, nil
// when no file has one.
func (p *Project) definitions(name string) []toml.Entry {
	if parts := p.parts[name]; parts != nil {
		return parts
	}
	if e := p.root.Get("components").Entry(name); e != nil {
		return []toml.Entry{*e}
	}
	return nil
}

// nearestComponent is the hint for an unknown name, which may be the path of
// something that belongs to a component.
func (p *Project) nearestComponent(name string) string {
	names := p.names()
	if base := path.Base(filepath.ToSlash(name)); base != name || strings.Contains(name, ".") {
		for _, suffix := range []string{"", ".comp.toml", ".toml", ".spec"} {
			if n, ok := strings.CutSuffix(base, suffix); ok && slices.Contains(names, n) {
				return fmt.Sprintf("did you mean %q?", n)
			}
		}
	}
	if n := diag.Nearest(name, names); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return "'specgraft list' prints all names"
}

// checkMerged holds the rules for the merged component, which azldev checks
// when it uses one.
func (p *Project) checkMerged(c *Component, diags *diag.List) {
	t := c.merged
	chk := &schema.Checker{Permissive: true}
	at := (&schema.Trail{Up: &schema.Trail{}, Name: "components"}).Key(c.Name)
	build := schema.ComponentKey.Find("build")
	for _, name := range []string{"check", "failure"} {
		b, k := t.Get("build", name), build.Find(name)
		if b == nil || b.Kind != toml.KindTable {
			continue
		}
		for i := range k.Rules {
			// What the component's own table says is checked with its file.
			if e := b.Entry(k.Rules[i].Key); e != nil && c.origins()[e.Val] != layerComponent {
				chk.Rule(b, k, &k.Rules[i], at.Key("build").Key(name))
			}
		}
	}
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Layer != layerComponent { // those of the component's own table are checked with its file
			chk.Diags = append(chk.Diags, schema.ValidateOp(c.ops[i])...)
		}
		if src := c.ops[i].Get("source"); src != nil {
			p.confined(&chk.Diags, src)
		}
	}
	if v := t.Get("spec", "path"); v != nil && c.Spec.Type == "local" && c.Spec.Path == v.Path() {
		p.confined(&chk.Diags, v)
	}
	if v := t.Get("spec", "srpm"); v != nil && !strings.Contains(v.Str, "://") {
		p.confined(&chk.Diags, v)
	}
	if files := t.Get("source-files"); files != nil && files.Form == toml.FormMerged {
		schema.CheckSourceFiles(chk, t, at)
	}
	if refs := t.Get("tests", "tests"); refs != nil && refs.Form == toml.FormMerged {
		p.checkTestsTwice(chk, refs.Elements(), fmt.Sprintf("component %q", c.Name), false)
	}
	p.checkArchives(chk, c)
	*diags = append(*diags, chk.Diags...)
}

// checkArchives ties archive overlays to the source files they change.
func (p *Project) checkArchives(chk *schema.Checker, c *Component) {
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
		if _, ok := declared[op.Archive]; !ok && !used[op.Archive] && !p.opt.OpenArchives {
			d := chk.Diags.Add(op.At("archive"), "config/archive", "archive %q is changed but is no source file of the component", op.Archive)
			d.Hint = fmt.Sprintf(`add a source-files entry with filename = %q and origin = { type = "overlay" }`, op.Archive)
		}
		used[op.Archive] = true
	}
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Archive != "" || op.File == "" || overlay.CheckGlob(op.File) != nil || op.Type == overlay.FileAdd || op.Type == overlay.PatchAdd || op.Type == overlay.PatchRemove {
			continue
		}
		for name := range used {
			if ok, _ := doublestar.Match(op.File, name); ok {
				d := chk.Diags.Add(op.At("file"), "config/archive", "%q also matches the archive %q, which other overlays change inside", op.File, name)
				d.Hint = "exclude the archive from the pattern"
			}
		}
	}
	for _, f := range c.SourceFiles {
		if f.Origin.Type == "overlay" && !used[f.Filename] && !p.opt.OpenArchives {
			d := chk.Diags.Add(f.Pos, "config/archive", "source file %q has the origin type \"overlay\", but no overlay changes it", f.Filename)
			d.Hint = fmt.Sprintf("add an overlay with archive = %q, or remove the entry", f.Filename)
		}
	}
}

// Customised reports whether anything but the component's place in upstream is
// configured, in its own table or by inheritance.
func (c *Component) Customised() bool {
	b := &c.Build
	return len(c.Overlays) > 0 || len(b.With)+len(b.Without)+len(b.Defines)+len(b.Undefines) > 0 ||
		b.EmitUpstreamProvenance || b.Check.Skip || c.Render.SkipFileFilter || len(c.SourceFiles) > 0 ||
		c.Spec.UpstreamCommit != "" || c.Spec.UpstreamName != "" && c.Spec.UpstreamName != c.Name ||
		c.Release.Calculation != "auto" || c.merged.Get("overlay-files") != nil && len(c.merged.Get("overlay-files").List) > 0
}
