package render

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"specgraft/components"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// A finding is what evaluating a rendered spec brought to light, apart from the
// places in the configuration: those are looked for when it is reported, so
// that a finding is as good for later runs as the spec is.
type finding struct {
	Warning  bool          `json:"w,omitempty"`
	Code     string        `json:"c"`
	Message  string        `json:"m"`
	Hint     string        `json:"h,omitempty"`
	Line     int           `json:"l,omitempty"` // of the rendered spec, or of File
	File     string        `json:"f,omitempty"`
	Key      string        `json:"k,omitempty"` // of the configuration, when it is about that
	Missing  string        `json:"t,omitempty"` // tag that is not there
	Rejected bool          `json:"r,omitempty"` // rpm would not accept the spec
	Own      bool          `json:"o,omitempty"` // reported only of lines that the project wrote
	Related  []relatedLine `json:"x,omitempty"`
}

type relatedLine struct {
	Line    int    `json:"l"`
	Message string `json:"m"`
}

// reportedWarnings are the warnings about evaluated specs that a render repeats.
// With false only those about lines that the project wrote: what upstream's own
// changelog has lost is upstream's affair.
var reportedWarnings = map[string]bool{
	"macro/changelog": false, "macro/patch-twice": true, "macro/empty-range": false, "macro/no-file": true, "macro/no-name": false,
	"macro/indented-list": true, "macro/list-option": true, "macro/old-patch": false,
	"macro/description": false, "macro/else-if": false,
}

// examine evaluates a rendered spec and returns what is to be said about it.
func (r *Renderer) examine(res *Result, tree *overlay.Tree, text []byte, cfg macro.Config) []finding {
	specName := res.Component + ".spec"
	s := macro.Eval(specName, text, cfg)
	var list []finding
	take := func(d diag.Diagnostic, f finding) {
		f.Warning, f.Code, f.Message, f.Hint, f.Line = d.Severity != diag.Error, d.Code, d.Message, d.Hint, d.Pos.Line
		if d.Pos.Filename != specName {
			f.File = d.Pos.Filename
		}
		for _, x := range d.Related {
			if x.Pos.Filename == specName {
				f.Related = append(f.Related, relatedLine{x.Pos.Line, x.Message})
			}
		}
		list = append(list, f)
	}
	for _, d := range s.Rejections() {
		if len(list) >= maxFindings {
			break
		}
		take(d, finding{Rejected: true, Missing: macro.MissingTag(d)})
	}
	for _, d := range s.Problems {
		if all, ok := reportedWarnings[d.Code]; ok && d.Severity != diag.Error && len(list) < maxFindings {
			take(d, finding{Own: !all})
		}
	}
	list = append(list, r.homeless(s, res, tree)...)
	list = append(list, fileMacros(res, tree, text)...)
	return append(list, unknownBconds(s, res.Config, text)...)
}

// maxFindings bounds what is said about one spec.
const maxFindings = 30

// evaluation returns under which circumstances a rendered spec is examined:
// those of `specgraft query`.
func (r *Renderer) evaluation(ctx context.Context, res *Result, tree *overlay.Tree) macro.Config {
	cfg := macro.Config{Set: res.Macros, FS: treeFS{tree}, AutoreleaseProbe: true, Stop: ctx.Done()}
	if up, _ := r.Project.Upstream(res.Config); res.Macros == nil && up.ReleaseVer != "" && strings.Trim(up.ReleaseVer, "0123456789") == "" {
		cfg.Distro = macro.Distro{Fedora: up.ReleaseVer, Dist: ".fc" + up.ReleaseVer}
	}
	return cfg
}

