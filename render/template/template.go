// Package template writes specs from TOML alone, for components that have no
// packaging upstream: meta packages, configuration, release packages, new
// software.
//
// A template is a text/template whose values are data. They are escaped when
// they are written, always, so that no value can open a macro, a section or a
// conditional unless its key is declared to hold macros; and each line of the
// result knows the line of the template and the values of the TOML file that
// made it.
//
// Built-in templates share one skeleton of named blocks in the order of
// Fedora's own spec templates. A template of the project may start with
//
//	{{/* extends python */}}
//
// and define only the blocks that differ.
package template

import (
	"embed"
	"fmt"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

//go:embed builtin/*.tmpl
var builtin embed.FS

const (
	entryPoint = "spec"       // the template that is executed
	suffix     = ".spec.tmpl" // of a project's own templates
	maxSource  = 256 << 10    // bytes of one template file, whose parser recurses
	skeleton   = "skeleton"   // the shared blocks, not a template of its own
	builtinExt = ".tmpl"      // of embedded files
	builtinDir = "builtin"    // embedded folder
	namePrefix = "built-in/"  // in positions of built-in templates
)

// Codes are the diagnostic codes of the package.
var Codes = []diag.Code{
	{ID: "template/unknown", Summary: "there is no template of that name",
		Doc: "A component names a template that is neither built in nor in the project's templates folder. `specgraft template list` prints what there is."},
	{ID: "template/broken", Summary: "a template cannot be parsed",
		Doc: "A template of the project has an error of syntax, calls an unknown function or extends a template that does not exist. The position is the template's."},
	{ID: "template/failed", Summary: "a template stopped while it ran",
		Doc: "The template asked for a field that does not exist, or a value cannot be written where the template wants it. The position is the template's; the value's own place is named below it."},
	{ID: "template/value", Summary: "a value of a templated component cannot be used",
		Doc: "A value is missing, has characters that cannot stand in a spec, or breaks a rule of rpm. Values are data: a percent sign in them is only a percent sign, except under the keys that are declared to hold macros."},
	{ID: "template/license", Summary: "the license is not a valid SPDX expression",
		Doc: "Fedora asks for an SPDX expression in License, for example `MIT AND (Apache-2.0 OR GPL-2.0-or-later)`; licences without an identifier are written `LicenseRef-NAME`."},
}

// An Info describes one template.
type Info struct {
	Name    string
	Summary string // the comment at its top
	File    string // where it stands; "built-in/NAME.tmpl" for a built-in one
	Extends string // name of the template it builds on, "" for none
	Builtin bool
}

// A Set is the built-in templates with those of a project over them.
type Set struct {
	files  map[string]file
	stray  map[string]string // files of the project's folder that are no templates by their names, by what they may be meant for
	parsed *sync.Map         // *Template by name
}

type file struct {
	Info
	text string
}

// A Template is parsed and can be executed for any number of components, also
// at once.
type Template struct {
	Info
	set   *template.Template
	marks marks
}

// Builtin returns the built-in templates.
func Builtin() *Set {
	s := &Set{files: map[string]file{}, parsed: &sync.Map{}}
	names, _ := fs.Glob(builtin, builtinDir+"/*"+builtinExt)
	for _, n := range names {
		b, _ := builtin.ReadFile(n)
		base := strings.TrimSuffix(path.Base(n), builtinExt)
		f := newFile(base, namePrefix+path.Base(n), string(b))
		f.Builtin = true
		if base != skeleton {
			f.Extends = skeleton
		}
		s.files[base] = f
	}
	return s
}

// With returns the set with the templates of a project's folder added: the files
// NAME.spec.tmpl at the top of dir. A template of the project hides a built-in
// one of the same name. Prefix stands in front of file names in positions.
func (s *Set) With(dir fs.FS, prefix string) (*Set, diag.List) {
	out := &Set{files: maps.Clone(s.files), stray: map[string]string{}, parsed: &sync.Map{}}
	var problems diag.List
	others, _ := fs.Glob(dir, "*.tmpl")
	for _, n := range others {
		if name := strings.TrimSuffix(n, ".tmpl"); !strings.HasSuffix(n, suffix) {
			out.stray[name] = path.Join(prefix, n)
		}
	}
	names, err := fs.Glob(dir, "*"+suffix)
	if err != nil {
		problems.Add(token.Position{Filename: prefix}, "template/broken", "the templates folder cannot be read: %v", err)
	}
	for _, n := range names {
		shown := path.Join(prefix, n)
		st, err := fs.Stat(dir, n)
		if err == nil && (!st.Mode().IsRegular() || st.Size() > maxSource) {
			err = fmt.Errorf("not a regular file of at most %d KiB", maxSource>>10)
		}
		var b []byte
		if err == nil {
			b, err = fs.ReadFile(dir, n)
		}
		if err != nil {
			problems.Add(token.Position{Filename: shown}, "template/broken", "the template cannot be read: %v", diag.Reason(err))
			continue
		}
		f := newFile(strings.TrimSuffix(n, suffix), shown, string(b))
		if hidden, ok := s.files[f.Name]; ok && f.Extends == f.Name {
			// A project may extend the built-in template that it hides.
			hidden.Name = "built-in " + f.Name
			out.files[hidden.Name] = hidden
			f.Extends = hidden.Name
		}
		out.files[f.Name] = f
	}
	return out, problems
}

var (
	extendsLine = regex.Once(`^\s*\{\{-?\s*/\*\s*extends\s+([A-Za-z0-9._+-]+)\s*\*/\s*-?\}\}`)
	firstNote   = regex.Once(`(?s)\{\{-?\s*/\*\s*(.*?)\s*\*/\s*-?\}\}`)
)

func newFile(name, shown, text string) file {
	f := file{Info: Info{Name: name, File: shown}, text: text}
	rest := text
	if m := extendsLine().FindStringSubmatch(text); m != nil {
		f.Extends = m[1]
		rest = text[len(m[0]):]
	}
	if m := firstNote().FindStringSubmatch(rest); m != nil {
		f.Summary = strings.Join(strings.Fields(m[1]), " ")
	}
	return f
}

// List returns the templates that a component can name, sorted.
func (s *Set) List() []Info {
	var out []Info
	for _, n := range s.Names() {
		out = append(out, s.files[n].Info)
	}
	return out
}

// Names returns the names that a component can use, sorted.
func (s *Set) Names() []string {
	names := slices.Sorted(maps.Keys(s.files))
	return slices.DeleteFunc(names, func(n string) bool { return n == skeleton || strings.HasPrefix(n, "built-in ") })
}

// Source returns the text of a template and of those it extends, the nearest
// first, or a diagnostic without position.
func (s *Set) Source(name string) ([]Info, []string, *diag.Diagnostic) {
	var infos []Info
	var texts []string
	for n := name; n != ""; {
		f, ok := s.files[n]
		if !ok || n == skeleton && n == name {
			d := s.unknown(n)
			if len(infos) > 0 {
				d.Pos = token.Position{Filename: infos[len(infos)-1].File, Line: 1, Column: 1}
			}
			return nil, nil, d
		}
		if slices.ContainsFunc(infos, func(i Info) bool { return i.Name == n }) {
			return nil, nil, &diag.Diagnostic{Pos: token.Position{Filename: f.File, Line: 1, Column: 1}, Code: "template/broken",
				Message: fmt.Sprintf("template %q extends itself", n), Hint: "let one of them stand on its own"}
		}
		infos = append(infos, f.Info)
		texts = append(texts, f.text)
		n = f.Extends
	}
	return infos, texts, nil
}

func (s *Set) unknown(name string) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: "template/unknown", Message: fmt.Sprintf("there is no template %q", name),
		Hint: "the templates are " + strings.Join(s.Names(), ", ")}
	if file, ok := s.stray[name]; ok {
		d.Hint = fmt.Sprintf("a template is called NAME%s: rename %s to %s", suffix, file, path.Join(path.Dir(file), name+suffix))
	} else if near := diag.Nearest(name, s.Names()); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q? the templates are %s", near, strings.Join(s.Names(), ", "))
	}
	return d
}

