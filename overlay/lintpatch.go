package overlay

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// patchLine finds an explicit use of a patch other than by %patch:
// %{PATCH1}, %PATCH1, %{P:1}, %patch1 in any of the spellings.
var patchLine = regex.Once(`%\{?(?:[Pp]atch|PATCH)(\d+)\b|%\{P:(\d+)\}`)

// patchCall finds %patch with its arguments.
var patchCall = regex.Once(`%\{?patch\b([^\n}]*)`)

// otherPatching finds what may apply patches in a way of its own.
var otherPatching = regex.Once(`(?i)patch|quilt|git(?:\s+|_)am\b|git\s+apply|%\{?(?:forge)?autosetup`)

// A patchPlan says which patches the spec applies, as far as its lines say so.
type patchPlan struct {
	explicit  map[int]int // line by number
	ranges    [][2]int    // of %autopatch, both ends included
	all       bool        // everything, or in a way that cannot be told
	place     int         // the line behind which another one is applied, or -1
	level     string      // the -p of the other patches
	unleveled int         // line that applies all patches without -p, or -1
}

// has reports whether the patch with a number is applied.
func (p *patchPlan) has(n int) bool {
	_, ok := p.explicit[n]
	return ok || p.all || slices.ContainsFunc(p.ranges, func(r [2]int) bool { return r[0] <= n && n <= r[1] })
}

// planPatches looks for what applies patches. Macros may do so from anywhere in
// the spec, %setup and its kin from %prep only.
func planPatches(f *spec.File, s *spec.Structure) *patchPlan {
	p := &patchPlan{explicit: map[int]int{}, place: -1, level: "-p1", unleveled: -1}
	for i := range s.Lines {
		sh := &s.Lines[i]
		if sh.Form == spec.FormComment || sh.Form == spec.FormTag || sh.Form == spec.FormBlank {
			continue
		}
		text := f.Line(i).Text
		switch part := s.Parts[sh.Part].Name; part {
		case "%description", "%changelog", "%files", "%patchlist", "%sourcelist":
		case "%prep":
			p.look(text, i, true)
		default:
			if strings.IndexByte(text, '%') >= 0 {
				p.look(text, i, false)
			}
		}
	}
	return p
}

// look takes what a line of a section says about patches.
func (p *patchPlan) look(text string, i int, prep bool) {
	found := p.numbers(text, i)
	if !prep {
		p.all = p.all || strings.Contains(text, "%{patches}") || strings.Contains(text, "%patches")
		return
	}
	word, args := call(text)
	if (word == "autosetup" || word == "autopatch") && !option(args, 'p', "abnSpmM") && !option(args, 'S', "abnpmM") && !option(args, 'N', "abnSp") {
		p.unleveled = i
	}
	switch {
	case word == "setup" || word == "forgesetup" || word == "goprep":
		p.place = max(p.place, i)
		return
	case word == "autosetup" && option(args, 'N', "abnSp"):
		p.place = max(p.place, i)
		return
	case word == "autopatch":
		p.autopatch(args)
		p.place = max(p.place, i)
		return
	case found:
		p.place = max(p.place, i)
		return
	}
	p.all = p.all || otherPatching().MatchString(text)
}

// numbers takes the patches that a line applies by their numbers, and reports
// whether there are any.
func (p *patchPlan) numbers(text string, i int) (found bool) {
	for _, m := range patchLine().FindAllStringSubmatch(text, -1) {
		found = p.use(m[1]+m[2], i) || found
	}
	for _, m := range patchCall().FindAllStringSubmatch(text, -1) {
		words := strings.Fields(m[1])
		for k := 0; k < len(words); k++ {
			switch w := words[k]; {
			case w == "-P" && k+1 < len(words):
				k++
				found = p.use(words[k], i) || found
			case strings.HasPrefix(w, "-P"):
				found = p.use(w[2:], i) || found
			case strings.HasPrefix(w, "-p") && len(w) > 2:
				p.level = w
			case w == "-b" || w == "-z" || w == "-F" || w == "-d" || w == "-o" || w == "-p":
				k++
			default:
				found = p.use(w, i) || found
			}
		}
		if !found {
			p.all = true // numbers that a macro makes
		}
	}
	return found
}

