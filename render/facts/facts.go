// Package facts finds out what components build and need: of the working tree, of
// a commit, and as the rendered tree has them. Specs are evaluated, never run, and
// what they came to is remembered.
package facts

import (
	"slices"
	"strings"

	"specgraft/fedora/macro"
)

// Facts are what a component builds and needs, as far as its spec says: what an
// evaluation comes to that planning is about.
type Facts struct {
	Name     string // of the source package
	EVR      string // [epoch:]version-release
	Packages []Package

	BuildRequires []string // in rpm's spelling, each once, in the order of the spec
	Dynamic       bool     // %generate_buildrequires adds more when it is built
	Bconds        []string // names of the build conditionals that the spec declares
	Excluded      bool     // ExclusiveArch or ExcludeArch keep it from this architecture
	Unknown       []string // what could not be known: field and reason
	Rejected      string   // why rpm would not take the spec
}

// A Package is one binary package of a component.
type Package struct {
	Name     string
	EVR      string
	Arch     string              // what it was evaluated for, or noarch
	Provides []string            // in rpm's spelling
	Needs    map[string][]string // by kind: Requires, Recommends, Suggests, Supplements and so on
	Files    []string            // that %files names one by one
}

// NeedKinds are the kinds of dependencies by which a package draws in another.
var NeedKinds = []string{"Requires", "Recommends", "Suggests", "Supplements", "Enhances", "OrderWithRequires"}

// NewFacts takes what planning needs from an evaluated spec. arch is what it was
// evaluated for.
func NewFacts(s *macro.Spec, arch string) *Facts {
	f := &Facts{Name: s.Name.Text}
	if d := s.Rejected(); d != nil {
		f.Rejected = d.Message
	}
	for _, u := range s.Unknown {
		if len(f.Unknown) < 20 {
			f.Unknown = append(f.Unknown, u.Field+": "+u.Reason)
		}
	}
	for _, b := range s.Bconds {
		f.Bconds = append(f.Bconds, b.Name)
	}
	files := map[string][]string{}
	for _, x := range s.Sections {
		switch x.Name {
		case "generate_buildrequires":
			f.Dynamic = true
		case "files":
			if x.Package.Known {
				files[x.Package.Text] = append(files[x.Package.Text], plainFiles(x.Text.Text)...)
			}
		}
	}
	for i := range s.Packages {
		p := &s.Packages[i]
		if !p.Name.Known {
			continue
		}
		pkg := Package{Name: p.Name.Text, EVR: evrOf(s, p, i > 0), Arch: archOf(s, p, arch), Files: files[p.Name.Text]}
		for _, t := range p.Tags {
			if !t.Value.Known || t.Maybe {
				continue
			}
			f.take(&pkg, &t, arch)
		}
		if i == 0 {
			f.EVR = pkg.EVR
		}
		// What has no %files is not built.
		if _, built := files[pkg.Name]; built {
			f.Packages = append(f.Packages, pkg)
		}
	}
	f.BuildRequires = unique(f.BuildRequires)
	f.detach()
	return f
}

// detach copies all texts: as parts of what the spec expands to they would keep all
// of that in memory.
func (f *Facts) detach() {
	lists := [][]string{f.BuildRequires, f.Bconds, f.Unknown}
	f.Name, f.EVR, f.Rejected = strings.Clone(f.Name), strings.Clone(f.EVR), strings.Clone(f.Rejected)
	for i := range f.Packages {
		p := &f.Packages[i]
		p.Name, p.EVR = strings.Clone(p.Name), strings.Clone(p.EVR)
		lists = append(lists, p.Provides, p.Files)
		for _, needs := range p.Needs {
			lists = append(lists, needs)
		}
	}
	for _, list := range lists {
		for i := range list {
			list[i] = strings.Clone(list[i])
		}
	}
}

// take takes one tag.
func (f *Facts) take(pkg *Package, t *macro.Tag, arch string) {
	name := t.Name
	switch name {
	case "PreReq":
		name = "Requires"
	case "BuildPreReq":
		name = "BuildRequires"
	}
	switch name {
	case "BuildRequires":
		for _, d := range macro.ParseDependencies(t.Value.Text) {
			f.BuildRequires = append(f.BuildRequires, d.String())
		}
	case "Provides":
		for _, d := range macro.ParseDependencies(t.Value.Text) {
			pkg.Provides = append(pkg.Provides, d.String())
		}
	case "ExclusiveArch":
		f.Excluded = f.Excluded || !hasArch(t.Value.Text, arch)
	case "ExcludeArch":
		f.Excluded = f.Excluded || hasArch(t.Value.Text, arch)
	default:
		if !slices.Contains(NeedKinds, name) {
			return
		}
		if pkg.Needs == nil {
			pkg.Needs = map[string][]string{}
		}
		for _, d := range macro.ParseDependencies(t.Value.Text) {
			pkg.Needs[name] = append(pkg.Needs[name], d.String())
		}
	}
}

// hasArch reports whether a list of architectures has one. A list that has noarch
// names what builds for all as well.
func hasArch(list, arch string) bool {
	words := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
	return slices.Contains(words, arch)
}

func evrOf(s *macro.Spec, p *macro.Package, own bool) string {
	epoch, version, release := s.Epoch.Text, s.Version.Text, s.Release.Text
	for _, t := range p.Tags {
		switch {
		case !own || !t.Value.Known:
		case t.Name == "Epoch":
			epoch = t.Value.Text
		case t.Name == "Version":
			version = t.Value.Text
		case t.Name == "Release":
			release = t.Value.Text
		}
	}
	if epoch != "" {
		version = epoch + ":" + version
	}
	return version + "-" + release
}

// archOf returns the architecture of a package: that of its own BuildArch, or of
// the main package's.
func archOf(s *macro.Spec, p *macro.Package, arch string) string {
	for _, from := range []*macro.Package{p, &s.Packages[0]} {
		for _, t := range from.Tags {
			if (t.Name == "BuildArch" || t.Name == "BuildArchitectures") && t.Value.Known && !t.Maybe && strings.TrimSpace(t.Value.Text) == "noarch" {
				return "noarch"
			}
		}
	}
	return arch
}

// maxFiles bounds the files of one package that are remembered.
const maxFiles = 5000

// plainFiles returns the paths of an expanded %files that are written out: no
// patterns, no directories.
func plainFiles(text string) []string {
	out := []string{}
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		for strings.HasPrefix(l, "%") { // %attr(…), %config(noreplace), %ghost and so on
			word, rest, _ := strings.Cut(l, " ")
			if i := strings.IndexByte(l, '('); i >= 0 && i < len(word) {
				if j := strings.IndexByte(l, ')'); j > 0 {
					word, rest = l[:j+1], l[j+1:]
				}
			}
			switch name, _, _ := strings.Cut(word, "("); name {
			case "%dir", "%exclude", "%defattr", "%doc", "%license":
				rest = ""
			}
			l = strings.TrimSpace(rest)
		}
		if strings.HasPrefix(l, "/") && !strings.ContainsAny(l, "*?[{ \t<") && !strings.HasSuffix(l, "/") && len(out) < maxFiles {
			out = append(out, l)
		}
	}
	return out
}

// unique removes what stands in a list before.
func unique(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s string) bool {
		again := seen[s]
		seen[s] = true
		return again
	})
}
