package distro

import (
	"cmp"
	"slices"
	"strings"
)

// A Repository is a package repository that the project's resources name.
type Repository struct {
	Name   string
	Kind   string   // "binary", "debug" or "source"
	URI    string   // base address, may hold $basearch and $releasever
	Arches []string // that it serves, nil for all
	Linked bool     // URI is the address of its metalink
}

// Serves reports whether a repository has packages for an architecture.
func (r *Repository) Serves(arch string) bool {
	return len(r.Arches) == 0 || slices.Contains(r.Arches, arch)
}

// baseArches are the architectures whose repositories dnf calls by another name.
var baseArches = map[string]string{"i686": "i386", "armv7hl": "armhfp"}

// Address fills the variables of dnf into the repository's address.
func (r *Repository) Address(arch, releasever string) string {
	return strings.NewReplacer("$basearch", cmp.Or(baseArches[arch], arch), "$arch", arch, "$releasever", releasever).Replace(r.URI)
}

// A Served is a repository as it serves one architecture.
type Served struct {
	Repository
	Arch    string // "" when its address is the same for all
	Address string // with its variables filled in
}
