package render

import (
	"context"
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/fedora/lookaside"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// header is what every rendered spec starts with unless the project sets its
// own. The words are the reference tool's, whose trees ours replace.
var header = []string{
	"# This spec file has been modified by azldev to include build configuration overlays.",
	"# Do not edit manually; changes may be overwritten.",
	"",
}

// loadSteps are the operations before the overlays: they make the spec load its
// build configuration.
func loadSteps(macros *overlay.File) []overlay.Op {
	if macros == nil {
		return nil
	}
	pos := macros.Origin.Pos
	return []overlay.Op{
		{Type: overlay.PrependLines, Step: "macros-load", Pos: pos, Lines: []string{
			"# All Azure Linux specs with overlays include this macro file, irrespective of whether new macros have been added.",
			"%{load:%{_sourcedir}/" + macros.Path + "}",
			"",
		}},
		{Type: overlay.InsertTag, Step: "macros-source", Pos: pos, Tag: "Source9999", Value: macros.Path},
	}
}

// finish applies the operations behind the overlays: check-skip and header.
func (r *Renderer) finish(res *Result, tree *overlay.Tree) bool {
	c := res.Config
	if c.Build.Check.Skip {
		op := overlay.Op{
			Type: overlay.PrependLines, Step: "check-skip", Pos: origin(c, "build.check.skip"), Section: "%check",
			Description: c.Build.Check.SkipReason,
			Lines:       []string{"# Check section disabled: " + c.Build.Check.SkipReason, "exit 0", ""},
		}
		isCheck := func(s spec.Section) bool { return s.Name == "%check" && s.Package == "" }
		if slices.ContainsFunc(tree.Spec.Sections(), isCheck) {
			if !r.step(res, tree, op) {
				return false
			}
		} else {
			// The reference tool fails here, for every member of a group when
			// one upstream drops its tests. Nothing can depend on that.
			res.add(diag.List{{Pos: op.Pos, Severity: diag.Warning, Code: "render/no-check",
				Message: fmt.Sprintf("build.check.skip is set, but %s has no %%check section", tree.Spec.Name()),
				Hint:    "remove the setting, or the component from the group that has it"}})
		}
	}
	if lines := r.header(c); len(lines) > 0 {
		return r.step(res, tree, overlay.Op{Type: overlay.PrependLines, Step: "header", Lines: lines})
	}
	return true
}

// header returns the lines on top of a rendered spec.
func (r *Renderer) header(c *components.Component) []string {
	s := r.Project.Settings
	if !s.HasHeader {
		return header
	}
	if s.Header == "" {
		return nil
	}
	text := strings.ReplaceAll(s.Header, "{{component}}", c.Name)
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// origin returns where a configured value stands, or where the component does.
func origin(c *components.Component, path string) token.Position {
	if o, ok := c.Origin(path); ok && o.Pos.Line > 0 {
		return o.Pos
	}
	return c.Pos
}

// macrosName returns the name of the file that holds a component's build
// configuration.
func macrosName(component string) string { return component + ".azl.macros" }

// macrosFile returns the component's build configuration as a macros file, or
// nil when there is none.
func (r *Renderer) macrosFile(ctx context.Context, res *Result) (*overlay.File, error) {
	c := res.Config
	b := &c.Build
	values := map[string]string{}
	where := map[string]string{}
	for _, w := range b.With {
		values["_with_"+w], where["_with_"+w] = "1", "build.with"
	}
	for _, w := range b.Without {
		values["_without_"+w], where["_without_"+w] = "1", "build.without"
	}
	for name, v := range b.Defines {
		values[name], where[name] = v, "build.defines."+name
	}
	for i, name := range b.Undefines {
		key := fmt.Sprintf("build.undefines[%d]", i)
		if _, ok := values[name]; !ok && r.Lint && r.setByComponent(c, key) {
			d := diag.Diagnostic{Pos: origin(c, key), Severity: diag.Warning, Code: "render/unknown-undefine",
				Message: fmt.Sprintf("no layer of the configuration defines %q, so that build.undefines changes nothing", name),
				Hint:    "correct the name, or remove the setting"}
			if n := diag.Nearest(name, slices.Sorted(maps.Keys(values))); n != "" {
				d.Hint = fmt.Sprintf("did you mean %q?", n)
			}
			res.add(diag.List{d})
		}
		delete(values, name)
	}
	if b.EmitUpstreamProvenance && !res.Upstream.Local {
		facts, err := r.provenance(ctx, res)
		if err != nil {
			return nil, err
		}
		for name, v := range facts {
			if _, ok := values[name]; !ok {
				values[name], where[name] = v, "build.emit-upstream-provenance"
			}
		}
	}
	if len(values) == 0 {
		return nil, nil
	}
	for i := range len(c.Name) {
		if ch := c.Name[i]; !isWordByte(ch) && !strings.ContainsRune(".-+", rune(ch)) {
			return nil, &diag.Diagnostic{Pos: c.Pos, Code: "render/macros",
				Message: fmt.Sprintf("component %s has a build configuration, but its name contains the invalid character %q for a macros file", c.Name, ch),
				Hint:    "only letters, digits and . - _ + are possible there"}
		}
	}
	var text strings.Builder
	text.WriteString("# Macros file automatically generated by azldev.\n# Do not edit manually; changes will be overwritten.\n")
	first := ""
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if first == "" {
			first = name
		}
		if strings.ContainsAny(values[name], "\n\r") {
			return nil, &diag.Diagnostic{Pos: origin(c, where[name]), Code: "render/macros",
				Message: fmt.Sprintf("the value of macro %s has more than one line", name),
				Hint:    "a line of the macros file holds one macro; write %{expand:...} or define it in the spec"}
		}
		fmt.Fprintf(&text, "%%%s %s\n", name, values[name])
	}
	o := &spec.Origin{Pos: origin(c, where[first]), Step: "macros-file", Index: -1}
	return overlay.NewFile(macrosName(c.Name), 0o644, []byte(text.String()), o), nil
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// rewriteSources puts the component's source-files into the `sources` file.
func (r *Renderer) rewriteSources(res *Result, tree *overlay.Tree) bool {
	c := res.Config
	if len(c.SourceFiles) == 0 {
		return true
	}
	var old []byte
	mode := gitMode(0o644)
	if f := tree.Files["sources"]; f != nil {
		data, err := f.Bytes()
		if err != nil {
			return res.fail(err)
		}
		old, mode = data, f.Mode
	}
	s, problems := lookaside.ParseSources("sources", old)
	for i := range problems {
		problems[i].Component = c.Name
		problems[i].Related = append(problems[i].Related, diag.Related{Pos: c.Pos, Message: fmt.Sprintf("upstream's sources file of component %q", c.Name)})
	}
	for _, f := range c.SourceFiles {
		d := s.Set(lookaside.Entry{Name: f.Filename, HashType: f.HashType, Hash: f.Hash, Replace: f.ReplaceUpstream})
		if d != nil {
			d.Pos = f.Pos
			problems = append(problems, *d)
		}
	}
	o := &spec.Origin{Pos: c.SourceFiles[0].Pos, Step: "sources", Index: -1}
	tree.Files["sources"] = overlay.NewFile("sources", mode, s.Bytes(), o)
	return res.add(problems)
}
