package template

import (
	"errors"
	"fmt"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"unicode/utf8"

	"specgraft/overlay/regex"
)

// lines are whole lines of output, each with the values that went into it.
type lines []outLine

type outLine struct {
	text string
	from []token.Position
}

func (l *lines) add(text string, from ...token.Position) {
	*l = append(*l, outLine{text, from})
}

// A Func documents one function that templates may call.
type Func struct {
	Name, Args, Help string
}

// Funcs are the functions of templates beside those of text/template. All of
// them write escaped text; those that write lines end each with a newline.
var Funcs = []Func{
	{"tag", "NAME VALUE", "one tag line, aligned; nothing when VALUE is empty"},
	{"tags", "NAME LIST", "a tag line for each item, in the order of the list"},
	{"numbered", "NAME SOURCES", "numbered tags from 0: Source0, Source1 ..., or Patch0 ..."},
	{"lines", "LIST", "each item on a line of its own"},
	{"describe", "TEXT", "paragraphs wrapped at 79 columns"},
	{"options", "FIRST LIST", "FIRST and the items joined by continuation lines"},
	{"sorted", "LIST", "the list in byte order, without repetitions"},
	{"list", "ITEM...", "a list of the items; text written in the template holds macros"},
	{"concat", "LIST...", "the lists one after the other"},
	{"joined", "LIST", "the items in one line, with a blank between"},
	{"hasprefix", "VALUE TEXT", "whether VALUE begins with TEXT"},
	{"trimprefix", "VALUE TEXT", "VALUE without TEXT at its beginning"},
	{"osrelease", "SPEC", "the lines of an os-release file, for a quoted here-document"},
	{"or_else", "VALUE TEXT", "VALUE, or TEXT when VALUE is empty"},
	{"plain", "VALUE", "VALUE, refused when it has a percent sign or unbalanced braces: for places that rpm expands more than once, such as %global"},
	{"quote", "TEXT", "TEXT with every % doubled, as rpm wants it for a literal one"},
	{"shellquote", "VALUE", "VALUE as one word of a shell command"},
	{"bconds", "", "the %bcond line of each build conditional"},
	{"globals", "LIST", "a %global line for each definition"},
	{"section", "NAME PACKAGE", "a section header such as %files or %description for that package"},
	{"ifbcond", "NAME", "%if %{with NAME}; nothing when the conditional is not declared"},
	{"endbcond", "NAME", "the %endif for ifbcond"},
	{"preamble", "PACKAGE", "the dependency tags of a package, in Fedora's order"},
	{"installed", "SPEC", "install commands for files carried next to the TOML"},
	{"filelist", "PACKAGE", "the lines of a %files section"},
	{"scriptlets", "PACKAGE", "the scriptlets that units, sysusers and tmpfiles declarations need"},
	{"release", "", "the value of Release"},
	{"changelog", "", "the body of %changelog"},
}

// funcs binds the functions to one component.
func (r *recorder) funcs(s *Spec) template.FuncMap {
	m := template.FuncMap{
		"tag": tag, "tags": tags, "numbered": numbered, "lines": writeLines, "describe": describe,
		"options": options, "sorted": sorted, "list": list, "concat": concat, "or_else": orElse,
		"joined": joined, "hasprefix": hasPrefix, "trimprefix": trimPrefix, "osrelease": osRelease,
		"plain": plain, "quote": quote, "shellquote": shellquote,
		"bconds":     func() (lines, error) { return bconds(s) },
		"globals":    globals,
		"section":    section,
		"ifbcond":    func(name string) lines { return onBcond(s, name, "%if %{with "+name+"}") },
		"endbcond":   func(name string) lines { return onBcond(s, name, "%endif") },
		"preamble":   preamble,
		"installed":  installed,
		"filelist":   func(p any) (lines, error) { return fileList(s, p) },
		"scriptlets": scriptlets,
		"release":    func() Text { return release(s) },
		"changelog":  func() (lines, error) { return changelog(s) },
	}
	maps.Copy(m, engineFuncs)
	for name, f := range m {
		m[name] = r.bounded(f)
	}
	m["__text"], m["__emit"], m["__enter"], m["__leave"] = r.announce, r.emit, r.enter, r.leave
	return m
}

