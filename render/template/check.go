package template

import (
	"go/token"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// Check parses every template of the set and runs it on a description in which
// every key is set and once more on one with only the required keys, so that a
// misspelt field or function, or a tag that rpm misses, shows before a component
// meets it.
func (s *Set) Check(names ...string) diag.List {
	var problems diag.List
	if len(names) == 0 {
		names = s.Names()
	}
	for _, name := range names {
		t, problem := s.Template(name)
		if problem != nil {
			problems = append(problems, *problem)
			continue
		}
		for _, spec := range []*Spec{example(), least()} {
			out, list := t.Execute(spec)
			for _, d := range list {
				if d.Code != "template/value" || d.Pos != spec.Pos { // a key that the template needs, which is its right
					problems = append(problems, d)
				}
			}
			if out != nil {
				problems = append(problems, out.rejected(spec)...)
			}
		}
	}
	problems.Sort()
	return problems
}

// rejected returns what rpm would not accept of the output, at the lines of the
// template.
func (o *Output) rejected(spec *Spec) diag.List {
	var list diag.List
	for _, d := range macro.Eval(spec.Name.S+".spec", o.Text, macro.Config{AutoreleaseProbe: true}).Problems {
		// What the sample values lead to is not the template's doing.
		if d.Code != "macro/missing-tag" && d.Code != "macro/tag" && d.Code != "macro/conditional" || d.Pos.Line < 1 || d.Pos.Line > len(o.Lines) {
			continue
		}
		d.Pos, d.End = o.Lines[d.Pos.Line-1].Template, token.Position{}
		d.Message = "rpm would reject the spec: " + d.Message
		d.Related = append(d.Related, diag.Related{Pos: spec.Pos, Message: "rendered for this"})
		if d.Code == "macro/missing-tag" {
			d.Hint = "let the template write the tag"
		}
		list = append(list, d)
	}
	return list
}

// least is the smallest description there is.
func least() *Spec {
	return &Spec{
		Package: Package{Name: Text{S: "example"}, Summary: Text{S: "An example"}, Description: Text{S: "An example.", Kind: Block}},
		Version: Text{S: "1.0"}, License: Text{S: "MIT"},
		Pos: token.Position{Filename: "a component with only the required keys"},
	}
}

// example is a description with something under every key.
func example() *Spec {
	data := func(s string) Text { return Text{S: s} }
	macros := func(s string) Text { return Text{S: s, Kind: Macros} }
	pkg := func(name string) Package {
		return Package{
			Name: data(name), Summary: data("An example"), Description: Text{S: "An example.\n\nIn two paragraphs.", Kind: Block}, Arch: data("noarch"),
			Requires: []Text{macros("filesystem")}, Recommends: []Text{macros("bash")}, Suggests: []Text{macros("zsh")}, Supplements: []Text{macros("fish")},
			Provides: []Text{macros("sample = %{version}")}, Conflicts: []Text{macros("counterexample")}, Obsoletes: []Text{macros("sample < 1")},
			Tags: []Global{{data("Requires(post)"), macros("bash")}}, Files: []Text{macros("%{_bindir}/" + name)}, Licenses: []Text{data("LICENSE")}, Docs: []Text{data("README")},
			Configs:  []ConfigFile{{Source: data(name + ".conf"), Path: macros("%{_sysconfdir}/" + name + ".conf"), Mode: data("0640"), Owner: data("root"), Group: data("adm"), Config: true}},
			Units:    []Source{{data(name + ".service"), name + ".service"}},
			Sysusers: []Source{{data(name + ".sysusers"), name + ".sysusers"}},
			Tmpfiles: []Source{{data(name + ".tmpfiles"), name + ".tmpfiles"}},
		}
	}
	libs := pkg("libs")
	full := pkg("python3-example")
	full.FullName = true
	s := &Spec{
		Package: pkg("example"), Pos: token.Position{Filename: "a component with every key"},
		Version: data("1.0"), Epoch: data("1"), Release: data("2"), License: data("MIT OR Apache-2.0"), URL: data("https://example.com/"),
		Arches: []Text{data("x86_64"), data("aarch64")}, Sources: []Source{{Value: macros("%{url}example-%{version}.tar.gz")}},
		Patches: []Source{{data("fix.patch"), "fix.patch"}}, BuildRequires: []Text{macros("pkgconfig(zlib)")},
		Bconds: []Bcond{{data("tests"), true}, {data("docs"), false}}, Globals: []Global{{data("answer"), macros("42")}},
		Packages: []Package{libs, full}, Options: []Text{macros("--with-example")},
		Prep: []Text{macros("true")}, Build: []Text{macros("true")}, Install: []Text{macros("true")}, Check: []Text{macros("true")},
		Changelog: []Change{{Date: data("2025-01-02"), Author: data("Ada Keel <ada@example.com>"), Version: data("1.0-2"), Items: []Text{data("Begin")}}},
		OSRelease: []Global{{data("NAME"), data(`Example "Linux"`)}}, Presets: []Source{{data("90-example.preset"), "90-example.preset"}},
		Extra: map[string]Text{}, ExtraLists: map[string][]Text{},
	}
	for _, k := range textKeys {
		s.Extra[k] = data("example")
	}
	for _, k := range listKeys {
		s.ExtraLists[k] = []Text{data("example")}
	}
	return s
}