// use takes a patch that line i applies by its number; it is false for what is no
// number.
func (p *patchPlan) use(digits string, i int) bool {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return false
	}
	if _, ok := p.explicit[n]; !ok {
		p.explicit[n] = i
	}
	return true
}

// autopatch takes the patches that an %autopatch line applies.
func (p *patchPlan) autopatch(args []string) {
	low, high, numbers := 0, 1<<31, 0
	for k := 0; k < len(args); k++ {
		w := args[k]
		value := func() int {
			digits := w[2:]
			if digits == "" && k+1 < len(args) {
				k++
				digits = args[k]
			}
			n, err := strconv.Atoi(digits)
			p.all = p.all || err != nil
			return n
		}
		switch {
		case strings.HasPrefix(w, "-m"):
			low = value()
		case strings.HasPrefix(w, "-M"):
			high = value()
		case w == "-p":
			k++
		case strings.HasPrefix(w, "-p"):
			p.level = w
		case !strings.HasPrefix(w, "-"):
			n, err := strconv.Atoi(w)
			p.all = p.all || err != nil
			p.ranges = append(p.ranges, [2]int{n, n})
			numbers++
		}
	}
	if numbers == 0 {
		p.ranges = append(p.ranges, [2]int{low, high})
	}
}

// call splits a line that is one macro call: %name args or %{name args}.
func call(text string) (name string, args []string) {
	words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(text), "}"))
	if len(words) == 0 || words[0][0] != '%' {
		return "", nil
	}
	return strings.Trim(words[0], "%{?"), words[1:]
}

// option reports whether an option letter is among the arguments; those of
// with take a value.
func option(args []string, letter byte, with string) bool {
	for i := 0; i < len(args); i++ {
		w := args[i]
		if len(w) < 2 || w[0] != '-' {
			continue
		}
		for k := 1; k < len(w); k++ {
			if w[k] == letter {
				return true
			}
			if strings.IndexByte(with, w[k]) >= 0 {
				if k == len(w)-1 {
					i++
				}
				break
			}
		}
	}
	return false
}

// patchesApplied checks at the end that the patches which operations list are
// applied, that none is which they removed, and that all still are where they
// took away what applied them.
func (l *linter) patchesApplied(s *spec.Structure) {
	stopped := l.stoppedApplying()
	if len(l.numbers) == 0 && stopped == nil && !slices.ContainsFunc(l.ops, func(op *Op) bool { return op.lists() }) {
		return
	}
	plan := planPatches(l.file, s)
	list := entries(l.file, l.tree.Files)
	have := map[int]bool{}
	for i := range list {
		e := &list[i]
		if e.family != "patch" {
			continue
		}
		have[e.number] = true
		op := l.writer(e.line)
		if l.file.Line(e.line).Num > 0 || e.included() {
			op = stopped
		}
		if op != nil && op.Type == PatchAdd && plan.all && plan.unleveled >= 0 {
			l.patchLevel(op, e, plan.unleveled)
		}
		if op == nil || plan.has(e.number) || plan.place < 0 {
			continue
		}
		l.patchNotApplied(op, e, plan, s)
	}
	for _, r := range l.numbers {
		at, applied := plan.explicit[r.number]
		if r.family != "patch" || have[r.number] || !applied {
			continue
		}
		l.report(diag.Diagnostic{
			Pos: r.op.Pos, Code: "overlay/patch-missing",
			Message: fmt.Sprintf("%s: patch %d is removed, but %%prep still applies it", r.op.Name(), r.number),
			Hint:    "remove that line as well with spec-search-replace",
			Related: []diag.Related{{Pos: l.file.Pos(at), Message: "applied here: " + short(l.file.Line(at).Text)}},
		})
	}
}

