package template

import (
	"fmt"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

var (
	nameShape    = regex.Once(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
	versionShape = regex.Once(`^[A-Za-z0-9._+~^]+$`)
	numberShape  = regex.Once(`^[0-9]+$`)
	releaseShape = regex.Once(`^[0-9][A-Za-z0-9._+~^]*$`)
	macroShape   = regex.Once(`^[A-Za-z_][A-Za-z0-9_]{2,}$`)
	bcondShape   = regex.Once(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)
	archShape    = regex.Once(`^[A-Za-z0-9_]+$`)
	tagShape     = regex.Once(`^[A-Za-z]+[0-9]*(\([a-z,]+\))?$`)
	keyShape     = regex.Once(`^[A-Z][A-Z0-9_]*$`)
	modeShape    = regex.Once(`^[0-7]{3,4}$`)
	accountShape = regex.Once(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// comparisons are the operators between a dependency's name and its version.
var comparisons = []string{"<", "<=", "=", ">=", ">"}

// validate checks every value, so that one run reports all that is wrong with
// a component. The rules are rpm's for names, versions and macros, and SPDX for
// the licence.
func (t *Template) validate(s *Spec) diag.List {
	v := &validator{spec: s}
	v.shape("name", s.Name, nameShape, "letters, digits and . _ + -")
	v.required("version", s.Version)
	v.shape("version", s.Version, versionShape, "letters, digits and . _ + ~ ^ (no -)")
	v.shape("epoch", s.Epoch, numberShape, "a number")
	v.shape("release", s.Release, releaseShape, "a number first, then letters, digits and . _ + ~ ^")
	v.required("license", s.License)
	if s.License.S != "" && v.text("license", s.License) {
		if !validLicense(s.License.S) {
			d := v.problems.Add(s.License.Pos, "template/license", "license %q is not a valid SPDX expression", s.License.S)
			d.Hint = licenseHint(s.License.S)
		}
	}
	if v.text("url", s.URL) && !strings.Contains(s.URL.S, "%{") && strings.ContainsAny(s.URL.S, " \t") {
		v.add(s.URL.Pos, "url %q is not one word", s.URL.S).Hint = "write a blank in an address as %20"
	}
	for _, a := range s.Arches {
		v.shape("arch", a, archShape, "the name of an architecture")
	}
	v.sources("sources", s.Sources)
	v.sources("patches", s.Patches)
	v.texts("build-requires", s.BuildRequires)
	v.dependencies("build-requires", s.BuildRequires)
	v.texts("build-options", s.Options)
	for _, b := range s.Bconds {
		v.shape("bconds", b.Name, bcondShape, "letters, digits, _ and -")
	}
	for _, g := range s.Globals {
		v.shape("globals", g.Name, macroShape, "at least three letters, digits and _")
		v.text("globals", g.Value)
	}
	v.texts("prep", s.Prep)
	v.texts("build", s.Build)
	v.texts("install", s.Install)
	v.texts("check", s.Check)
	for _, c := range s.Changelog {
		v.text("changelog", c.Date)
		v.text("changelog", c.Author)
		v.text("changelog", c.Version)
		v.texts("changelog", c.Items)
	}
	for _, g := range s.OSRelease {
		v.shape("os-release", g.Name, keyShape, "capital letters, digits and _")
		v.text("os-release", g.Value)
	}
	v.sources("presets", s.Presets)
	for key, e := range s.Extra {
		v.text(key, e)
	}
	for key, e := range s.ExtraLists {
		v.texts(key, e)
	}
	for i, p := range s.All() {
		v.pkg(p, i > 0)
	}
	v.problems.Sort()
	return v.problems
}

type validator struct {
	spec     *Spec
	problems diag.List
}

func (v *validator) add(pos token.Position, format string, args ...any) *diag.Diagnostic {
	if !pos.IsValid() {
		pos = v.spec.Pos
	}
	d := v.problems.Add(pos, "template/value", format, args...)
	d.Component = v.spec.Name.S
	return d
}

func (v *validator) required(key string, t Text) {
	if t.S == "" {
		v.add(v.spec.Pos, "a templated component needs %q", key).Hint = fmt.Sprintf("add %s = \"...\" to the template table", key)
	}
}

func (v *validator) text(key string, t Text) bool {
	msg := t.flaw()
	if msg != "" {
		v.add(t.Pos, "%s: %s", key, msg)
	}
	return msg == ""
}

func (v *validator) texts(key string, list []Text) {
	for _, t := range list {
		v.text(key, t)
	}
}

// dependencies checks that names and versions alternate as rpm wants them. What
// macros stand for is not known here, and rich dependencies are rpm's to judge.
func (v *validator) dependencies(key string, list []Text) {
	for _, t := range list {
		if t.flaw() != "" || strings.ContainsRune(t.S, '%') || strings.HasPrefix(t.S, "(") {
			continue
		}
		words := strings.FieldsFunc(t.S, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
		for i := 0; i < len(words); i++ {
			if i+1 == len(words) || !strings.ContainsAny(words[i+1][:1], "<>=!") {
				if strings.ContainsAny(words[i][:1], "<>=!") {
					v.add(t.Pos, "%s: %q has no name before %s", key, t.S, words[i])
					break
				}
				continue
			}
			if !slices.Contains(comparisons, words[i+1]) {
				v.add(t.Pos, "%s: %q compares with %q", key, t.S, words[i+1]).Hint = "the comparisons are " + strings.Join(comparisons, " ")
				break
			}
			if i+2 == len(words) {
				v.add(t.Pos, "%s: %q has no version after %s", key, t.S, words[i+1])
			}
			i += 2
		}
	}
}

func (v *validator) shape(key string, t Text, shape func() *regexp.Regexp, want string) {
	if t.S != "" && v.text(key, t) && !shape().MatchString(t.S) {
		v.add(t.Pos, "%s %q is not possible", key, t.S).Hint = "use " + want
	}
}

func (v *validator) sources(key string, list []Source) {
	for _, s := range list {
		v.text(key, s.Value)
		if s.File != "" && (s.File != path.Base(s.File) || strings.ContainsAny(s.File, " \t\\") || strings.HasPrefix(s.File, ".")) {
			v.add(s.Value.Pos, "%s: %q is not a plain file name", key, s.File).Hint = "put the file next to the TOML file and name it without a folder"
		}
	}
}

func (v *validator) pkg(p *Package, sub bool) {
	if sub {
		v.shape("packages", p.Name, nameShape, "letters, digits and . _ + -")
	}
	v.text("summary", p.Summary)
	if p.Summary.S == "" {
		pos := v.spec.Pos
		if sub {
			pos = p.Name.Pos
		}
		v.add(pos, "a package needs a %q", "summary").Hint = "add summary = \"...\", one line without a full stop"
	}
	v.text("description", p.Description)
	v.shape("arch", p.Arch, archShape, "noarch or the name of an architecture")
	for key, list := range map[string][]Text{"requires": p.Requires, "recommends": p.Recommends, "suggests": p.Suggests,
		"supplements": p.Supplements, "provides": p.Provides, "conflicts": p.Conflicts, "obsoletes": p.Obsoletes,
		"files": p.Files, "licenses": p.Licenses, "docs": p.Docs} {
		v.texts(key, list)
		switch key {
		case "files", "licenses", "docs":
		default:
			v.dependencies(key, list)
		}
	}
	for _, g := range p.Tags {
		v.shape("tags", g.Name, tagShape, "the name of a tag, such as Requires(post)")
		v.text("tags", g.Value)
	}
	for _, c := range p.Configs {
		v.sources("config-files", []Source{{Value: c.Source, File: c.Source.S}})
		if v.text("config-files", c.Path) && !strings.HasPrefix(c.Path.S, "/") && !strings.HasPrefix(c.Path.S, "%{_") {
			v.add(c.Path.Pos, "config-files: path %q is not absolute", c.Path.S).Hint = "begin it with / or with a directory macro such as %{_sysconfdir}"
		}
		v.shape("config-files", c.Mode, modeShape, "an octal mode such as 0640")
		v.shape("config-files", c.Owner, accountShape, "the name of a user")
		v.shape("config-files", c.Group, accountShape, "the name of a group")
	}
	v.sources("units", p.Units)
	v.sources("sysusers", p.Sysusers)
	v.sources("tmpfiles", p.Tmpfiles)
}