// homeless finds sources and patches whose file is in no place: not among the
// component's files, not in the `sources` file, not in source-files.
func (r *Renderer) homeless(s *macro.Spec, res *Result, tree *overlay.Tree) []finding {
	var list []finding
	var sources *lookaside.Sources
	placed := func(src *macro.Source) bool {
		name := src.Name
		if tree.Files[name] != nil || tree.Files[path.Clean(src.Value.Text)] != nil {
			return true
		}
		if sources == nil {
			var data []byte
			if f := tree.Files["sources"]; f != nil {
				data, _ = f.Bytes()
			}
			sources, _ = lookaside.ParseSources("sources", data)
		}
		if _, ok := sources.Entry(name); ok {
			return true
		}
		return slices.ContainsFunc(res.Config.SourceFiles, func(f components.SourceFile) bool { return f.Filename == name })
	}
	left := map[string]bool{} // out of the source package, by NoSource and NoPatch
	for _, t := range s.Packages[0].Tags {
		if name, ok := strings.CutPrefix(t.Name, "No"); ok {
			left[name+strings.TrimSpace(t.Value.Text)] = true
		}
	}
	for _, l := range []struct {
		tag  string
		list []macro.Source
	}{{"Source", s.Sources}, {"Patch", s.Patches}} {
		for i := range l.list {
			src := &l.list[i]
			if left[l.tag+strconv.Itoa(src.Number)] || src.Maybe || !src.Value.Known || src.Name == "" || strings.Contains(src.Name, "%") || placed(src) || len(list) >= maxFindings {
				continue
			}
			f := finding{Warning: true, Code: "render/no-source", Line: src.Pos.Line, Own: true,
				Message: fmt.Sprintf("%s%d is %s, which is in no place", l.tag, src.Number, src.Name),
				Hint:    "it is neither in the packaging nor in its sources file: add it with source-files, or correct the tag"}
			if src.Pos.Filename != res.Component+".spec" {
				f.File = src.Pos.Filename
			}
			list = append(list, f)
		}
	}
	return list
}

// bcondUse finds words that name build conditionals.
var bcondUse = regex.Once(`%\{?bcond(?:_with(?:out)?)?\s+([\w.+-]+)|\b_?with(?:out)?[_ ]+([\w.+-]+)`)

// unknownBconds finds names in build.with and build.without that the spec does
// not know, however it asks.
func unknownBconds(s *macro.Spec, c *components.Component, text []byte) []finding {
	var list []finding
	var names []string
	for _, key := range []string{"build.with", "build.without"} {
		wanted := c.Build.With
		if key == "build.without" {
			wanted = c.Build.Without
		}
		for i, name := range wanted {
			if names == nil {
				names = []string{}
				for _, b := range s.Bconds {
					names = append(names, b.Name)
				}
				for _, m := range bcondUse().FindAllSubmatch(text, -1) {
					names = append(names, string(m[1])+string(m[2]))
				}
			}
			if slices.Contains(names, name) || len(s.Open) > 0 {
				continue
			}
			f := finding{Warning: true, Code: "render/unknown-bcond", Key: key + "[" + strconv.Itoa(i) + "]",
				Message: fmt.Sprintf("the spec has no build conditional %q, so that %s changes nothing", name, key),
				Hint:    "correct the name, or remove the setting"}
			if n := diag.Nearest(name, names); n != "" {
				f.Hint = fmt.Sprintf("did you mean %q?", n)
			}
			list = append(list, f)
		}
	}
	return list
}

// report adds findings to the result at the places that they come from. It
// returns false when rpm would not accept the spec.
func (r *Renderer) report(res *Result, tree *overlay.Tree, list []finding) bool {
	ok := true
	for i := range list {
		f := &list[i]
		homeless := f.Code == "render/no-source"
		if !f.Rejected && !homeless && !r.Lint {
			continue
		}
		d := diag.Diagnostic{Code: f.Code, Message: f.Message, Hint: f.Hint}
		if f.Warning {
			d.Severity = diag.Warning
		}
		own := r.locate(res, tree, f, &d)
		if homeless {
			res.Homeless = append(res.Homeless, d)
		}
		if !f.Rejected && !r.Lint || f.Own && !own || f.Code == "macro/no-file" && saidMissing(res.Diags, d.Pos) {
			continue
		}
		if f.Rejected {
			d.Message = "rpm would reject the spec: " + d.Message
			if res.Config.Render.AllowRejected {
				d.Severity, d.Hint = diag.Warning, "render.allow-rejected lets the component through"
				if why := res.Config.Render.AllowRejectedReason; why != "" {
					d.Hint += ": " + why
				}
			} else {
				ok = false
			}
		}
		res.add(diag.List{d})
	}
	return ok
}

