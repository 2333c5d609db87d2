package overlay_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// A chooser makes operations that have a chance to fit a spec.
type chooser struct {
	*rand.Rand
	file *spec.File
}

func (c *chooser) oneOf(list ...string) string { return list[c.IntN(len(list))] }

func (c *chooser) text() string {
	return c.oneOf("x", "", "%if 1", "%endif", "Tag: v", "a\nb", "%build", "%files -n x", "$1", "# c", "\xff\r", " ", "%description\n", "%else")
}

// line returns the text of some line.
func (c *chooser) line() string {
	if c.file.Len() == 0 {
		return ""
	}
	return c.file.Line(c.IntN(c.file.Len())).Text
}

func (c *chooser) section() (name, pkg string) {
	all := c.file.Sections()
	s := all[c.IntN(len(all))]
	if c.IntN(8) == 0 {
		return c.oneOf("%preamble", "%check", "%nothing", ""), s.Package
	}
	return s.Name, s.Package
}

func (c *chooser) tag() string {
	var names []string
	for t := range c.file.Tags() {
		names = append(names, t.Name)
	}
	if len(names) == 0 || c.IntN(4) == 0 {
		return c.oneOf("Source9", "Patch", "Requires", "Nothing", "release", "%{?x")
	}
	return names[c.IntN(len(names))]
}

func (c *chooser) regex() string {
	line := c.line()
	switch c.IntN(6) {
	case 0:
		return "^" + regexp.QuoteMeta(line) + "$"
	case 1:
		return c.oneOf(".*", "^$", `\s+$`, "(a|b)", `(?i)name`, `[^x]+`, "(?s).", `(?m)^%if.*\n`, `(?m)^$\n`, `\n\n`)
	}
	if f := strings.Fields(line); len(f) > 0 {
		return regexp.QuoteMeta(f[c.IntN(len(f))])
	}
	return "x"
}

// op returns an operation of the given type.
func (c *chooser) op(t overlay.Type) overlay.Op {
	op := overlay.Op{Type: t, Tag: c.tag(), Value: c.text(), Regex: c.regex(), Replacement: c.text()}
	op.Section, op.Package = c.section()
	for range 1 + c.IntN(3) {
		op.Lines = append(op.Lines, c.text())
	}
	op.File = c.oneOf("a.patch", "*.patch", "**/*", "b.conf", "sub/new", "../x", "x.spec", "{a,b}.*", "new")
	op.Data, op.Source = []byte("data\n"), "/x/"+c.oneOf("a.patch", "new.patch")
	switch t {
	case overlay.SearchReplace:
		if c.IntN(2) == 0 {
			op.Section, op.Package = "", ""
		}
		op.Multiline = c.IntN(3) == 0
		op.ReplacementGroups = c.IntN(4) == 0 && op.Replacement != "$1"
	case overlay.PrependLines, overlay.AppendLines:
		if op.Section == "" {
			op.Package = ""
		}
	case overlay.RemoveSubpackage:
		op.Section = ""
	case overlay.FileRename:
		op.Replacement = c.oneOf("c.conf", "a.patch", "..", "x.spec")
	case overlay.FileSearchReplace:
		op.Regex = c.oneOf("one", "(?m)^one", `\n`, "nothing")
	case overlay.PatchRemove:
		op.File = c.oneOf("**/*", "*", "*.patch", "a.patch")
	case overlay.PatchAdd:
		if c.IntN(2) == 0 {
			op.File = ""
		}
	case overlay.RemoveTag:
		if c.IntN(2) == 0 {
			op.Value = ""
		}
	}
	if c.IntN(6) == 0 && overlay.Lookup(t).Key("branch") != nil {
		op.Branch = c.oneOf("first", "all", "1", "2")
	}
	if c.IntN(8) == 0 {
		n := 1 + c.IntN(3)
		op.Expect = &n
	}
	return op
}

