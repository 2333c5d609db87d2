package foreign

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/patch"
	"specgraft/overlay/regex"
)

// Srpmproc reads a .cfg file of Rocky's srpmproc. Files that it refers to are
// named as there, relative to the top of the patch repository; open reads one,
// and may be nil when there is none at hand.
func Srpmproc(name string, data []byte, open func(path string) ([]byte, error)) (*Config, error) {
	m, err := parseProtoText(name, data)
	if err != nil {
		return nil, err
	}
	r := &srpmproc{reader: reader{name: name, out: &Config{}}, open: open}
	for i := range m.fields {
		r.directive(&m.fields[i])
	}
	r.out.describe(strings.Join(r.changes, "; "))
	return r.out, nil
}

type srpmproc struct {
	reader
	open    func(string) ([]byte, error)
	changes []string
}

// get returns the scalars of a message by name, those that are not known being
// reported.
func (r *srpmproc) get(f *field, what string, known ...string) map[string]string {
	values := map[string]string{}
	if f.msg == nil {
		r.unsaid(f.line, "%s has no braces", what)
		return values
	}
	for _, x := range f.msg.fields {
		if !slices.Contains(known, x.name) || x.msg != nil {
			r.unsaid(x.line, "%s: %s is not known", what, x.name)
			continue
		}
		if old, ok := values[x.name]; ok {
			values[x.name] = old + "\n" + x.text
		} else {
			values[x.name] = x.text
		}
	}
	return values
}

func (r *srpmproc) directive(f *field) {
	switch f.name {
	case "replace":
		v := r.get(f, "replace", "file", "with_file", "with_inline", "with_lookaside")
		file := withoutDir(v["file"])
		switch {
		case v["with_lookaside"] != "":
			r.unsaid(f.line, "replace: %s comes from a lookaside cache; use source-files", v["file"])
		case v["with_file"] != "":
			r.add(overlay.Op{Type: overlay.FileRemove, File: file}, overlay.Op{Type: overlay.FileAdd, File: file, Source: v["with_file"]})
		default:
			r.add(overlay.Op{Type: overlay.FileRemove, File: file},
				overlay.Op{Type: overlay.FileAdd, File: file, Source: path.Base(file), Data: []byte(v["with_inline"])})
		}
	case "delete":
		v := r.get(f, "delete", "file")
		r.add(overlay.Op{Type: overlay.FileRemove, File: withoutDir(v["file"])})
	case "add":
		v := r.get(f, "add", "file", "lookaside", "name")
		if v["lookaside"] != "" {
			r.unsaid(f.line, "add: %s comes from a lookaside cache; use source-files", v["lookaside"])
			return
		}
		name := path.Base(v["file"])
		if v["name"] != "" {
			name = withoutDir(v["name"])
		}
		r.add(overlay.Op{Type: overlay.FileAdd, File: name, Source: v["file"]})
	case "patch":
		r.patch(f, r.get(f, "patch", "file", "strict")["file"])
	case "spec_change":
		if f.msg == nil {
			r.unsaid(f.line, "spec_change has no braces")
			return
		}
		for i := range f.msg.fields {
			r.change(&f.msg.fields[i])
		}
	default:
		r.unsaid(f.line, "%s: overlays have nothing like it", f.name)
	}
}

// patch turns a diff of the packaging into expressions, hunk by hunk.
func (r *srpmproc) patch(f *field, name string) {
	if r.open == nil {
		r.unsaid(f.line, "patch: %s cannot be read here", name)
		return
	}
	data, err := r.open(name)
	if err != nil {
		r.unsaid(f.line, "patch: %s cannot be read", name)
		return
	}
	files := patch.Parse(data)
	if len(files) == 0 {
		r.unsaid(f.line, "patch: %s is no unified diff", name)
	}
	for _, d := range files {
		target := withoutDir(d.Old)
		if d.Old == "/dev/null" || d.New == "/dev/null" {
			r.unsaid(f.line, "patch: %s adds or removes %s; use add or delete", name, d.Name())
			continue
		}
		for _, h := range d.Hunks {
			old, new := h.Sides()
			op := overlay.Op{Type: overlay.FileSearchReplace, File: target,
				Regex: "(?m)^" + quoteLine(strings.Join(old, "\n")) + "$", Replacement: strings.Join(new, "\n")}
			if path.Ext(target) == ".spec" {
				op.Type, op.File, op.Multiline = overlay.SearchReplace, "", true
				if slices.ContainsFunc(old, isHeader) {
					r.unsaid(f.line, "patch: a hunk of %s reaches over a section header: %s", name, strings.Join(old, " / "))
					continue
				}
			}
			one := 1
			op.Expect = &one
			r.add(op)
		}
	}
	r.nearly(f.line, "patch: %s is said line by line; no offset or fuzz is allowed for", name)
}