// engineFuncs are functions of text/template that make text.
var engineFuncs = template.FuncMap{"printf": printf, "print": ofScalars(fmt.Sprint), "println": ofScalars(fmt.Sprintln),
	"html": ofScalars(template.HTMLEscaper), "js": ofScalars(template.JSEscaper), "urlquery": ofScalars(template.URLQueryEscaper)}

// ofScalars returns a function that takes only what has a size known before.
func ofScalars(f func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		if _, err := longest(args); err != nil {
			return "", err
		}
		return f(args...), nil
	}
}

// longest returns about how many bytes the longest of texts and numbers has.
func longest(args []any) (int, error) {
	n := 100
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			n = max(n, len(arg))
		case Text:
			n = max(n, len(arg.S)+100)
		case int, float64, bool, nil:
		default:
			return 0, errors.New("texts and numbers are wanted here, not lists or tables")
		}
	}
	return n, nil
}

// bounded returns a function that accounts for what it takes and gives: what is
// taken may be given twice, and so on in a loop.
func (r *recorder) bounded(f any) any {
	call := reflect.ValueOf(f)
	takes := []reflect.Type{}
	for in := range call.Type().Ins() {
		takes = append(takes, in)
	}
	result := call.Type().Out(0)
	failure := reflect.TypeFor[error]()
	typ := reflect.FuncOf(takes, []reflect.Type{result, failure}, call.Type().IsVariadic())
	return reflect.MakeFunc(typ, func(args []reflect.Value) []reflect.Value {
		fail := func(err error) []reflect.Value {
			return []reflect.Value{reflect.Zero(result), reflect.ValueOf(&err).Elem()}
		}
		for i, arg := range args {
			given := []any{arg.Interface()}
			if list, ok := given[0].([]any); ok && i == len(args)-1 {
				given = list
			}
			if err := r.spend(given...); err != nil {
				return fail(err)
			}
		}
		var out []reflect.Value
		if call.Type().IsVariadic() {
			out = call.CallSlice(args)
		} else {
			out = call.Call(args)
		}
		if len(out) > 1 && !out[1].IsNil() {
			return out
		}
		return []reflect.Value{out[0], reflect.ValueOf(new(r.spend(out[0].Interface()))).Elem()}
	}).Interface()
}

// widths are the widths of printf which pad text.
var widths = regex.Once(`[0-9]{3}|\*`)

// printf is fmt.Sprintf for what is small enough before it is made.
func printf(format string, args ...any) (string, error) {
	n, err := longest(args)
	if err != nil {
		return "", err
	}
	if widths().MatchString(format) {
		return "", errors.New("printf pads to at most 99 columns")
	}
	if strings.Count(format, "%")*n > maxOutput {
		return "", errTooMuch
	}
	return fmt.Sprintf(format, args...), nil
}

// dummy functions let templates be parsed before there is a component.
func dummies() template.FuncMap { return (&recorder{}).funcs(&Spec{}) }

// text accepts what a template may pass for a text: a value of the
// description, or a literal, which the author of the template answers for.
func text(v any) (Text, error) {
	switch v := v.(type) {
	case Text:
		return v, nil
	case string:
		return Text{S: v, Kind: Macros}, nil
	case nil:
		return Text{}, nil
	}
	return Text{}, fmt.Errorf("a text is wanted here, not a list or table")
}

func texts(v any) ([]Text, error) {
	switch v := v.(type) {
	case []Text:
		return v, nil
	case nil:
		return nil, nil
	case Text, string:
		t, _ := text(v)
		if t.S == "" {
			return nil, nil
		}
		return []Text{t}, nil
	}
	return nil, fmt.Errorf("a list of texts is wanted here")
}

const tagWidth = 16 // "BuildRequires:" and two blanks, the width of Fedora's spec template

func tagLine(name, value string) string {
	return fmt.Sprintf("%-*s%s", tagWidth, name+":", padded(name, value))
}

