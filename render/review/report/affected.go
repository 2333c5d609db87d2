package report

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/render/review/semantic"
)

// maxLost bounds the names that other components are searched for.
const maxLost = 2000

// lost returns what the change takes away, with the component that had it:
// packages and what they provided.
func (b *builder) lost() map[string]string {
	gone, there := map[string]string{}, map[string]bool{}
	for i := range b.report.Components {
		c := &b.report.Components[i]
		for _, ch := range c.Changes {
			name := func(p *string) string {
				if p == nil {
					return ""
				}
				n, _, _ := strings.Cut(*p, " ")
				return n
			}
			switch {
			case ch.Class == semantic.Package, ch.Class == semantic.Dependency && ch.What == "provides":
				if old := name(ch.Old); old != "" && len(gone) < maxLost {
					gone[old] = c.Name
				}
				if new := name(ch.New); new != "" {
					there[new] = true
				}
			}
		}
	}
	for n := range there {
		delete(gone, n)
	}
	return gone
}

// affected finds the components that need what goes.
func (b *builder) affected(ctx context.Context) error {
	lost := b.lost()
	if len(lost) == 0 {
		return nil
	}
	names, err := b.to.Rendered()
	if err != nil {
		return err
	}
	b.to.Prefetch(names, specName)
	words := slices.Sorted(maps.Keys(lost))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		text, err := b.to.ReadFile(name, specName(name))
		if err != nil || !slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(text, []byte(stem(w))) }) {
			continue
		}
		s := macro.Eval(specName(name), text, macro.Config{Set: b.set(b.to, name)})
		provided := map[string]bool{}
		for i := range s.Packages {
			provided[s.Packages[i].Name.Text] = true
			for _, t := range s.Packages[i].Tags {
				if t.Name == "Provides" {
					for _, d := range macro.Dependencies(t.Value.Text) {
						n, _, _ := strings.Cut(d, " ")
						provided[n] = true
					}
				}
			}
		}
		for i := range s.Packages {
			for _, t := range s.Packages[i].Tags {
				switch t.Name {
				case "Requires", "BuildRequires", "Recommends", "Supplements", "Suggests", "PreReq", "BuildPreReq":
				default:
					continue
				}
				for _, d := range macro.Dependencies(t.Value.Text) {
					for _, w := range words {
						if needs(d, w) && !provided[w] {
							b.report.Affected = append(b.report.Affected, Affected{name, s.Packages[i].Name.Text, strings.ToLower(t.Name), d, w, lost[w]})
						}
					}
				}
			}
		}
	}
	return nil
}

// stem is the part of a name that a spec is most likely to have as written: not
// what a macro may stand for.
func stem(name string) string {
	if i := strings.IndexByte(name, '('); i > 0 {
		return name[:i]
	}
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		return name[i+1:]
	}
	return name
}

// needs reports whether a dependency names something, with or without the
// architecture behind it.
func needs(dep, name string) bool {
	for _, w := range strings.FieldsFunc(dep, func(r rune) bool { return r == ' ' }) {
		for w != "" {
			if w == name || strings.HasPrefix(w, name+"(x86-") || strings.HasPrefix(w, name+"(aarch-") {
				return true
			}
			switch {
			case w[0] == '(':
				w = w[1:]
			case strings.HasSuffix(w, ")") && strings.Count(w, ")") > strings.Count(w, "("):
				w = w[:len(w)-1]
			default:
				w = ""
			}
		}
	}
	return false
}
