package components

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"sync"

	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// CheckAll resolves every component with its overlay files and upstream, looks
// whether the files that it names are there, and returns their problems joined with those of loading, sorted. A problem of a
// place that several components share, such as a group's overlay, is reported
// once.
func (p *Project) CheckAll(loading diag.List) diag.List {
	names := p.Names()
	lists := make([]diag.List, len(names))
	var wg sync.WaitGroup
	const chunk = 256
	for start := 0; start < len(names); start += chunk {
		wg.Go(func() {
			for i := start; i < min(start+chunk, len(names)); i++ {
				lists[i] = p.CheckComponent(names[i])
			}
		})
	}
	wg.Wait()
	return p.JoinChecks(loading, lists)
}

// CheckComponent resolves a component with its overlay files and upstream,
// looks whether the files that it names are there, and returns its problems.
func (p *Project) CheckComponent(name string) diag.List {
	c, diags := p.Component(name)
	if c == nil {
		return diags
	}
	diags = slices.Concat(diags, p.checkFiles(c))
	if c.Spec.Type == "upstream" {
		_, more := p.Upstream(c)
		diags = append(diags, more...)
	}
	return diags
}

// JoinChecks joins the problems of all components with those of loading as
// CheckAll returns them.
func (p *Project) JoinChecks(loading diag.List, lists []diag.List) diag.List {
	type key struct{ at, code, message string }
	keyOf := func(d *diag.Diagnostic) key { return key{diag.Position(d.Pos), d.Code, d.Message} }
	all := diag.List{}
	first := map[key]int{}
	count := map[key]int{}
	for _, l := range append([]diag.List{loading, p.lost, p.discovered().diags}, lists...) {
		for i := range l {
			d, k := l[i], keyOf(&l[i])
			if d.Component != "" {
				count[k]++
			}
			at, ok := first[k]
			switch {
			case !ok || k.at == "":
				first[k] = len(all)
				all = append(all, d)
			case d.Severity < all[at].Severity:
				// Loading warns about defaults that nobody may use; a
				// component that uses them fails.
				all[at] = d
			}
		}
	}
	for k, n := range count {
		if d := &all[first[k]]; n > 1 && k.at != "" {
			d.Related = append(slices.Clone(d.Related), diag.Related{Message: fmt.Sprintf("%d components are affected, among them %s", n, d.Component)})
		}
	}
	all.Sort()
	return all
}

// checkFiles reports files of the project that a component names and that do
// not exist. Rendering would find out as well, one component at a time.
func (p *Project) checkFiles(c *Component) diag.List {
	var diags diag.List
	missing := func(path string, v *toml.Value, pos token.Position, code, what, name string) {
		if path == "" || v != nil && p.paths.confine(path, v) != nil {
			return // that it leads outside has been reported
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return
		} else if err == nil {
			diags.Add(pos, code, "%s %q is not a regular file", what, name)
		} else if errors.Is(err, fs.ErrNotExist) {
			d := diags.Add(pos, code, "%s %q does not exist", what, name)
			d.Hint = "paths are relative to the file they stand in: this is " + p.Display(path)
		}
	}
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if v := c.ops[i].Get("source"); v != nil {
			missing(op.Source, v, op.At("source"), "overlay/source", string(op.Type)+": source file", v.Str)
		}
	}
	if c.Spec.Type == "local" {
		pos, name := c.Pos, p.Display(c.Spec.Path)
		v := c.merged.Get("spec", "path")
		if v != nil {
			pos, name = v.Pos(), v.Str
		}
		missing(c.Spec.Path, v, pos, "config/no-spec", "spec file", name)
	}
	for i := range diags {
		diags[i].Component = c.Name
	}
	return diags
}