var header = regex.Once(`(?i)^\s*%(?:package|description|prep|build|install|check|files|changelog|clean|pre|post|preun|postun|pretrans|posttrans|trigger\w*|generate_buildrequires|conf|sourcelist|patchlist|verifyscript)(?:\s|$)`)

func isHeader(line string) bool { return header().MatchString(line) }

// change reads one operation on the spec.
func (r *srpmproc) change(f *field) {
	switch f.name {
	case "file":
		r.specFile(f)
	case "append":
		v := r.get(f, "append", "field", "value")
		r.add(appended(v["field"], v["value"]))
	case "new_field":
		v := r.get(f, "new_field", "key", "value")
		r.add(overlay.Op{Type: overlay.InsertTag, Tag: v["key"], Value: v["value"]})
	case "changelog":
		v := r.get(f, "changelog", "author_name", "author_email", "message")
		if v["message"] != "" {
			r.changes = append(r.changes, strings.Split(v["message"], "\n")...)
		}
		r.nearly(f.line, "the changelog entry became the description of the overlays: specgraft writes changelogs from the project's history")
	case "search_and_replace":
		r.searchReplace(f)
	case "disable_auto_align":
		r.nearly(f.line, "disable_auto_align: overlays align nothing")
	default:
		r.unsaid(f.line, "spec_change: %s: overlays have nothing like it", f.name)
	}
}

func (r *srpmproc) specFile(f *field) {
	v := r.get(f, "file", "name", "type", "add", "delete", "add_to_prep", "n_path")
	name, kind := v["name"], strings.ToLower(v["type"])
	tag := map[string]string{"patch": "Patch", "source": "Source"}[kind]
	if tag == "" || name == "" {
		r.unsaid(f.line, "spec_change: file: type %q, name %q", v["type"], name)
		return
	}
	if v["add_to_prep"] == "true" {
		r.unsaid(f.line, "spec_change: file: a line in %%prep for %s: its number is not known here; %%autosetup needs none", name)
	}
	if v["delete"] == "true" {
		r.add(overlay.Op{Type: overlay.SearchReplace, Section: overlay.PreambleSection, Multiline: true,
			Regex: `(?mi)^` + tag + `\d*[ \t]*:[ \t]*(?:\S*/)?` + regexp.QuoteMeta(name) + `[ \t]*\n`})
		return
	}
	if tag == "Patch" {
		// The file was added before: both are one operation.
		for i := range r.out.Overlays {
			if op := &r.out.Overlays[i]; op.Type == overlay.FileAdd && op.File == name && path.Base(op.Source) == name && op.Data == nil {
				op.Type, op.File = overlay.PatchAdd, ""
				return
			}
		}
	}
	r.add(overlay.Op{Type: overlay.InsertTag, Tag: tag, Value: name})
	r.nearly(f.line, "spec_change: file: the tag of %s gets no number of its own: rpm counts on from the one before", name)
}

func (r *srpmproc) searchReplace(f *field) {
	v := r.get(f, "search_and_replace", "field", "any", "starts_with", "ends_with", "find", "replace", "n")
	find, with := v["find"], v["replace"]
	op := overlay.Op{Type: overlay.SearchReplace, Regex: regexp.QuoteMeta(find), Replacement: with}
	switch {
	case find == "":
		r.unsaid(f.line, "search_and_replace: nothing to find")
		return
	case v["field"] != "":
		op.Section, op.ReplacementGroups = overlay.PreambleSection, true
		op.Regex = "^((?i:" + regexp.QuoteMeta(v["field"]) + `)\s*:.*?)` + regexp.QuoteMeta(find)
		op.Replacement = "${1}" + strings.ReplaceAll(with, "$", "$$")
	case v["starts_with"] == "true":
		op.Regex = "^" + op.Regex
	case v["ends_with"] == "true":
		op.Regex += "$"
	case v["any"] != "true":
		r.unsaid(f.line, "search_and_replace: it says neither field, any, starts_with nor ends_with")
		return
	}
	switch n := v["n"]; {
	case n == "1":
		one := 1
		op.Expect = &one
	case n != "" && n != "-1":
		r.nearly(f.line, "search_and_replace: %s replacements are asked for; the overlay makes all", n)
	}
	r.add(op)
}