// padded puts a blank between a long tag name and its value.
func padded(name, value string) string {
	if len(name)+1 >= tagWidth {
		return " " + value
	}
	return value
}

func tag(name string, v any) (lines, error) {
	t, err := text(v)
	if err != nil || t.S == "" {
		return nil, err
	}
	return tags(name, []Text{t})
}

func tags(name string, v any) (lines, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	return escaped(list, func(_ int, s string) string { return tagLine(name, s) })
}

func numbered(name string, list []Source) (lines, error) {
	values := make([]Text, len(list))
	for i, src := range list {
		values[i] = src.Value
	}
	return escaped(values, func(i int, s string) string { return tagLine(fmt.Sprintf("%s%d", name, i), s) })
}

func writeLines(v any) (lines, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	return escaped(list, func(_ int, s string) string { return s })
}

// escaped makes a line of each text, which it gets as it may stand in a spec.
func escaped(list []Text, line func(i int, s string) string) (lines, error) {
	var out lines
	for i, t := range list {
		s, err := t.Escaped()
		if err != nil {
			return nil, err
		}
		out.add(line(i, s), t.Pos)
	}
	return out, nil
}

// describe wraps paragraphs at 79 columns, rpmlint's limit. A line never begins
// with #, which rpm would take for a comment and drop.
func describe(v any) (lines, error) {
	t, err := text(v)
	if err != nil {
		return nil, err
	}
	if t.Kind == Data {
		t.Kind = Block
	}
	s, err := t.Escaped()
	if err != nil {
		return nil, err
	}
	var out lines
	for para := range strings.SplitSeq(s, "\n") {
		line := ""
		for word := range strings.FieldsSeq(para) {
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 79 && word[0] != '#':
				out.add(line, t.Pos)
				line = word
			default:
				line += " " + word
			}
		}
		if strings.HasPrefix(line, "#") && !strings.Contains(line, " ") || strings.HasPrefix(strings.TrimSpace(para), "#") {
			return nil, &valueError{t.Pos, "a paragraph must not begin with #, which rpm takes for a comment"}
		}
		out.add(line, t.Pos)
	}
	return out, nil
}