// saidMissing reports whether a line is said already to use a source or patch
// that an overlay took away.
func saidMissing(list diag.List, pos token.Position) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool {
		return (d.Code == "overlay/patch-missing" || d.Code == "overlay/source-missing") &&
			slices.ContainsFunc(d.Related, func(x diag.Related) bool { return x.Pos == pos })
	})
}

// locate gives a diagnostic the position of the cause: an overlay or another
// part of the configuration, else upstream's line. It reports whether the
// project is the cause.
func (r *Renderer) locate(res *Result, tree *overlay.Tree, f *finding, d *diag.Diagnostic) bool {
	if f.Key != "" {
		d.Pos = origin(res.Config, f.Key)
		return r.setByComponent(res.Config, f.Key)
	}
	own := res.Upstream.Local
	i := f.Line - 1
	if f.File != "" || i < 0 || i >= tree.Spec.Len() {
		d.Pos = token.Position{Line: f.Line, Column: 1}
		if f.File != "" { // beside the spec
			d.Pos.Filename = path.Join(path.Dir(tree.Spec.Name()), f.File)
		}
		if file := tree.Files[f.File]; file != nil && file.Origin != nil && file.Origin.Pos.IsValid() {
			d.Related = append(d.Related, diag.Related{Pos: d.Pos, Message: "in this file of the component"})
			d.Pos, own = file.Origin.Pos, true
		}
		if d.Pos.Filename == "" {
			d.Pos = res.Config.Pos
		}
		return own
	}
	line := tree.Spec.Line(i)
	here := token.Position{Filename: tree.Spec.Name(), Line: f.Line, Column: 1}
	// The rendered spec need not be on the disk, and a local one has other lines.
	rendered := func(line int) token.Position {
		return token.Position{Filename: res.Component + ".spec", Line: line, Column: 1}
	}
	o := line.Origin
	for _, x := range f.Related {
		if k := x.Line - 1; k >= 0 && k < tree.Spec.Len() {
			if other := tree.Spec.Line(k).Origin; o == nil && other != nil && other.Pos.IsValid() {
				o = other
			}
		}
	}
	switch {
	case f.Missing != "":
		o = lacking(tree.Spec, f.Missing)
	case o == nil || !o.Pos.IsValid():
		o = nil
		if by := definedBy(tree.Spec, line.Text); by != nil {
			o = by
		}
	}
	if o == nil {
		d.Pos = here
		if line.Num > 0 {
			d.Pos.Line = line.Num
		} else if pos, ok := inChangelog(tree, line.Text); ok {
			d.Pos = pos
			d.Hint = "double the percent sign in the changelog file: the text becomes part of the spec"
			return false
		} else if f.Code == "macro/changelog" {
			d.Pos = res.Config.Pos
			d.Message = fmt.Sprintf("generated %q: %s", strings.TrimSpace(line.Text), d.Message)
			d.Hint = "packaging without history of its own begins in 1970: write a first entry into a file named changelog beside the spec"
		}
	} else {
		d.Pos, own = o.Pos, true
		if f.Missing == "" {
			d.Related = append(d.Related, diag.Related{Pos: rendered(f.Line), Message: "in the rendered spec: " + strings.TrimSpace(line.Text)})
		}
		explainTemplate(res, o, f.Missing, d)
	}
	for _, x := range f.Related {
		if k := x.Line - 1; k >= 0 && k < tree.Spec.Len() {
			other := tree.Spec.Line(k)
			pos := rendered(x.Line)
			if other.Num > 0 && d.Pos.Filename == tree.Spec.Name() { // beside a line of upstream's, not of the rendered spec
				pos = token.Position{Filename: tree.Spec.Name(), Line: other.Num, Column: 1}
			}
			d.Related = append(d.Related, diag.Related{Pos: pos, Message: x.Message + ": " + strings.TrimSpace(other.Text)})
		}
	}
	return own
}

