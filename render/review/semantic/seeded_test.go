package semantic_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"specgraft/testdata/corpus"

	"specgraft/fedora/macro"
	"specgraft/overlay/spec"
	"specgraft/render/review/semantic"
)

// corpusSpecs reads the rendered specs of the corpus, by component, or skips.
func corpusSpecs(tb testing.TB) map[string]string {
	tb.Helper()
	out := map[string]string{}
	for _, f := range corpus.Archive(tb, "expected.tar.xz", func(component, file string, size int64) bool {
		return corpus.IsSpec(component, file, size) && size < 60_000
	}) {
		out[strings.TrimSuffix(f.Path, ".spec")] = string(f.Data)
	}
	return out
}

// sample returns the names of specs that are fit for edits, in an order that is
// the same in every run.
func sample(tb testing.TB, specs map[string]string, seed uint64) []string {
	tb.Helper()
	var names []string
	for n := range specs {
		names = append(names, n)
	}
	slices.Sort(names)
	r := rand.New(rand.NewPCG(seed, 7))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// A draft is a spec to edit.
type draft struct {
	lines []string
	str   *spec.Structure
	eval  *macro.Spec
	r     *rand.Rand
}

func draftOf(text string, r *rand.Rand) *draft {
	f := spec.Parse("x.spec", []byte(text))
	d := &draft{str: f.Structure(), eval: macro.Eval("x.spec", []byte(text), macro.Config{}), r: r}
	for i := range f.Len() {
		d.lines = append(d.lines, f.Line(i).Text)
	}
	return d
}

func (d *draft) text() string { return strings.Join(d.lines, "\n") + "\n" }

// tag finds a tag of the main package, or of a sub-package, that stands under no
// condition and in no block.
func (d *draft) tags(name string, main bool) []int {
	var out []int
	for _, t := range d.str.Tags {
		sh := d.str.Lines[t.Line]
		if strings.EqualFold(t.Name, name) && sh.Cond < 0 && sh.Block < 0 && !t.Macro && (d.str.Parts[sh.Part].Name == "") == main && !strings.HasSuffix(d.lines[t.Line], `\`) {
			out = append(out, t.Line)
		}
	}
	return out
}

func (d *draft) pick(list []int) (int, bool) {
	if len(list) == 0 {
		return 0, false
	}
	return list[d.r.IntN(len(list))], true
}

func (d *draft) insert(at int, lines ...string) { d.lines = slices.Insert(d.lines, at, lines...) }

// part finds a section that stands under no condition and has text.
func (d *draft) parts(names ...string) []int {
	var out []int
	for i, p := range d.str.Parts {
		if slices.Contains(names, p.Name) && d.str.Lines[p.Start].Cond < 0 && p.End > p.Start+1 {
			out = append(out, i)
		}
	}
	return out
}

// owner is the full name of the package of a part.
func (d *draft) owner(part int) string {
	p := d.str.Parts[part]
	switch {
	case p.Package == "":
		return d.eval.Name.Text
	case p.FullName:
		return strings.NewReplacer("%{name}", d.eval.Name.Text, "%name", d.eval.Name.Text).Replace(p.Package)
	}
	return d.eval.Name.Text + "-" + p.Package
}

// A seeded edit returns the class and the package of the change it made.
type seededEdit struct {
	name string
	do   func(d *draft) (class semantic.Class, pkg string, ok bool)
}

var simpleDep = regexp.MustCompile(`^[A-Za-z0-9_.+-]+$`)

var seededEdits = []seededEdit{
	{"add a build requirement", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.insert(at+1, "BuildRequires: seeded-devel")
		}
		return semantic.Dependency, d.eval.Name.Text, ok
	}},
	{"remove a build requirement", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.simpleDeps("BuildRequires", true))
		if ok {
			d.lines = slices.Delete(d.lines, at, at+1)
		}
		return semantic.Dependency, d.eval.Name.Text, ok
	}},
	{"change a version bound", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.simpleDeps("BuildRequires", true))
		if ok {
			d.lines[at] += " >= 9999"
		}
		return semantic.Dependency, d.eval.Name.Text, ok
	}},
	{"a requirement of a sub-package", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("Summary", false))
		if !ok {
			return "", "", false
		}
		owner := d.owner(d.str.Lines[at].Part)
		d.insert(at+1, "Requires: seeded >= 1")
		return semantic.Dependency, owner, !strings.Contains(owner, "%")
	}},
	{"version", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("Version", true))
		if ok {
			d.lines[at] += ".9"
		}
		return semantic.Version, d.eval.Name.Text, ok && !strings.Contains(d.lines[at], "}")
	}},
	{"release", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("Release", true))
		if ok {
			d.lines[at] = "Release: 999%{?dist}"
		}
		return semantic.Release, d.eval.Name.Text, ok
	}},
	{"licence", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.lines[at] += " AND LicenseRef-Seeded"
		}
		return semantic.Tag, d.eval.Name.Text, ok
	}},
	{"patch", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.insert(at+1, "Patch99901: seeded.patch")
		}
		return semantic.Patch, d.eval.Name.Text, ok
	}},
	{"source", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.insert(at+1, "Source99901: seeded.conf")
		}
		return semantic.Source, d.eval.Name.Text, ok
	}},
	{"build conditional", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("Name", true))
		if ok {
			d.insert(at, "%bcond seeded 1")
		}
		return semantic.Option, d.eval.Name.Text, ok
	}},
	{"build command", func(d *draft) (semantic.Class, string, bool) {
		p, ok := d.pick(d.parts("%build", "%install", "%check"))
		if ok {
			d.insert(d.str.Parts[p].Start+1, "seeded --command")
		}
		return semantic.Section, d.eval.Name.Text, ok
	}},
	{"scriptlet", func(d *draft) (semantic.Class, string, bool) {
		p, ok := d.pick(d.parts("%changelog"))
		if ok {
			ok = !slices.ContainsFunc(d.str.Parts, func(p spec.Part) bool { return p.Name == "%posttrans" })
			d.insert(d.str.Parts[p].Start, "%posttrans", "seeded-trigger || :", "")
		}
		return semantic.Scriptlet, d.eval.Name.Text, ok
	}},
	{"file list", func(d *draft) (semantic.Class, string, bool) {
		p, ok := d.pick(d.parts("%files"))
		if !ok {
			return "", "", false
		}
		owner := d.owner(p)
		d.insert(d.str.Parts[p].Start+1, "/usr/share/seeded")
		return semantic.Files, owner, !strings.Contains(owner, "%")
	}},
	{"macro", func(d *draft) (semantic.Class, string, bool) {
		at, ok := d.pick(d.tags("Name", true))
		if ok {
			d.insert(at, "%global seeded_value 1")
		}
		return semantic.Macro, d.eval.Name.Text, ok
	}},
	{"condition", func(d *draft) (semantic.Class, string, bool) {
		var list []int
		for i, l := range d.lines {
			if d.str.Lines[i].Form == spec.FormIf && strings.HasPrefix(strings.TrimSpace(l), "%if ") && !strings.HasSuffix(l, `\`) && d.str.Lines[i].Block < 0 {
				list = append(list, i)
			}
		}
		at, ok := d.pick(list)
		if ok {
			d.lines[at] += " || 0%{?seeded_condition}"
		}
		return semantic.Condition, d.eval.Name.Text, ok
	}},
	{"description", func(d *draft) (semantic.Class, string, bool) {
		p, ok := d.pick(d.parts("%description"))
		if !ok {
			return "", "", false
		}
		owner := d.owner(p)
		d.insert(d.str.Parts[p].Start+1, "Seeded text.")
		return semantic.Description, owner, !strings.Contains(owner, "%")
	}},
	{"sub-package", func(d *draft) (semantic.Class, string, bool) {
		p, ok := d.pick(d.parts("%prep"))
		if ok {
			d.insert(d.str.Parts[p].Start, "%package seeded", "Summary: Seeded", "", "%description seeded", "Seeded.", "", "%files seeded", "")
		}
		return semantic.Package, d.eval.Name.Text + "-seeded", ok
	}},
	{"changelog", func(d *draft) (semantic.Class, string, bool) {
		p, ok := d.pick(d.parts("%changelog"))
		if ok {
			ok = !strings.Contains(d.text(), "autochangelog") && !strings.Contains(d.text(), "Generated by rpmautospec")
			d.insert(d.str.Parts[p].Start+1, "* Mon Jan 05 2026 Seed <s@example.com> - 1-1", "- Seeded", "")
		}
		return semantic.Changelog, d.eval.Name.Text, ok
	}},
}

// simpleDeps finds tags with one plain dependency.
func (d *draft) simpleDeps(name string, main bool) []int {
	return slices.DeleteFunc(d.tags(name, main), func(i int) bool {
		_, v, _ := strings.Cut(d.lines[i], ":")
		return !simpleDep.MatchString(strings.TrimSpace(v)) || strings.Count(d.text(), strings.TrimSpace(v)) > 1
	})
}

// TestSeededEdits makes edits of many kinds in real specs: each comes out under
// its class, with the right package, and nothing comes out that does not follow
// from it.
func TestSeededEdits(t *testing.T) {
	t.Parallel()
	specs := corpusSpecs(t)
	names := sample(t, specs, 1)
	const want = 360
	done, more, kinds := 0, 0, map[string]int{}
	for i := 0; done < want && i < len(names); i++ {
		text := specs[names[i]]
		e := seededEdits[i%len(seededEdits)]
		d := draftOf(text, rand.New(rand.NewPCG(uint64(i), 3)))
		if d.eval.Rejected() != nil || !d.eval.Name.Known {
			continue
		}
		class, pkg, ok := e.do(d)
		if !ok || macro.Eval("x.spec", []byte(d.text()), macro.Config{}).Rejected() != nil {
			continue
		}
		done++
		kinds[e.name]++
		diff := semantic.Compare(semantic.Packaging{Name: "x.spec", Spec: []byte(text)}, semantic.Packaging{Name: "x.spec", Spec: []byte(d.text())}, semantic.Options{})
		if !slices.ContainsFunc(diff.Changes, func(c semantic.Change) bool { return c.Class == class && c.Package == pkg }) {
			t.Errorf("%s: %s: no change of class %s in package %s:\n%s", names[i], e.name, class, pkg, strings.Join(lines(diff), "\n"))
		}
		if k := slices.IndexFunc(diff.Changes, func(c semantic.Change) bool { return c.Class != class && !c.Follows() && !goesWith(class, c.Class) }); k >= 0 {
			more++
			t.Errorf("%s: %s: more than the edit:\n%s", names[i], e.name, strings.Join(lines(diff), "\n"))
		}
	}
	if done < 300 || len(kinds) < 12 {
		t.Errorf("%d edits of %d kinds are too few", done, len(kinds))
	}
	t.Logf("%d edits of %d kinds, %d with something more: %v", done, len(kinds), more, kinds)
}

// goesWith reports whether a change of one class shows in another one as well.
func goesWith(edit, other semantic.Class) bool {
	switch edit {
	case semantic.Version, semantic.Release, semantic.Macro, semantic.Option, semantic.Condition:
		return other == semantic.Dependency || other == semantic.Source || other == semantic.Files || other == semantic.Patch || other == semantic.Macro || other == semantic.Tag
	case semantic.Package:
		return other == semantic.Dependency
	}
	return false
}

// reformattings write a spec in another way that means the same.
var reformattings = []struct {
	name string
	do   func(d *draft) bool
}{
	{"comments", func(d *draft) bool {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.insert(at, "# a seeded comment")
		}
		p, found := d.pick(d.parts("%build", "%install"))
		if found && ok && d.str.Parts[p].Start > at {
			d.insert(d.str.Parts[p].Start+2, "# another one")
		}
		return ok
	}},
	{"blank lines", func(d *draft) bool {
		at, ok := d.pick(d.tags("License", true))
		if ok {
			d.insert(at, "", "")
		}
		return ok
	}},
	{"case of tags", func(d *draft) bool {
		n := 0
		for _, name := range []string{"License", "Summary", "URL", "BuildRequires", "Version", "Requires"} {
			for _, at := range d.tags(name, true) {
				i := strings.IndexByte(d.lines[at], ':')
				d.lines[at] = strings.ToUpper(d.lines[at][:i]) + d.lines[at][i:]
				n++
			}
		}
		return n > 0
	}},
	{"spacing", func(d *draft) bool {
		n := 0
		for _, name := range []string{"License", "Summary", "URL", "BuildRequires", "Version", "Requires", "Source0"} {
			for _, at := range d.tags(name, true) {
				i := strings.IndexByte(d.lines[at], ':')
				d.lines[at] = d.lines[at][:i] + ":\t  " + strings.TrimSpace(d.lines[at][i+1:]) + "  "
				n++
			}
		}
		return n > 0
	}},
	{"order of build requirements", func(d *draft) bool {
		list := d.tags("BuildRequires", true)
		for k := 1; k < len(list); k++ {
			if list[k] == list[k-1]+1 && d.lines[list[k]] != d.lines[list[k-1]] {
				d.lines[list[k]], d.lines[list[k-1]] = d.lines[list[k-1]], d.lines[list[k]]
				return true
			}
		}
		return false
	}},
	{"order of tags", func(d *draft) bool {
		a, ok := d.pick(d.tags("License", true))
		b, both := d.pick(d.tags("URL", true))
		if ok && both && (a == b+1 || b == a+1) {
			d.lines[a], d.lines[b] = d.lines[b], d.lines[a]
			return true
		}
		return false
	}},
	{"wrapped dependencies", func(d *draft) bool {
		list := d.simpleDeps("BuildRequires", true)
		for k := 1; k < len(list); k++ {
			if list[k] == list[k-1]+1 {
				_, v, _ := strings.Cut(d.lines[list[k]], ":")
				d.lines[list[k-1]] += ", " + strings.TrimSpace(v)
				d.lines = slices.Delete(d.lines, list[k], list[k]+1)
				return true
			}
		}
		return false
	}},
	{"macro for the name", func(d *draft) bool {
		at, ok := d.pick(d.tags("URL", true))
		name, has := d.pick(d.tags("Name", true))
		if !ok || !has || name > at || len(d.eval.Name.Text) < 3 || !strings.Contains(d.lines[at], "/"+d.eval.Name.Text) {
			return false
		}
		d.lines[at] = strings.Replace(d.lines[at], "/"+d.eval.Name.Text, "/%{name}", 1)
		return true
	}},
	{"numbers of patches", func(d *draft) bool {
		if !strings.Contains(d.text(), "%autosetup") || strings.Contains(d.text(), "%{P:") || strings.Contains(d.text(), "%{PATCH") || strings.Contains(d.text(), "%patch") {
			return false
		}
		n := 0
		re := regexp.MustCompile(`(?i)^(patch)([0-9]+)`)
		for _, t := range d.str.Tags {
			if re.MatchString(d.lines[t.Line]) {
				d.lines[t.Line] = re.ReplaceAllString(d.lines[t.Line], "${1}10${2}")
				n++
			} else if strings.HasPrefix(strings.ToLower(d.lines[t.Line]), "patch") {
				return false
			}
		}
		// 9 and 10 would trade places
		return n > 0 && n < 9
	}},
	{"wrapped description", func(d *draft) bool {
		p, ok := d.pick(d.parts("%description"))
		if !ok {
			return false
		}
		from, to := d.str.Parts[p].Start+1, d.str.Parts[p].End
		words := strings.Fields(strings.Join(d.lines[from:to], " "))
		if len(words) < 6 || slices.ContainsFunc(words, func(w string) bool { return strings.ContainsAny(w, "%#") }) {
			return false
		}
		k := len(words) / 2
		d.lines = slices.Replace(d.lines, from, to, strings.Join(words[:k], " "), strings.Join(words[k:], " "), "")
		return true
	}},
	{"order of files", func(d *draft) bool {
		p, ok := d.pick(d.parts("%files"))
		if !ok {
			return false
		}
		for i := d.str.Parts[p].Start + 1; i+1 < d.str.Parts[p].End; i++ {
			a, b := d.lines[i], d.lines[i+1]
			if strings.HasPrefix(a, "%{_") && strings.HasPrefix(b, "%{_") && a != b {
				d.lines[i], d.lines[i+1] = b, a
				return true
			}
		}
		return false
	}},
	{"braces", func(d *draft) bool {
		n := 0
		re := regexp.MustCompile(`%(name|version|_bindir|_libdir|_datadir|_includedir|_mandir)\b`)
		for i := range d.lines {
			if d.str.Lines[i].Form != spec.FormTag && !strings.HasPrefix(d.lines[i], "%_") {
				continue
			}
			if re.MatchString(d.lines[i]) && !strings.Contains(d.lines[i], "%%") {
				d.lines[i] = re.ReplaceAllString(d.lines[i], "%{$1}")
				n++
			}
		}
		return n > 0
	}},
	{"indentation of a script", func(d *draft) bool {
		p, ok := d.pick(d.parts("%build"))
		if !ok || strings.Contains(d.text(), "<<") {
			return false
		}
		for i := d.str.Parts[p].Start + 1; i < d.str.Parts[p].End; i++ {
			l := d.lines[i]
			if strings.TrimSpace(l) != "" && l[0] != '%' && l[0] != '#' && d.str.Lines[i].Block < 0 && !strings.ContainsAny(l, `'"`) {
				d.lines[i] = "    " + l + "   "
				return true
			}
		}
		return false
	}},
	{"wrapped command", func(d *draft) bool {
		p, ok := d.pick(d.parts("%build", "%install"))
		if !ok {
			return false
		}
		for i := d.str.Parts[p].Start + 1; i < d.str.Parts[p].End; i++ {
			l := d.lines[i]
			if a, b, found := strings.Cut(l, " --"); found && l[0] != '%' && l[0] != '#' && d.str.Lines[i].Block < 0 && !strings.ContainsAny(l, `'"#`) {
				d.lines[i] = a + ` \`
				d.insert(i+1, "      --"+b)
				return true
			}
		}
		return false
	}},
}

// TestSeededReformattings writes real specs in other ways: none of it is a change
// of meaning.
func TestSeededReformattings(t *testing.T) {
	t.Parallel()
	specs := corpusSpecs(t)
	names := sample(t, specs, 2)
	const want = 360
	done, kinds := 0, map[string]int{}
	for i := 0; done < want && i < len(names); i++ {
		text := specs[names[i]]
		e := reformattings[i%len(reformattings)]
		d := draftOf(text, rand.New(rand.NewPCG(uint64(i), 5)))
		if d.eval.Rejected() != nil || !d.eval.Name.Known || !e.do(d) || d.text() == text || macro.Eval("x.spec", []byte(d.text()), macro.Config{}).Rejected() != nil {
			continue
		}
		done++
		kinds[e.name]++
		diff := semantic.Compare(semantic.Packaging{Name: "x.spec", Spec: []byte(text)}, semantic.Packaging{Name: "x.spec", Spec: []byte(d.text())}, semantic.Options{})
		if len(diff.Changes) > 0 {
			t.Errorf("%s: %s is a change of meaning:\n%s", names[i], e.name, strings.Join(lines(diff), "\n"))
		}
		if diff.Noise.Total() == 0 {
			t.Errorf("%s: %s is no noise", names[i], e.name)
		}
	}
	if done < 300 || len(kinds) < 12 {
		t.Errorf("%d reformattings of %d kinds are too few: %v", done, len(kinds), kinds)
	}
	t.Logf("%d reformattings of %d kinds: %v", done, len(kinds), kinds)
}

// TestSameSpecs holds that a spec does not differ from itself.
func TestSameSpecs(t *testing.T) {
	t.Parallel()
	specs := corpusSpecs(t)
	for _, name := range sample(t, specs, 3)[:200] {
		p := semantic.Packaging{Name: "x.spec", Spec: []byte(specs[name])}
		q := semantic.Packaging{Name: "x.spec", Spec: []byte(specs[name] + "\n# x\n")}
		if d := semantic.Compare(p, q, semantic.Options{}); len(d.Changes) > 0 {
			t.Errorf("%s: %s", name, strings.Join(lines(d), "\n"))
		}
	}
}
