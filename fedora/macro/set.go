package macro

// A Set is an immutable collection of macros under a content hash. It is
// shared between evaluations and never parsed again for each.
type Set struct {
	name   string
	hash   string
	macros map[string]*def
}

// Name returns how the set calls itself: "fedora-43", "fedora-43-srpm", or the
// name an imported set was given.
func (s *Set) Name() string { return s.name }

// Hash returns the hash of the set's content in hex.
func (s *Set) Hash() string { return s.hash }

// Len returns the number of macros.
func (s *Set) Len() int { return len(s.macros) }

// Builtin returns the set that stands for a Fedora 43 installation with the
// macro packages that specs ask for: what `query` and autospec evaluate with.
func Builtin() *Set { return &Set{name: "fedora-43"} }

// SRPM returns the set that stands for Fedora 43's redhat-rpm-config and the
// srpm-macros packages it requires, and nothing else: what the reference tool's
// chroot has when it lists the sources of a spec.
func SRPM() *Set { return &Set{name: "fedora-43-srpm"} }

type def struct {
	name string
}
