package overlay

import (
	"fmt"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// A lostNumber is a source or patch number that an operation took away.
type lostNumber struct {
	family string
	number int
	op     *Op
}

// numbering notices numbers of sources and patches that are gone or mean
// another file behind the operation.
func (c *checkup) numbering() {
	touched := false
	for i := range c.log {
		for _, l := range c.log[i].Old {
			if name, _, ok := l.Tag(); ok {
				_, _, listing := listedTag(name)
				touched = touched || listing
			} else if t := l.Text; t != "" && (l.Kind() == spec.Header || strings.Contains(t, "patch") || strings.Contains(t, "%include") || strings.Contains(t, "%{load:")) {
				touched = true // perhaps a line of a list
			}
		}
	}
	if !touched {
		return
	}
	place := map[int]int{} // of the lines that are left, by index before
	for i, t := range c.lines {
		if t.was >= 0 {
			place[int(t.was)] = i
		}
	}
	was := entriesOf(c.before, func(i int) string {
		if l, ok := c.former[i]; ok {
			return l.Text
		}
		if k, ok := place[i]; ok {
			return c.file.Line(k).Text
		}
		return ""
	}, c.tree.Files)
	c.entries = entries(c.file, c.tree.Files)
	is := map[int32]*listed{} // by line before the operation
	now := map[[2]string]bool{}
	for i := range c.entries {
		e := &c.entries[i]
		now[[2]string{e.family, strconv.Itoa(e.number)}] = true
		if t := c.lines[e.line]; t.mark == kept && !e.included() {
			is[t.was] = e
		}
	}
	for i := range was {
		e := &was[i]
		if !now[[2]string{e.family, strconv.Itoa(e.number)}] {
			c.numbers = append(c.numbers, lostNumber{e.family, e.number, c.op})
		}
		if n := is[int32(e.line)]; n != nil && n.family == e.family && n.number != e.number && !e.included() {
			c.shifted = append(c.shifted, shift{e.family, e.number, n.number, c.op, n.value})
		}
	}
}

// A shift is a source or patch that got another number by an operation.
type shift struct {
	family   string
	from, to int
	op       *Op
	value    string
}

// sourceUse finds the uses of sources by number.
var sourceUse = regex.Once(`%\{?SOURCE(?:URL)?(\d+)\b|%\{S:(\d+)\}`)

// usesOf returns the first line that uses a source or patch by its number, or
// -1.
func (l *linter) usesOf(s *spec.Structure, family string, number int) int {
	digits := strconv.Itoa(number)
	re, upper := sourceUse(), "SOURCE"
	if family == "patch" {
		re, upper = patchLine(), "PATCH"
	}
	for i := range s.Lines {
		text := l.file.Line(i).Text
		if f := s.Lines[i].Form; f == spec.FormComment || f == spec.FormBlank || strings.IndexByte(text, '%') < 0 {
			continue
		}
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			if m[1]+m[2] == digits && !strings.HasPrefix(m[0], "%%") && !strings.Contains(text, "%{?"+upper+digits) {
				return i
			}
		}
		if word, args := call(text); family == "source" && (word == "setup" || word == "autosetup") && s.Parts[s.Lines[i].Part].Name == "%prep" {
			if number == 0 && !option(args, 'T', "abnSp") {
				return i
			}
			for k, w := range args {
				if w == "-a"+digits || w == "-b"+digits || k > 0 && w == digits && (args[k-1] == "-a" || args[k-1] == "-b") {
					return i
				}
			}
		}
	}
	return -1
}

// leftBehind checks at the end what operations took along that others use.
func (l *linter) leftBehind(s *spec.Structure) {
	l.numbersLeft(s)
	l.macrosLeft(s)
	l.packagesLeft(s)
	l.listsLeft(s)
}

func (l *linter) numbersLeft(s *spec.Structure) {
	if len(l.numbers) == 0 && len(l.shifted) == 0 {
		return
	}
	l.entries = entries(l.file, l.tree.Files)
	for _, r := range l.numbers {
		if r.family != "source" || slices.ContainsFunc(l.entries, func(e listed) bool { return e.family == "source" && e.number == r.number }) {
			continue
		}
		if at := l.usesOf(s, r.family, r.number); at >= 0 {
			l.report(diag.Diagnostic{
				Pos: r.op.Pos, Code: "overlay/source-missing",
				Message: fmt.Sprintf("%s: source %d is removed, but the spec still uses it", r.op.Name(), r.number),
				Hint:    "change or remove that line as well with spec-search-replace",
				Related: []diag.Related{{Pos: l.file.Pos(at), Message: "used here: " + short(l.file.Line(at).Text)}},
			})
		}
	}
	for _, r := range l.shifted {
		at := l.usesOf(s, r.family, r.from)
		if at < 0 {
			at = l.usesOf(s, r.family, r.to)
		}
		if at < 0 || slices.ContainsFunc(l.entries, func(e listed) bool {
			return e.family == r.family && e.number == r.from && e.value == r.value
		}) {
			continue
		}
		l.report(diag.Diagnostic{
			Pos: r.op.Pos, Code: "overlay/number-shifted",
			Message: fmt.Sprintf("%s: %s %d is now number %d: it bears no number and counts from the one above", r.op.Name(), r.family, r.from, r.to),
			Hint:    fmt.Sprintf("give it its number with spec-search-replace, as %s%d: %s", title(r.family), r.from, short(r.value)),
			Related: []diag.Related{{Pos: l.file.Pos(at), Message: "a number is used here: " + short(l.file.Line(at).Text)}},
		})
	}
}

