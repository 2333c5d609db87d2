package facts

import (
	"context"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/render/review/semantic"
	"specgraft/render/revision"
)

// A Change is what differs in meaning between two versions of a component. The
// zero value is none.
type Change struct {
	What []string // what changed, in few words
	// Packages are the packages that changed, when it is not all of them.
	Packages map[string]bool
}

// ownClasses are the changes that concern the package they are about alone. All
// others change how everything is built.
var ownClasses = map[semantic.Class]bool{semantic.Dependency: true, semantic.Scriptlet: true, semantic.Files: true, semantic.Description: true}

var ownTags = map[string]bool{"summary": true, "group": true, "url": true, "license": true}

// Changed compares a component in two commits as it is rendered there: what its
// spec means, and the files beside it. Comments, spacing and whatever else comes to
// the same are no change, nor is %changelog.
func (l *Loader) Changed(ctx context.Context, from, to *revision.Revision, name string) (Change, diag.List) {
	var sides [2]semantic.Packaging
	for i, rev := range []*revision.Revision{from, to} {
		s, problems := l.spec(ctx, rev, name, l.Config)
		if problems.HasErrors() {
			return Change{}, problems
		}
		if s == nil { // it failed to render
			return Change{What: []string{"spec"}}, nil
		}
		files, err := rev.Files(name)
		if err != nil {
			return Change{}, problem(name, err)
		}
		sides[i] = semantic.Packaging{Name: s.Name, Spec: s.Text, FS: s.Config.FS, Files: map[string]string{}}
		for _, f := range files {
			if f.Path == s.Name {
				continue
			}
			sides[i].Files[f.Path] = f.ID
			if f.Link {
				sides[i].Files[f.Path] = "link:" + f.ID
			}
		}
	}
	cfg, err := l.Evaluation(name, l.Config)
	if err != nil {
		return Change{}, problem(name, err)
	}
	arch := cfg.Arch
	if arch == "" {
		arch = "x86_64"
	}
	diff := semantic.Compare(sides[0], sides[1], semantic.Options{Archs: []string{arch}, Config: cfg})
	c := Change{Packages: map[string]bool{}}
	for i := range diff.Changes {
		d := &diff.Changes[i]
		if d.Class == semantic.Changelog {
			continue
		}
		c.What = append(c.What, d.Summary())
		switch {
		case !(ownClasses[d.Class] || d.Class == semantic.Tag && ownTags[d.What]) || strings.HasPrefix(d.What, "build"):
			c.Packages = nil
		case c.Packages != nil:
			c.Packages[d.Package] = true
		}
	}
	return c, nil
}
