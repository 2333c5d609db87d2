package components

import (
	"fmt"
	"slices"
	"sync"

	"specgraft/overlay/diag"
)

// CheckAll resolves every component with its overlay files and upstream, and
// returns their problems joined with those of loading, sorted. A problem of a
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
				c, diags := p.Component(names[i])
				lists[i] = diags
				if c != nil && c.Spec.Type == "upstream" {
					_, more := p.Upstream(c)
					lists[i] = slices.Concat(diags, more)
				}
			}
		})
	}
	wg.Wait()
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
