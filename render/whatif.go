package render

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"specgraft/fedora/macro"
	"specgraft/fedora/macro/report"
	"specgraft/overlay/diag"
)

// A WhatIf is what other settings would change in a component.
type WhatIf struct {
	Component string
	// Changes has, for each of the settings, what differs from the component as it
	// is now; an empty list where nothing does.
	Changes [][]report.Difference
	// Rejected has, for each of the settings, why rpm would no longer take the
	// spec; "" where it would, or does not take it now.
	Rejected []string
	Problems diag.List // of rendering; with errors there is nothing else
}

// Changed reports whether one of the settings changes something.
func (w *WhatIf) Changed() bool {
	for i := range w.Changes {
		if len(w.Changes[i]) > 0 || w.Rejected[i] != "" {
			return true
		}
	}
	return false
}

// WhatIf evaluates rendered components as cfg says, and once more for each of the
// settings. The components come out in the order of names.
func (r *Renderer) WhatIf(ctx context.Context, names []string, cfg macro.Config, settings []macro.Config) ([]WhatIf, error) {
	out := make([]WhatIf, len(names))
	var pool errgroup.Group
	pool.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		pool.Go(func() error {
			if ctx.Err() == nil {
				out[i] = r.whatIf(ctx, name, cfg, settings)
			}
			return nil
		})
	}
	pool.Wait()
	return out, ctx.Err()
}

func (r *Renderer) whatIf(ctx context.Context, name string, cfg macro.Config, settings []macro.Config) WhatIf {
	w := WhatIf{Component: name, Changes: make([][]report.Difference, len(settings)), Rejected: make([]string, len(settings))}
	// Without settings the evaluation below is the one of Render, which need not be
	// made twice.
	draw, plain := r.Render, r.examinesAs(cfg)
	if plain {
		draw = r.Draft
	}
	res := draw(ctx, name)
	if res.Failed() {
		w.Problems = res.Diags
		return w
	}
	evaluate := func(cfg macro.Config) (*report.Report, *diag.Diagnostic) {
		cfg, err := r.Evaluation(res.Config, cfg)
		if err != nil {
			w.Problems = Diagnostics(err, res.Config)
			return nil, nil
		}
		cfg.FS = res.FS()
		s := macro.Eval(name+".spec", res.Text(), cfg)
		return report.New(s, name+".spec", cfg.Arch), s.Rejected()
	}
	before, rejected := evaluate(cfg)
	if plain && rejected != nil { // which fails the component, unless it is allowed to
		if full := r.Render(ctx, name); full.Failed() {
			w.Problems = full.Diags
			return w
		}
	}
	for i, other := range settings {
		after, bad := evaluate(other)
		if before == nil || after == nil {
			return w
		}
		if bad != nil && rejected == nil {
			w.Rejected[i] = bad.Message
		}
		diffs := report.Differences(before, after)
		if before.Arch != after.Arch {
			diffs = withoutArch(diffs)
		}
		w.Changes[i] = diffs
	}
	return w
}

// examinesAs reports whether an evaluation rejects the specs that fail to render,
// and no others: it has no settings, and findings of lint fail nothing.
func (r *Renderer) examinesAs(cfg macro.Config) bool {
	return cfg.Set == nil && (cfg.Arch == "" || cfg.Arch == "x86_64") && !r.Lint &&
		len(cfg.Defines)+len(cfg.With)+len(cfg.Without)+len(cfg.Undefines) == 0
}

// withoutArch leaves out what differs between all packages of two architectures:
// the architecture in the parentheses of dependencies, and compiler flags and host
// names in scripts.
func withoutArch(diffs []report.Difference) []report.Difference {
	same := func(s *string) string {
		if s == nil {
			return ""
		}
		return isaOf.Replace(*s)
	}
	count := map[[2]string]int{}
	for _, d := range diffs {
		if d.Before != nil {
			count[[2]string{d.Field, same(d.Before)}]++
		}
		if d.After != nil {
			count[[2]string{d.Field, same(d.After)}]--
		}
	}
	return slices.DeleteFunc(diffs, func(d report.Difference) bool {
		if strings.HasPrefix(d.Field, "%") {
			return true
		}
		for _, s := range []*string{d.Before, d.After} {
			if s != nil && isaOf.Replace(*s) != *s && count[[2]string{d.Field, same(s)}] == 0 {
				return true // the other architecture has its counterpart
			}
		}
		return false
	})
}

// isaOf takes the architecture out of what %{?_isa} expands to.
var isaOf = strings.NewReplacer("(x86-64)", "()", "(aarch-64)", "()", "(x86-32)", "()", "(ppc-64)", "()", "(s390-64)", "()",
	"(riscv-64)", "()", "(armv7hl-32)", "()")