// applyChecked applies operations to a spec with some files and holds what
// comes out against what must be true of every application.
func applyChecked(t *testing.T, data []byte, ops []overlay.Op, lint bool) (applied []overlay.Type) {
	t.Helper()
	f := spec.Parse("x.spec", data)
	files := map[string]*overlay.File{}
	for _, name := range []string{"a.patch", "b.conf", "sub/a.patch"} {
		files[name] = overlay.NewFile(name, 0o644, []byte("one "+name+"\n"), nil)
	}
	tree := &overlay.Tree{Name: "x", Spec: f, Files: maps.Clone(files)}
	balanced := unpaired(f) == 0
	for i := range ops {
		ops[i].Validate()
		before, kinds, log := f.Bytes(), classes(f), len(f.Log())
		was := maps.Clone(tree.Files)
		rep, list := overlay.Apply(tree, ops[i:i+1], overlay.Options{Lint: lint})
		for _, d := range list {
			if d.Message == "" || d.Code == "" {
				t.Fatalf("%+v: a diagnostic without message or code: %+v", ops[i], d)
			}
		}
		if rep.Failed >= 0 {
			if !list.HasErrors() {
				t.Fatalf("%+v: failed without an error", ops[i])
			}
			if !bytes.Equal(before, f.Bytes()) || classes(f) != kinds || len(f.Log()) != log || !maps.Equal(was, tree.Files) {
				t.Fatalf("%+v: a failed operation left traces", ops[i])
			}
			continue
		}
		applied = append(applied, ops[i].Type)
		again := spec.Parse("x.spec", f.Bytes())
		if classes(again) != classes(f) {
			t.Fatalf("%+v: the document does not read as its bytes do:\n%s", ops[i], f.Bytes())
		}
		if !bytes.Equal(again.Normalized(), f.Normalized()) {
			t.Fatalf("%+v: normalised bytes differ", ops[i])
		}
		removal := ops[i].Type == overlay.RemoveSection || ops[i].Type == overlay.RemoveSubpackage
		if removal && balanced && unpaired(f) != 0 {
			t.Fatalf("%+v: a conditional lost its other end:\n%s", ops[i], f.Bytes())
		}
		balanced = unpaired(f) == 0
		for p, file := range tree.Files {
			if strings.HasPrefix(p, "..") || strings.HasSuffix(p, ".spec") || file.Path != p {
				t.Fatalf("%+v: bad file %q", ops[i], p)
			}
		}
	}
	// Every upstream line is there unchanged, or somebody changed or removed it.
	lines := spec.Parse("x.spec", data)
	seen, last := map[int]bool{}, 0
	for i := range f.Len() {
		l := f.Line(i)
		if l.Num == 0 {
			if l.Origin == nil {
				t.Fatalf("%+v: new line %q has no origin", ops, l.Text)
			}
			continue
		}
		if l.Num <= last {
			t.Fatalf("%+v: line %d comes after line %d", ops, l.Num, last)
		}
		seen[l.Num], last = true, l.Num
		if l.Origin == nil && l.Text != lines.Line(l.Num-1).Text {
			t.Fatalf("%+v: line %d changed by nobody", ops, l.Num)
		}
	}
	for _, r := range f.Removed() {
		if r.By == nil || seen[r.Num] || r.Before < 0 || r.Before > f.Len() {
			t.Fatalf("%+v: bad removed line %+v", ops, r)
		}
		seen[r.Num] = true
	}
	if len(seen) != lines.Len() {
		t.Fatalf("%+v: %d of %d lines are accounted for", ops, len(seen), lines.Len())
	}
	f.Undo(0)
	if !bytes.Equal(f.Bytes(), data) || classes(f) != classes(lines) {
		t.Fatalf("%+v: undo does not give the input", ops)
	}
	return applied
}