// Template parses a template with all that it extends. Errors of syntax carry
// the position in the template; a name that does not exist has none, the caller
// knows where it was written.
func (s *Set) Template(name string) (*Template, *diag.Diagnostic) {
	if t, ok := s.parsed.Load(name); ok {
		return t.(*Template), nil
	}
	t, problem := s.parse(name)
	if problem == nil {
		s.parsed.Store(name, t)
	}
	return t, problem
}

func (s *Set) parse(name string) (*Template, *diag.Diagnostic) {
	infos, texts, problem := s.Source(name)
	if problem != nil {
		return nil, problem
	}
	t := &Template{Info: infos[0], set: template.New(name).Option("missingkey=error").Funcs(dummies())}
	defined := map[string]bool{}
	for i, info := range infos {
		// Each file is parsed on its own, the nearest first, whose definitions
		// win over those of the files it extends.
		one, err := template.New(info.File).Option("missingkey=error").Funcs(dummies()).Parse(texts[i])
		if err != nil {
			pos, msg := splitPosition(err.Error())
			return nil, &diag.Diagnostic{Pos: pos, Code: "template/broken", Message: msg, Hint: "see 'specgraft template show --functions'"}
		}
		for _, def := range one.Templates() {
			into := def.Name()
			if into == info.File {
				if info.Extends != "" {
					continue // text outside of blocks has no place in an extension
				}
				into = entryPoint
			}
			if def.Tree == nil || defined[into] {
				continue
			}
			defined[into] = true
			if problem := t.marks.instrument(def, texts[i]); problem != nil {
				return nil, problem
			}
			if _, err := t.set.AddParseTree(into, def.Tree); err != nil {
				return nil, &diag.Diagnostic{Pos: token.Position{Filename: info.File}, Code: "template/broken", Message: err.Error()}
			}
		}
	}
	if t.set.Lookup(entryPoint) == nil {
		return nil, &diag.Diagnostic{Pos: token.Position{Filename: infos[0].File, Line: 1, Column: 1}, Code: "template/broken", Message: "the template is empty"}
	}
	return t, nil
}
