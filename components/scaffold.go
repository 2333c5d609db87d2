package components

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/components/schema"
	"specgraft/components/toml"
)

// ComponentFile returns the absolute path of the file that a new component
// belongs to: the project's file that defines the most components, or the root
// file while there is none with two. Without lock files it is, if there is one, a
// file that is read behind the pins, so that what is written there wins over them.
func (p *Project) ComponentFile() string {
	best, n := p.File, 1
	late := p.WithoutLocks && slices.ContainsFunc(p.documents, p.behindPins)
	for _, doc := range p.documents {
		if doc.src.Trusted || p.generated[doc.src.Path] || late && !p.behindPins(doc) {
			continue
		}
		if late && best == p.File {
			best, n = doc.src.Path, len(doc.root.Get("components").Names())
		}
		if m := len(doc.root.Get("components").Names()); m > n {
			best, n = doc.src.Path, m
		}
	}
	return best
}

// behindPins reports whether a file is one for components that the root file
// includes behind the generated pins.
func (p *Project) behindPins(doc *document) bool {
	if len(p.documents) == 0 || doc.src.Trusted || p.generated[doc.src.Path] || doc.root.Get("distros") != nil {
		return false
	}
	pins := false
	for _, root := range p.documents {
		if root.src.Path != p.File {
			continue
		}
		for i := range root.includes {
			pattern := root.includes[i].pattern
			dir, _ := splitGlob(pattern)
			if pins && doublestar.MatchUnvalidated(filepath.Join(root.src.Dir, filepath.FromSlash(pattern.Str)), doc.src.Path) {
				return true
			}
			pins = pins || dir == p.PinsDir
		}
	}
	return false
}

// Files returns the absolute paths of all configuration files, in the order of
// merging.
func (p *Project) Files() []string {
	var files []string
	for _, doc := range p.documents {
		files = append(files, doc.src.Path)
	}
	return files
}

// CheckName reports why a component cannot have a name, or "".
func (p *Project) CheckName(name string) string {
	switch {
	case !schema.PlainFileName(name):
		return fmt.Sprintf("component name %q must be %s", name, schema.FileNameFormat.What)
	case p.root.Get("components").Entry(name) != nil && !p.isOrphan(name):
		return fmt.Sprintf("component %q is already defined at %s", name, p.where(name))
	}
	return ""
}

func (p *Project) where(name string) string {
	e := p.root.Get("components").Entry(name)
	pos := e.Pos()
	return fmt.Sprintf("%s:%d", pos.Filename, pos.Line)
}

// Scaffold returns the text of a new project's azldev.toml. The name becomes
// that of the distribution, release the version of Fedora that it builds on. With
// pins the project has no lock files: generated pins are included, and before the
// files of components, so that what these say counts.
func Scaffold(name, release string, pins bool) string {
	includes := `includes = ["components/**/*.toml"]`
	if pins {
		includes = `# The upstream commit of each component is in a generated file of its own, which
# 'specgraft update -a' writes. What a file of components says wins over it.
includes = ["` + PinsDir + `/*.toml", "components/**/*.toml"]`
	}
	id := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	if id = strings.Trim(id, "-"); id == "" || slices.Contains([]string{"fedora"}, id) {
		id = "mydistro"
	}
	return strings.NewReplacer("@NAME@", toml.QuoteString(name), "@ID@", id, "@REL@", release, "@INCLUDES@", includes).Replace(`# The project: what is built, and where it is written.
# 'specgraft config check' checks this file, 'specgraft show NAME' explains a
# component, 'specgraft render -a' renders everything.

@INCLUDES@

[project]
description = @NAME@
rendered-specs-dir = "specs"
default-distro = { name = "@ID@" }

# The distribution that is built. Its version's default-component-config is the
# first layer of every component: they come from Fedora @REL@.

[distros.@ID@]
description = @NAME@
default-version = "1"

[distros.@ID@.versions.1]
release-ver = "1"

[distros.@ID@.versions.1.default-component-config]
# Add  snapshot = "2026-01-31T00:00:00Z"  to upstream-distro to take the packaging
# as it was then; without it the head of the branch is taken.
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "@REL@" } }

# The distribution that packaging is taken from.

[distros.fedora]
description = "Fedora Linux"
default-version = "@REL@"
dist-git-base-uri = "https://src.fedoraproject.org/rpms/$pkg.git"
lookaside-base-uri = "https://src.fedoraproject.org/repo/pkgs/$pkg/$filename/$hashtype/$hash/$filename"

[distros.fedora.versions.@REL@]
release-ver = "@REL@"
dist-git-branch = "f@REL@"
`)
}

// ComponentScaffold is the path, relative to the project, and the text of the file
// for the components of a new project without lock files.
const (
	ComponentScaffold     = "components/components.toml"
	ComponentScaffoldText = "# The components. 'specgraft add NAME' adds one.\n"
)