// classes is a short form of the compatible view.
func classes(f *spec.File) string {
	b := make([]byte, f.Len())
	for i := range b {
		b[i] = '0' + byte(f.Line(i).Kind())
	}
	return fmt.Sprint(string(b), f.Sections())
}

// unpaired counts %if and %endif words without their other end.
func unpaired(f *spec.File) int {
	depth, stray := 0, 0
	for i := range f.Len() {
		switch f.Line(i).Cond() {
		case spec.CondOpen:
			depth++
		case spec.CondClose:
			if depth--; depth < 0 {
				depth, stray = 0, stray+1
			}
		}
	}
	return depth + stray
}

// FuzzApply applies three operations to a spec, chosen by the seed to fit it.
func FuzzApply(f *testing.F) {
	for _, in := range []string{
		"Name: a\nVersion: 1\nPatch0: a.patch\n%if 1\nSource0: x\n%endif\n\n%package devel\nSummary: s\n\n%description\ntext\n\n%patchlist\na.patch\n\n%files\n%files devel\n%changelog\n",
		"Name: a\r\n%build\r\nmake\r\n%if 1\r\n%files\r\nx\r\n%else\r\n%files\r\ny\r\n%endif",
		"%define m() \\\n%description foo \\\n x\n%{lua:\n x: y\n}\n%if 1\n%files\n%if 0\n%endif\n\n# c\n%endif\n%files x\n",
		"",
	} {
		for i := range overlay.Ops {
			f.Add([]byte(in), uint8(i), uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, first uint8, seed uint64) {
		c := &chooser{rand.New(rand.NewPCG(seed, 1)), spec.Parse("x.spec", data)}
		var ops []overlay.Op
		for i := range 3 {
			ops = append(ops, c.op(overlay.Ops[(int(first)+i*c.IntN(5))%len(overlay.Ops)].Type))
		}
		applyChecked(t, data, ops, true)
	})
}

// TestCorpusOperations applies random operations of every type to the specs
// of the corpus. SPECGRAFT_SOAK, a duration, makes it go on with new seeds.
func TestCorpusOperations(t *testing.T) {
	t.Parallel()
	files := upstreamSpecs(t)
	soak, _ := time.ParseDuration(os.Getenv("SPECGRAFT_SOAK"))
	types := make([]overlay.Type, 0, len(overlay.Ops))
	for _, info := range overlay.Ops {
		types = append(types, info.Type)
	}
	if only := os.Getenv("SPECGRAFT_SOAK_TYPE"); only != "" {
		types = []overlay.Type{overlay.Type(only)}
	}
	end := time.Now().Add(soak)
	n, applied, at := 0, map[overlay.Type]int{}, ""
	defer func() {
		if t.Failed() {
			t.Log("last at", at)
		}
	}()
	first := uint64(1)
	if soak > 0 {
		first = uint64(time.Now().UnixNano())
	}
	for seed := first; ; seed++ {
		// Without a soak only some of the specs, others for each type.
		for i := range files {
			if soak > 0 {
				if time.Now().After(end) {
					t.Logf("%d operations tried, applied: %v", n, applied)
					return
				}
			} else if i%40 != 0 {
				continue
			}
			f := files[(uint64(i)+seed)%uint64(len(files))]
			at = fmt.Sprintf("%s, seed %d, %d", f.name, seed, i)
			c := &chooser{rand.New(rand.NewPCG(seed, uint64(i))), spec.Parse("x.spec", f.data)}
			for _, typ := range types {
				ops := []overlay.Op{c.op(typ)}
				if c.IntN(2) == 0 {
					ops = append(ops, c.op(types[c.IntN(len(types))]))
				}
				n += len(ops)
				for _, typ := range applyChecked(t, f.data, ops, soak == 0) {
					applied[typ]++
				}
			}
		}
		if soak == 0 {
			for _, typ := range types {
				if applied[typ] < 10 {
					t.Errorf("%s could be applied %d times only", typ, applied[typ])
				}
			}
			return
		}
	}
}