func options(first string, v any) (lines, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	var out lines
	if len(list) == 0 {
		out.add(first)
		return out, nil
	}
	out.add(first + ` \`)
	for i, t := range list {
		s, err := t.Escaped()
		if err != nil {
			return nil, err
		}
		if i < len(list)-1 {
			s += ` \`
		}
		out.add("    "+s, t.Pos)
	}
	return out, nil
}

func sorted(v any) ([]Text, error) {
	list, err := texts(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Text) int { return strings.Compare(a.S, b.S) })
	return slices.CompactFunc(list, func(a, b Text) bool { return a.S == b.S }), nil
}

func list(v ...any) ([]Text, error) { return concat(v...) }

func concat(v ...any) ([]Text, error) {
	var out []Text
	for _, e := range v {
		l, err := texts(e)
		if err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return out, nil
}

func orElse(v any, other string) (Text, error) {
	t, err := text(v)
	if err == nil && t.S == "" {
		return Text{S: other, Kind: Macros}, nil
	}
	return t, err
}

func joined(v any) (Text, error) {
	list, err := texts(v)
	if err != nil || len(list) == 0 {
		return Text{}, err
	}
	out := Text{Pos: list[0].Pos, Kind: Macros}
	for i, t := range list {
		e, err := t.Escaped()
		if err != nil {
			return Text{}, err
		}
		if i > 0 {
			out.S += " "
		}
		out.S += e
	}
	return out, nil
}

func hasPrefix(v any, prefix string) (bool, error) {
	t, err := text(v)
	return strings.HasPrefix(t.S, prefix), err
}

func trimPrefix(v any, prefix string) (Text, error) {
	t, err := text(v)
	t.S = strings.TrimPrefix(t.S, prefix)
	return t, err
}

// osRelease writes KEY="VALUE" lines by the quoting rules of os-release(5).
func osRelease(s *Spec) (lines, error) {
	var out lines
	for _, g := range s.OSRelease {
		v, err := g.Value.Escaped()
		if err != nil {
			return nil, err
		}
		v = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(v)
		out.add(g.Name.S+`="`+v+`"`, g.Name.Pos, g.Value.Pos)
	}
	return out, nil
}

// plain lets only text pass that no number of expansions changes. The body of a
// %global is expanded when it is defined and again when it is used, so doubled
// percent signs would not protect it.
func plain(v any) (any, error) {
	list, isList := v.([]Text)
	if !isList {
		t, err := text(v)
		if err != nil {
			return nil, err
		}
		list = []Text{t}
	}
	for _, t := range list {
		depth := 0
		for _, r := range t.S {
			switch r {
			case '{':
				depth++
			case '}':
				depth--
			case '%':
				return nil, &valueError{t.Pos, "a percent sign is not possible here: rpm would expand it more than once"}
			}
			if depth < 0 {
				break
			}
		}
		if depth != 0 {
			return nil, &valueError{t.Pos, "braces must be balanced here: the text stands inside a macro"}
		}
	}
	if isList {
		return list, nil
	}
	return list[0], nil
}

func quote(v any) (string, error) {
	t, err := text(v)
	if err != nil {
		return "", err
	}
	t.Kind = Data
	return t.Escaped()
}

func shellquote(v any) (Text, error) {
	t, err := text(v)
	t.S = "'" + strings.ReplaceAll(t.S, "'", `'\''`) + "'"
	return t, err
}

func bconds(s *Spec) (lines, error) {
	var out lines
	for _, b := range s.Bconds {
		on := 0
		if b.On {
			on = 1
		}
		out.add(fmt.Sprintf("%%bcond %s %d", b.Name.S, on), b.Name.Pos)
	}
	return out, nil
}

func globals(list []Global) (lines, error) {
	var out lines
	for _, g := range list {
		v, err := g.Value.Escaped()
		if err != nil {
			return nil, err
		}
		out.add(fmt.Sprintf("%%global %s %s", g.Name.S, v), g.Name.Pos, g.Value.Pos)
	}
	return out, nil
}

func asPackage(v any) (*Package, error) {
	switch v := v.(type) {
	case *Package:
		return v, nil
	case Package:
		return &v, nil
	case *Spec:
		return &v.Package, nil
	}
	return nil, fmt.Errorf("a package is wanted here: the whole description, or an item of .Packages")
}

func section(name string, v any) (lines, error) {
	p, err := asPackage(v)
	if err != nil {
		return nil, err
	}
	var out lines
	if s, ok := v.(*Spec); ok && p == &s.Package {
		out.add("%" + name)
		return out, nil
	}
	h := p.Header()
	out.add("%"+name+" "+h.S, h.Pos)
	return out, nil
}

// onBcond writes a line when the build conditional is declared.
func onBcond(s *Spec, name, line string) lines {
	var out lines
	for _, b := range s.Bconds {
		if b.Name.S == name {
			out.add(line, b.Name.Pos)
			break
		}
	}
	return out
}

func preamble(v any) (lines, error) {
	p, err := asPackage(v)
	if err != nil {
		return nil, err
	}
	var out lines
	for _, g := range []struct {
		name string
		list []Text
	}{
		{"Requires", p.Requires}, {"Recommends", p.Recommends}, {"Suggests", p.Suggests},
		{"Supplements", p.Supplements}, {"Provides", p.Provides}, {"Conflicts", p.Conflicts},
		{"Obsoletes", p.Obsoletes},
	} {
		l, err := tags(g.name, g.list)
		if err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	for _, g := range p.Tags {
		l, err := tags(g.Name.S, []Text{g.Value})
		if err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return out, nil
}

func release(s *Spec) Text {
	if s.Release.S == "" {
		return Text{S: "%autorelease", Pos: s.Pos, Kind: Macros}
	}
	return Text{S: s.Release.S + "%{?dist}", Pos: s.Release.Pos, Kind: Macros}
}