// reference finds the names of macros in a line.
var reference = regex.Once(`%\{?[?!]*(\w+)`)

// definedBy returns what the project wrote of the macros that a line is made of,
// such as the Version that is part of a source's address.
func definedBy(f *spec.File, text string) *spec.Origin {
	for _, m := range reference().FindAllStringSubmatch(text, -1) {
		for i := range f.Len() {
			line := f.Line(i)
			if line.Origin == nil || !line.Origin.Pos.IsValid() {
				continue
			}
			name, _, ok := line.Tag()
			words := strings.Fields(line.Text)
			if ok && strings.EqualFold(name, m[1]) || len(words) > 1 && (words[0] == "%global" || words[0] == "%define") && words[1] == m[1] {
				return line.Origin
			}
		}
	}
	return nil
}

// setByComponent reports whether a value stands in the component's own table,
// rather than being inherited by many.
func (r *Renderer) setByComponent(c *components.Component, key string) bool {
	o, ok := c.Origin(key)
	return ok && o.Layer == "component"
}

// fileMacros finds macros in a changelog file of the project's, as far as its
// lines are part of the rendered text: they are copied as they stand, and rpm expands
// them there.
func fileMacros(res *Result, tree *overlay.Tree, text []byte) []finding {
	f := tree.Files[changelogName]
	_, generated, ok := bytes.Cut(text, []byte(generatedBy))
	if f == nil || !ok || f.Origin == nil && !res.Upstream.Local {
		return nil
	}
	data, err := f.Bytes()
	if err != nil || bytes.IndexByte(data, '%') < 0 {
		return nil
	}
	var list []finding
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if line = bytes.TrimSpace(line); bytes.IndexByte(line, '%') < 0 || len(list) >= maxFindings {
			continue
		}
		if m := overlay.ChangelogMacro(string(line)); m != "" && bytes.Contains(generated, line) {
			list = append(list, finding{Warning: true, Code: "render/changelog-macro", File: changelogName, Line: n, Own: true,
				Message: fmt.Sprintf("rpm expands %s in the changelog", m), Hint: "double the percent sign: %" + m})
		}
	}
	return list
}

// generatedBy begins a generated changelog, which ends with the file of the
// packaging that has this name.
const (
	generatedBy   = "## START: Generated by rpmautospec\n"
	changelogName = "changelog"
)

// inChangelog returns where a line of the generated changelog stands in the
// packaging's changelog file.
func inChangelog(tree *overlay.Tree, text string) (token.Position, bool) {
	f := tree.Files[changelogName]
	if f == nil {
		return token.Position{}, false
	}
	data, err := f.Bytes()
	if err != nil {
		return token.Position{}, false
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		if n++; strings.TrimSpace(line) == strings.TrimSpace(text) {
			return token.Position{Filename: path.Join(path.Dir(tree.Spec.Name()), changelogName), Line: n, Column: 1}, true
		}
	}
	return token.Position{}, false
}

// encodeFindings writes findings as one line without tabs.
func encodeFindings(list []finding) string {
	if len(list) == 0 {
		return ""
	}
	data, err := json.Marshal(list) // escapes what could break a line
	if err != nil {
		return ""
	}
	return string(data)
}

func decodeFindings(text string) (list []finding, ok bool) {
	if text == "" {
		return nil, true
	}
	return list, json.Unmarshal([]byte(text), &list) == nil
}
