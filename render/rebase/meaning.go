package rebase

import (
	"specgraft/overlay"
	"specgraft/render/review/semantic"
)

// SamePackaging reports whether two specs mean the same: evaluated for each
// architecture they have the same packages, dependencies, files and scripts, and
// read the same where the evaluation leaves something open.
func SamePackaging(a, b *overlay.Tree) bool {
	side := func(t *overlay.Tree) semantic.Packaging {
		return semantic.Packaging{Name: t.Spec.Name(), Spec: t.Spec.Normalized()}
	}
	d := semantic.Compare(side(a), side(b), semantic.Options{})
	return len(d.Changes) == 0
}
