package render

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"os"

	"specgraft/components"
	"specgraft/fedora/autospec"
	"specgraft/overlay/diag"
)

// inputs returns a digest of everything that a rendered component follows from,
// and its upstream commit. It is false for components whose inputs are not all
// known before they are rendered (local ones, templates, source packages, smart
// releases) and for those with a problem: they are rendered.
func (r *Renderer) inputs(ctx context.Context, name string) (sum [sha256.Size]byte, commit string, ok bool) {
	c, problems := r.Project.Component(name)
	if len(problems) > 0 || c == nil || !validName(name) || aliasName(name) != "" || !c.IsUpstream() || c.Spec.Type == "template" ||
		c.Release.Calculation == autospec.CalculationSmart {
		return sum, "", false
	}
	u, problems := r.Project.Upstream(c)
	if len(problems) > 0 || u.Source == "srpm" || r.AllowShallow { // a history that is cut off may grow
		return sum, "", false
	}
	r.setup()
	h := sha256.New()
	pins := r.history != nil && r.history.pins != nil
	fmt.Fprintf(h, "1 %t %t %q %t %t %t %t %t %q %d\n", r.Project.WithoutLocks, pins, r.Build, r.Lint, r.AllowOutside, r.SkipLockValidation, r.Unfiltered, r.WithoutHistory, r.Strict, r.now().UnixNano())
	wd, err := os.Getwd() // messages may be relative to it
	if err != nil {
		return sum, "", false
	}
	fmt.Fprintf(h, "%q\n", wd)
	h.Write(r.Project.Digest(c))
	locked, err := r.lock(name)
	if err != nil {
		return sum, "", false
	}
	if locked != nil {
		fmt.Fprintf(h, "%+v\n", *locked)
	}
	if commit, err = r.Store.Resolve(ctx, Request(c, u, locked)); err != nil {
		return sum, "", false
	}
	fmt.Fprintf(h, "%q %q\n", u.URL, commit)
	if !r.WithoutHistory {
		changes, err := r.changes(ctx, c, commit)
		if err != nil {
			return sum, "", false
		}
		if err := json.NewEncoder(h).Encode(changes); err != nil {
			return sum, "", false
		}
	}
	if !r.hashFiles(h, c) {
		return sum, "", false
	}
	h.Sum(sum[:0])
	return sum, commit, true
}

// Inputs returns a digest of everything that the rendered component follows from.
// It is false where that is not known before it is rendered.
func (r *Renderer) Inputs(ctx context.Context, name string) (sum [sha256.Size]byte, ok bool) {
	sum, _, ok = r.inputs(ctx, name)
	return sum, ok
}

// hashFiles adds the files that a component's configuration names.
func (r *Renderer) hashFiles(h hash.Hash, c *components.Component) bool {
	for _, name := range r.namedFiles(c) {
		data, mode, err := r.sources.open(name)
		if err != nil {
			return false
		}
		fmt.Fprintf(h, "%q %o %d\n", name, mode, len(data))
		h.Write(data)
	}
	return true
}

// namedFiles returns the files that a component's configuration names: its macro
// set and the sources of its overlays.
func (r *Renderer) namedFiles(c *components.Component) []string {
	var names []string
	if file, _ := r.Project.MacroSet(c); file != "" {
		names = append(names, file)
	}
	for i := range c.Overlays {
		if src := c.Overlays[i].Source; src != "" {
			names = append(names, src)
		}
	}
	return names
}

// stillThere reports whether the inputs of a component are what they were before
// it was rendered. Only files can have changed in the meantime.
func (r *Renderer) stillThere(ctx context.Context, c *components.Component, before [sha256.Size]byte) bool {
	if len(r.namedFiles(c)) == 0 {
		return true
	}
	now, _, ok := r.inputs(ctx, c.Name)
	return ok && now == before
}

// reuse returns the outcome of a component that is known to be as it would be
// rendered, nil for one that has to be rendered.
func (r *Renderer) reuse(out *Output, x *treeIndex, name string, inputs [sha256.Size]byte) *Outcome {
	known := x.get(name, inputs)
	if known == nil || !x.unchanged(out, name, known) {
		return nil
	}
	warnings, ok := known.warnings()
	if !ok {
		return nil
	}
	return &Outcome{Component: name, Status: OK, Commit: known.commit, Diags: warnings}
}

// remember notes that a component is in the tree as it was rendered.
func (x *treeIndex) remember(out *Output, res *Result, inputs [sha256.Size]byte, diags diag.List) {
	packed, ok := packWarnings(diags)
	files := describe(out, res.Component, res.Files)
	if !ok || files == nil {
		x.put(res.Component, nil)
		return
	}
	x.put(res.Component, &indexed{inputs: inputs, commit: res.Upstream.Commit, diags: packed, files: files})
}
