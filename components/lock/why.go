package lock

import (
	"cmp"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"specgraft/components"
	"specgraft/components/toml"
)

// A State is a component as one revision of a project has it.
type State struct {
	Project   *components.Project
	Component *components.Component // nil when the revision has no such component
	Lock      *Lock                 // nil when it is not locked
}

// A ChangeKind says how a value differs between two states.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// An InputChange is one difference between two states of a component that
// changes its fingerprint, or the choice of its upstream commit.
type InputChange struct {
	Kind ChangeKind `json:"kind"`
	// Field is the path of the value in the configuration, such as
	// "overlays[3].value"; or "upstream-commit" or "manual-bump" of the lock,
	// "release-ver" of the upstream, or the path of a local component's file.
	// Elements of lists are counted in the new state, removed ones in the old.
	Field string `json:"field"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	// OldPos and NewPos are where the values were set, the zero position when
	// there is none or it is a default.
	OldPos token.Position `json:"-"`
	NewPos token.Position `json:"-"`
	// Resolution marks what only decides which upstream commit is chosen.
	Resolution bool `json:"resolution,omitempty"`
}

// Fingerprint computes the fingerprint of a state, from the commit in its lock
// or, without one, its pin.
func (s *State) Fingerprint() (string, error) {
	commit, bump := s.locked()
	return Fingerprint(s.Project, s.Component, commit, bump)
}

func (s *State) locked() (commit string, bump int) {
	if s.Lock != nil {
		return s.Lock.UpstreamCommit, s.Lock.ManualBump
	}
	return s.Component.Spec.UpstreamCommit, 0
}

// Why returns which inputs of a component's fingerprint differ between two
// states, in the order in which they are hashed. Both states must have the
// component. The error is a *diag.Diagnostic.
func Why(before, after State) ([]InputChange, error) {
	oldTree, err := whyTree(before)
	if err != nil {
		return nil, err
	}
	newTree, err := whyTree(after)
	if err != nil {
		return nil, err
	}
	d := differ{before: before, after: after}
	d.compare("", &oldTree, &newTree)

	oldCommit, oldBump := before.locked()
	newCommit, newBump := after.locked()
	lockValue := func(field, a, b string) {
		if a == b {
			return
		}
		d.add(InputChange{Kind: Changed, Field: field, Old: a, New: b, OldPos: lockPos(before.Lock, field), NewPos: lockPos(after.Lock, field)})
	}
	if before.Component.IsUpstream() || after.Component.IsUpstream() {
		lockValue("upstream-commit", oldCommit, newCommit)
	}
	if err := d.compareFiles(); err != nil {
		return nil, err
	}
	lockValue("manual-bump", strconv.Itoa(oldBump), strconv.Itoa(newBump))
	d.add(InputChange{Kind: Changed, Field: "release-ver", Old: before.Project.ReleaseVer(before.Component), New: after.Project.ReleaseVer(after.Component),
		OldPos: before.versionPos(), NewPos: after.versionPos()})

	old := resolutionInputs(before.Project, before.Component)
	for _, in := range resolutionInputs(after.Project, after.Component) {
		i := slices.IndexFunc(old, func(o Input) bool { return o.Label == in.Label })
		was := Input{Path: in.Path}
		if i >= 0 {
			was = old[i]
		}
		if was.Value == in.Value || d.reported(in.Path) {
			continue
		}
		ch := InputChange{Kind: Changed, Field: cmp.Or(in.Path, strings.ReplaceAll(in.Label, "_", "-")), Old: was.Value, New: in.Value, Resolution: true}
		if in.Path != "" {
			ch.OldPos, ch.NewPos = position(before.Component, in.Path), position(after.Component, in.Path)
		} else {
			ch.OldPos, ch.NewPos = before.versionPos(), after.versionPos()
		}
		d.add(ch)
	}
	return d.changes, nil
}

// whyTree is the configuration tree with what overlays bring in.
func whyTree(s State) (hashNode, error) {
	tree := configTree(s.Component)
	inputs, err := Inputs(s.Project, s.Component, "", 0)
	if err != nil {
		return tree, err
	}
	for i := range tree.fields {
		if tree.fields[i].toml != "overlays" {
			continue
		}
		items := tree.fields[i].value.items
		for _, in := range inputs {
			index, ok := strings.CutPrefix(in.Label, "overlay:")
			if n, err := strconv.Atoi(index); ok && err == nil && n < len(items) {
				items[n].add("source", "source", text(in.Value))
			}
		}
	}
	return tree, nil
}

func (s *State) versionPos() token.Position {
	if _, v := s.Project.DistroVersion(s.Component.Spec.UpstreamDistro); v != nil {
		return v.Pos
	}
	return token.Position{}
}

func lockPos(l *Lock, key string) token.Position {
	if l == nil {
		return token.Position{}
	}
	return l.Pos(key)
}

func position(c *components.Component, path string) token.Position {
	o, _ := c.Origin(path)
	return o.Pos
}

// A differ collects the differences between two trees.
type differ struct {
	before, after State
	changes       []InputChange
}

// add keeps a change unless both values are the same.
func (d *differ) add(c InputChange) {
	switch {
	case c.Old == c.New && c.Kind == Changed:
		return
	case c.Kind == Changed && c.Old == "":
		c.Kind = Added
	case c.Kind == Changed && c.New == "":
		c.Kind = Removed
	}
	d.changes = append(d.changes, c)
}

// reported reports whether a change at path is known already.
func (d *differ) reported(path string) bool {
	return path != "" && slices.ContainsFunc(d.changes, func(c InputChange) bool { return c.Field == path })
}

func (d *differ) leaf(kind ChangeKind, path, a, b string) {
	c := InputChange{Kind: kind, Field: path, Old: a, New: b}
	if kind != Added {
		c.OldPos = position(d.before.Component, path)
	}
	if kind != Removed {
		c.NewPos = position(d.after.Component, path)
	}
	d.add(c)
}

// compare reports the differences between two nodes at one path; nil stands
// for a value that is not there.
func (d *differ) compare(path string, a, b *hashNode) {
	switch {
	case a == nil && b == nil:
		return
	case a != nil && b != nil && a.kind == b.kind && a.hash() == b.hash():
		return
	case a == nil && b.scalar() || b == nil && a.scalar() || a != nil && b != nil && a.scalar() && b.scalar():
		d.leaf(Changed, path, a.short(), b.short())
		return
	case a == nil && b.kind == hashStruct, a == nil && b.kind == hashMap && b.fields == nil:
		d.leaf(Added, path, "", b.short())
		return
	case b == nil && a.kind == hashStruct, b == nil && a.kind == hashMap && a.fields == nil:
		d.leaf(Removed, path, a.short(), "")
		return
	case a == nil:
		a = &hashNode{kind: b.kind}
	case b == nil:
		b = &hashNode{kind: a.kind}
	case a.kind != b.kind:
		d.leaf(Changed, path, a.short(), b.short())
		return
	}
	if a.kind == hashList {
		d.compareLists(path, a.items, b.items)
		return
	}
	for _, name := range fieldNames(a, b) {
		at := toml.QuoteKey(name)
		if path != "" {
			at = path + "." + at
		}
		d.compare(at, a.field(name), b.field(name))
	}
}

// fieldNames returns the names of both nodes: those of structs in their order,
// those of maps sorted.
func fieldNames(a, b *hashNode) []string {
	var names []string
	for _, n := range []*hashNode{a, b} {
		for i := range n.fields {
			if !slices.Contains(names, n.fields[i].toml) {
				names = append(names, n.fields[i].toml)
			}
		}
	}
	if a.kind == hashMap {
		slices.Sort(names)
	}
	return names
}

func (n *hashNode) field(toml string) *hashNode {
	for i := range n.fields {
		if n.fields[i].toml == toml {
			return &n.fields[i].value
		}
	}
	return nil
}

// compareLists finds the longest common sequence of two lists. What lies
// between common elements is compared in pairs, the rest was added or removed.
func (d *differ) compareLists(path string, a, b []hashNode) {
	pairs := commonElements(a, b)
	i, j := 0, 0
	for _, p := range append(pairs, [2]int{len(a), len(b)}) {
		for i < p[0] && j < p[1] && a[i].kind == b[j].kind && a[i].sameSort(&b[j]) {
			d.compare(path+"["+strconv.Itoa(j)+"]", &a[i], &b[j])
			i, j = i+1, j+1
		}
		for ; i < p[0]; i++ {
			d.leaf(Removed, path+"["+strconv.Itoa(i)+"]", a[i].short(), "")
		}
		for ; j < p[1]; j++ {
			d.leaf(Added, path+"["+strconv.Itoa(j)+"]", "", b[j].short())
		}
		i, j = p[0]+1, p[1]+1
	}
}

// sameSort reports whether an element may be an edited form of another, rather
// than one that was removed and another that was added: overlays of one type,
// source files of one name.
func (n *hashNode) sameSort(m *hashNode) bool {
	if n.kind != hashStruct || len(n.fields) == 0 || len(m.fields) == 0 {
		return true
	}
	return n.fields[0].value.text == m.fields[0].value.text
}

// commonElements returns the index pairs of a longest common subsequence. Long
// equal ends, the usual case, cost nothing.
func commonElements(a, b []hashNode) [][2]int {
	ha, hb := make([]uint64, len(a)), make([]uint64, len(b))
	for i := range a {
		ha[i] = a[i].hash()
	}
	for j := range b {
		hb[j] = b[j].hash()
	}
	head := 0
	for head < len(ha) && head < len(hb) && ha[head] == hb[head] {
		head++
	}
	tail := 0
	for tail < len(ha)-head && tail < len(hb)-head && ha[len(ha)-1-tail] == hb[len(hb)-1-tail] {
		tail++
	}
	var pairs [][2]int
	for i := range head {
		pairs = append(pairs, [2]int{i, i})
	}
	x, y := ha[head:len(ha)-tail], hb[head:len(hb)-tail]
	if len(x)*len(y) <= 1<<22 { // beyond that, everything between the ends counts as changed
		width := len(y) + 1
		length := make([]int32, (len(x)+1)*width)
		for i := len(x) - 1; i >= 0; i-- {
			for j := len(y) - 1; j >= 0; j-- {
				if x[i] == y[j] {
					length[i*width+j] = length[(i+1)*width+j+1] + 1
				} else {
					length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
				}
			}
		}
		for i, j := 0, 0; i < len(x) && j < len(y); {
			switch {
			case x[i] == y[j]:
				pairs = append(pairs, [2]int{head + i, head + j})
				i, j = i+1, j+1
			case length[(i+1)*width+j] >= length[i*width+j+1]:
				i++
			default:
				j++
			}
		}
	}
	for k := tail; k > 0; k-- {
		pairs = append(pairs, [2]int{len(ha) - k, len(hb) - k})
	}
	return pairs
}

func (n *hashNode) scalar() bool { return n.kind == hashString || n.kind == hashBool }

// short prints a value on one line: a text as it is, a flag only when it is
// set, a table as its keys and values. Nothing prints as the empty string.
func (n *hashNode) short() string {
	if n == nil {
		return ""
	}
	switch n.kind {
	case hashString:
		return n.text
	case hashBool:
		if n.flag {
			return "true"
		}
		return ""
	case hashList:
		var parts []string
		for i := range n.items {
			parts = append(parts, n.items[i].quoted())
		}
		if parts == nil {
			return ""
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	names := fieldNames(n, n)
	var parts []string
	for _, name := range names {
		if v := n.field(name); v.short() != "" {
			parts = append(parts, toml.QuoteKey(name)+" = "+v.quoted())
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// quoted is short with texts in quotes.
func (n *hashNode) quoted() string {
	if n.kind == hashString {
		return strconv.Quote(n.text)
	}
	return n.short()
}

// compareFiles reports the files that differ for components without upstream.
func (d *differ) compareFiles() error {
	files := func(s State) ([]localFile, error) {
		if s.Component.IsUpstream() {
			return nil, nil
		}
		list, err := localFiles(s.Project, s.Component)
		if err != nil {
			_, err = treeIdentity(s.Project, s.Component)
		}
		return list, err
	}
	a, err := files(d.before)
	if err != nil {
		return err
	}
	b, err := files(d.after)
	if err != nil {
		return err
	}
	for len(a) > 0 || len(b) > 0 {
		var old, new localFile
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].name < b[0].name:
			old, a = a[0], a[1:]
		case len(a) == 0 || b[0].name < a[0].name:
			new, b = b[0], b[1:]
		default:
			old, new, a, b = a[0], b[0], a[1:], b[1:]
		}
		digest := func(f localFile) string {
			if f.digest == "" {
				return ""
			}
			return "sha256:" + f.digest
		}
		c := InputChange{Kind: Changed, Field: cmp.Or(new.name, old.name), Old: digest(old), New: digest(new)}
		place := func(s State, f localFile) token.Position {
			if f.name == "" {
				return token.Position{}
			}
			dir := s.Component.Dir
			if s.Component.Spec.Path != "" {
				dir = filepath.Dir(s.Component.Spec.Path)
			}
			return token.Position{Filename: s.Project.Display(filepath.Join(dir, filepath.FromSlash(f.name)))}
		}
		c.OldPos, c.NewPos = place(d.before, old), place(d.after, new)
		d.add(c)
	}
	return nil
}