// definition finds what defines a macro or a build conditional.
var definition = regex.Once(`%(?:define|global)\s+(\w+)|%bcond(?:_with(?:out)?)?\s+([\w.+-]+)`)

// tagMacros are the tags that define a macro of their name in lower case.
var tagMacros = []string{"name", "version", "release", "epoch", "url", "summary", "license", "vendor", "group"}

// macrosLeft finds macros whose definition is gone and that are still used.
// One that is used where it may be missing, as %{?name}, is nobody's mistake.
func (l *linter) macrosLeft(s *spec.Structure) {
	type loss struct {
		name string // of the macro, or "with NAME" of a build conditional
		by   lostLine
	}
	var losses []loss
	for _, r := range l.lost {
		text := r.line.Text
		if strings.HasPrefix(strings.TrimSpace(text), "%{!?") {
			continue // a fallback for what the distribution may have
		}
		for _, m := range definition().FindAllStringSubmatch(text, -1) {
			name := m[1]
			if name == "" {
				name = "with " + m[2]
			}
			losses = append(losses, loss{name, r})
		}
		if name, _, ok := r.line.Tag(); ok && r.line.Kind() == spec.TagLine && slices.Contains(tagMacros, strings.ToLower(name)) {
			losses = append(losses, loss{strings.ToLower(name), r})
		}
	}
	if len(losses) == 0 {
		return
	}
	defined := map[string]bool{}
	for i := range s.Lines {
		for _, m := range definition().FindAllStringSubmatch(l.file.Line(i).Text, -1) {
			defined[m[1]], defined["with "+m[2]] = true, true
		}
	}
	for i := range s.Tags {
		if t := &s.Tags[i]; s.Lines[t.Line].Part == 0 {
			defined[strings.ToLower(t.Name)] = true
		}
	}
	for _, x := range losses {
		if defined[x.name] || l.definedElsewhere(x.name) {
			continue
		}
		defined[x.name] = true // say it once
		at := l.macroUse(s, x.name)
		if at < 0 {
			continue
		}
		what, hint := "macro "+x.name, "keep the definition: put it back with spec-prepend-lines, or change the line that uses it"
		if bcond, ok := strings.CutPrefix(x.name, "with "); ok {
			what, hint = "build conditional "+bcond, "keep its declaration, or remove the lines that ask for it"
		}
		l.report(diag.Diagnostic{
			Pos: x.by.op.Pos, Code: "overlay/macro-lost",
			Message: fmt.Sprintf("%s: the %s goes with the text that defines it, but the spec still uses it", x.by.op.Name(), what),
			Hint:    hint,
			Related: []diag.Related{
				l.upstream(x.by.line, "it was defined by: %s", short(x.by.line.Text)),
				{Pos: l.file.Pos(at), Message: "used here: " + short(l.file.Line(at).Text)},
			},
		})
	}
}

// upstream returns a related position for a line that is gone.
func (l *linter) upstream(line spec.Line, format string, args ...any) diag.Related {
	r := diag.Related{Message: fmt.Sprintf(format, args...), Pos: l.file.Pos(0)}
	if line.Num > 0 {
		r.Pos = token.Position{Filename: l.file.Name(), Line: line.Num, Column: 1}
	}
	return r
}

// definedElsewhere reports whether a macro comes from outside of the spec.
func (l *linter) definedElsewhere(name string) bool {
	if l.opt.Defined != nil && l.opt.Defined(name) {
		return true
	}
	for p, f := range l.tree.Files {
		if (strings.HasSuffix(p, ".macros") || strings.HasPrefix(path.Base(p), "macros.")) && f.Size() < maxList {
			if data, err := f.Bytes(); err == nil && regexp.MustCompile(`(?m)^%`+regexp.QuoteMeta(name)+`\b`).Match(data) {
				return true
			}
		}
	}
	return false
}

