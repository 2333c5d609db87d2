package macro

import (
	"go/token"

	"specgraft/overlay/diag"
)

// A packageIndex finds what Spec.Packages and their tags have, however many
// there are.
type packageIndex struct {
	main     map[string]int                // index of the first tag of a name in the main package
	tags     map[packageTag]token.Position // tags that certainly stand in a package
	named    map[string]int                // index of the first package of a name, with unknown marks
	declared map[string]token.Position     // sub-packages that are certainly there
	open     bool                          // the name of one is not known
}

// A packageTag is a tag of the package with an index.
type packageTag struct {
	pkg  int
	name string
}

func newPackageIndex() packageIndex {
	return packageIndex{
		main: map[string]int{}, tags: map[packageTag]token.Position{},
		named: map[string]int{}, declared: map[string]token.Position{},
	}
}

// fullName returns the name of the package a header means.
func (st *specState) fullName(h packageRef) string {
	if h.full || h.name == "" {
		return h.name
	}
	return st.mainName() + "-" + h.name
}

func (st *specState) mainName() string { return st.mainTag("Name") }

// mainTag returns the value of a tag of the main package, with unknown marks.
func (st *specState) mainTag(name string) string {
	if i, ok := st.packages.main[name]; ok {
		return st.spec.Packages[0].Tags[i].raw
	}
	return ""
}

// field returns the value of a tag of the main package.
func (st *specState) field(name string) Value {
	i, ok := st.packages.main[name]
	if !ok {
		return Value{}
	}
	t := st.spec.Packages[0].Tags[i]
	v := t.Value
	if t.Maybe {
		if v.Known {
			v.Reason = st.e.cause(t.cond).reason
		}
		v.Known = false
	}
	return v
}

// find returns the index of the package a section belongs to, or -1.
func (st *specState) find(section string, h packageRef) int {
	if h.name == "" {
		return 0
	}
	name := st.fullName(h)
	if name == st.mainName() {
		return 0
	}
	if i, ok := st.packages.named[name]; ok {
		return i
	}
	if !hasUnknown(name) && !st.packages.open && st.e.maybe == 0 && len(st.spec.Open) == 0 {
		st.e.problem("macro/section", "%%%s: there is no package %q", section, excerpt(name))
	}
	return -1
}

// newPackage begins a sub-package.
func (st *specState) newPackage(h packageRef) {
	e := st.e
	if h.name == "" {
		e.problem("macro/section", "%%package needs a name")
		st.pkg = -1
		return
	}
	name := st.fullName(h)
	known := e.maybe == 0 && !hasUnknown(name)
	first, there := st.packages.declared[name]
	if known && there {
		d := e.problem("macro/section", "package %q is declared twice", excerpt(name))
		d.Related = append(d.Related, diag.Related{Pos: first, Message: "the first one is here"})
	}
	if len(st.spec.Packages) >= maxPackages {
		e.stop("more than %d packages", maxPackages)
		return
	}
	st.pkg = len(st.spec.Packages)
	st.spec.Packages = append(st.spec.Packages, Package{Name: e.value(name, e.pos), raw: name, Pos: e.pos, Maybe: e.maybe > 0, cond: e.condition()})
	if _, ok := st.packages.named[name]; !ok {
		st.packages.named[name] = st.pkg
	}
	if known && !there {
		st.packages.declared[name] = e.pos
	}
	st.packages.open = st.packages.open || hasUnknown(name)
}
