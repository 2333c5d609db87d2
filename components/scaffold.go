package components

import (
	"fmt"
	"slices"
	"strings"
)

// ComponentFile returns the absolute path of the file that a new component
// belongs to: the project's file that defines the most components, or the root
// file while there is none with two.
func (p *Project) ComponentFile() string {
	best, n := p.File, 1
	for _, doc := range p.documents {
		if doc.src.trusted || p.generated[doc.src.path] {
			continue
		}
		if m := len(doc.root.get("components").names()); m > n {
			best, n = doc.src.path, m
		}
	}
	return best
}

// Files returns the absolute paths of all configuration files, in the order of
// merging.
func (p *Project) Files() []string {
	var files []string
	for _, doc := range p.documents {
		files = append(files, doc.src.path)
	}
	return files
}

// CheckName reports why a component cannot have a name, or "".
func (p *Project) CheckName(name string) string {
	switch {
	case !plainFileName(name):
		return fmt.Sprintf("component name %q must be %s", name, fileNameFormat.What)
	case p.root.get("components").entry(name) != nil && !p.isOrphan(name):
		return fmt.Sprintf("component %q is already defined at %s", name, p.where(name))
	}
	return ""
}

func (p *Project) where(name string) string {
	e := p.root.get("components").entry(name)
	pos := e.pos()
	return fmt.Sprintf("%s:%d", pos.Filename, pos.Line)
}

// Scaffold returns the text of a new project's azldev.toml. The name becomes
// that of the distribution, release the version of Fedora that it builds on.
func Scaffold(name, release string) string {
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
	return strings.NewReplacer("@NAME@", quoteString(name), "@ID@", id, "@REL@", release).Replace(`# The project: what is built, and where it is written.
# 'specgraft config check' checks this file, 'specgraft show NAME' explains a
# component, 'specgraft render -a' renders everything.

includes = ["components/**/*.toml"]

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