// lists reports whether the operation may list a patch.
func (op *Op) lists() bool {
	switch op.Type {
	case PatchAdd:
		return true
	case AddTag, InsertTag, SetTag, UpdateTag:
		family, _, ok := listedTag(op.Tag)
		return ok && family == "patch"
	case AppendLines, PrependLines:
		return op.Section == "%patchlist" || slices.ContainsFunc(op.Lines, func(t string) bool { return strings.HasPrefix(t, "Patch") })
	case SearchReplace:
		return strings.Contains(op.Replacement, "Patch")
	}
	return false
}

// stoppedApplying returns the operation that took away or changed a line which
// applied all patches, or nil.
func (l *linter) stoppedApplying() *Op {
	for i := len(l.lost) - 1; i >= 0; i-- {
		word, args := call(l.lost[i].line.Text)
		if word == "autopatch" || word == "autosetup" && !option(args, 'N', "abnSp") {
			return l.lost[i].op
		}
	}
	return nil
}

func (l *linter) patchNotApplied(op *Op, e *listed, plan *patchPlan, s *spec.Structure) {
	at := plan.place
	if b := s.Lines[at].Block; b >= 0 {
		at = s.Blocks[b].End - 1
	}
	line, missing := strings.TrimRight(l.file.Line(at).Text, " \t\r"), fmt.Sprintf("%%patch -P %d %s", e.number, plan.level)
	l.report(diag.Diagnostic{
		Pos: op.Pos, Code: "overlay/patch-not-applied",
		Message: fmt.Sprintf("%s: patch %d is listed, but %%prep does not apply it: %q is missing", op.Name(), e.number, missing),
		Hint: fmt.Sprintf("add an overlay: type = \"spec-search-replace\", section = \"%%prep\", regex = %s, replacement = %s",
			tomlRegex(line), strconv.Quote(line+"\n"+missing)),
		Related: []diag.Related{{Pos: l.file.Pos(at), Message: "its place is behind this line: " + short(line)}},
	})
}

// gitPatch finds the names of a file in a directory as git writes them into a
// patch.
var gitPatch = regex.Once(`(?m)^--- a/\S+/\S+.*\n\+\+\+ b/\S+/\S+`)

// patchLevel notices a patch with a/ and b/ in front of its names where patches
// are applied without -p: patch then looks for files of these names without any
// directory.
func (l *linter) patchLevel(op *Op, e *listed, at int) {
	f := l.tree.Files[path.Base(e.value)]
	if f == nil {
		return
	}
	data, err := f.Bytes()
	if err != nil || !gitPatch().Match(data) {
		return
	}
	line := strings.TrimRight(l.file.Line(at).Text, " \t\r")
	l.report(diag.Diagnostic{
		Pos: op.Pos, Code: "overlay/patch-level",
		Message: fmt.Sprintf("%s: the names in %s begin with a/ and b/, but %%prep applies patches without -p1", op.Name(), path.Base(e.value)),
		Hint: fmt.Sprintf("add -p1 if no other patch needs it to be without: type = \"spec-search-replace\", section = \"%%prep\", regex = %s, replacement = %s",
			tomlRegex(line), strconv.Quote(line+" -p1")),
		Related: []diag.Related{{Pos: l.file.Pos(at), Message: "applied here: " + short(line)}},
	})
}

// halfPackages checks at the end that no section is left of a sub-package
// whose %package section an operation removed.
func (l *linter) halfPackages(s *spec.Structure) {
	for _, r := range l.lost {
		name, pkg, kind, ok := r.line.Header()
		if !ok || kind != spec.PackageSection || pkg == "" {
			continue
		}
		left := -1
		for _, p := range s.Parts {
			if p.Package != pkg {
				continue
			}
			if p.Name == "%package" {
				left = -1
				break
			}
			if left < 0 {
				left = p.Start
			}
		}
		if left >= 0 {
			l.report(diag.Diagnostic{
				Pos: r.op.Pos, Code: "overlay/half-removed-package",
				Message: fmt.Sprintf("%s: %s %s is gone, but other sections of the package are left", r.op.Name(), name, pkg),
				Hint:    fmt.Sprintf("use spec-remove-subpackage with package = %q", pkg),
				Related: []diag.Related{{Pos: l.file.Pos(left), Message: "left: " + short(l.file.Line(left).Text)}},
			})
		}
	}
}