// macroUse returns the first line that cannot do without a macro, or -1.
func (l *linter) macroUse(s *spec.Structure, name string) int {
	re := regexp.MustCompile(`(?:^|[^%])(?:%%)*%(?:\{` + regexp.QuoteMeta(name) + `[}: ]|` + regexp.QuoteMeta(name) + `\b)`)
	if bcond, ok := strings.CutPrefix(name, "with "); ok {
		q := regexp.QuoteMeta(bcond)
		re = regexp.MustCompile(`%\{with(?:out)?\s+` + q + `\}|%\{with_` + q + `\}`)
	}
	for i := range s.Lines {
		sh := &s.Lines[i]
		if sh.Form == spec.FormComment || s.Parts[sh.Part].Name == "%changelog" {
			continue
		}
		if text := l.file.Line(i).Text; strings.IndexByte(text, '%') >= 0 && re.MatchString(text) {
			return i
		}
	}
	return -1
}

// packagesLeft finds dependencies on sub-packages that are gone.
func (l *linter) packagesLeft(s *spec.Structure) {
	main := ""
	for i := range s.Tags {
		if t := &s.Tags[i]; s.Lines[t.Line].Part == 0 && strings.EqualFold(t.Name, "name") {
			main = t.Value
		}
	}
	same := func(dep, full string) bool {
		dep, _, _ = strings.Cut(dep, " ")
		dep = strings.TrimSuffix(dep, "%{?_isa}")
		return strings.ReplaceAll(strings.ReplaceAll(dep, "%{name}", main), "%name", main) == full
	}
	seen := map[string]bool{}
	for _, r := range l.lost {
		_, pkg, kind, ok := r.line.Header()
		if !ok || kind != spec.PackageSection || pkg == "" {
			continue
		}
		full := main + "-" + pkg
		if strings.Contains(r.line.Text, "-n ") {
			full = pkg
		}
		full = strings.ReplaceAll(full, "%{name}", main)
		if seen[full] || strings.Contains(full, "%") || slices.ContainsFunc(s.Parts, func(p spec.Part) bool { return p.Name == "%package" && p.Package == pkg }) {
			continue
		}
		seen[full] = true
		names := func(tag string) func(t spec.Statement) bool {
			return func(t spec.Statement) bool {
				return strings.EqualFold(t.Name, tag) &&
					slices.ContainsFunc(splitDependencies(t.Value), func(d string) bool { return same(d, full) })
			}
		}
		k := slices.IndexFunc(s.Tags, names("requires"))
		if k < 0 || slices.ContainsFunc(s.Tags, names("provides")) {
			continue
		}
		user := &s.Tags[k]
		l.report(diag.Diagnostic{
			Pos: r.op.Pos, Code: "overlay/package-missing",
			Message: fmt.Sprintf("%s: package %s is gone, but another package of the spec requires it", r.op.Name(), full),
			Hint:    fmt.Sprintf("remove that tag with spec-remove-tag and value = %s", tomlString(user.Value)),
			Related: []diag.Related{{Pos: l.file.Pos(user.Line), Message: "required here: " + short(l.file.Line(user.Line).Text)}},
		})
	}
}

// listOption finds the list of files that a %files section takes.
var listOption = regex.Once(`\s-f\s*(\S+)`)

// listsLeft finds %files -f lists whose making is gone.
func (l *linter) listsLeft(s *spec.Structure) {
	if len(l.lost) == 0 {
		return
	}
	for _, p := range s.Parts {
		if p.Name != "%files" {
			continue
		}
		for _, m := range listOption().FindAllStringSubmatch(l.file.Line(p.Start).Text, -1) {
			list := path.Base(m[1])
			stem := strings.TrimSuffix(list, ".lang")
			makes := func(text string) bool {
				return strings.Contains(text, list) || stem != list && strings.Contains(text, "%find_lang") && strings.Contains(text, stem)
			}
			k := slices.IndexFunc(l.lost, func(r lostLine) bool { return r.line.Kind() != spec.Header && makes(r.line.Text) })
			if k < 0 {
				continue
			}
			made := false
			for i := range s.Lines {
				if f := s.Lines[i].Form; f != spec.FormHeader && f != spec.FormComment && makes(l.file.Line(i).Text) {
					made = true
					break
				}
			}
			if !made {
				l.report(diag.Diagnostic{
					Pos: l.lost[k].op.Pos, Code: "overlay/list-missing",
					Message: fmt.Sprintf("%s: what makes the list %s is gone, but %%files still takes it", l.lost[k].op.Name(), list),
					Hint:    "keep that line, or remove the section with spec-remove-section and put it back without -f",
					Related: []diag.Related{
						l.upstream(l.lost[k].line, "it was made by: %s", short(l.lost[k].line.Text)),
						{Pos: l.file.Pos(p.Start), Message: "taken here: " + short(l.file.Line(p.Start).Text)},
					},
				})
			}
		}
	}
}

// tomlString writes a text as a TOML string, without escapes where possible.
func tomlString(s string) string {
	if strings.ContainsAny(s, "\"\\") && !strings.ContainsAny(s, "'\n") {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}
