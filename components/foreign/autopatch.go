package foreign

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// Bounds of a config.yaml; real ones have a few KiB, and some ten keys.
const (
	maxYAML  = 1 << 20
	maxItems = 10_000
)

// Autopatch reads a config.yaml of AlmaLinux's autopatch: a list of actions in
// their order. Files that it adds are looked for in files/ beside it.
func Autopatch(name string, data []byte) (*Config, error) {
	r := &autopatch{reader: reader{name: name, out: &Config{}}, left: maxItems}
	if len(data) > maxYAML {
		return nil, &diag.Diagnostic{Pos: r.pos(1), Code: "import/syntax", Message: fmt.Sprintf("the file has more than %d KiB", maxYAML>>10)}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, &diag.Diagnostic{Pos: r.pos(0), Code: "import/syntax", Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, r.syntax(&doc, "the document is not a mapping")
	}
	var actions *yaml.Node
	for key, value := range r.pairs(doc.Content[0]) {
		switch key.Value {
		case "actions":
			actions = value
		case "parameters":
			r.parameters(value)
		default:
			r.unsaid(key.Line, "unknown key %q", key.Value)
		}
	}
	if actions == nil || actions.Kind != yaml.SequenceNode {
		return nil, r.syntax(doc.Content[0], "there is no list of actions")
	}
	for _, block := range actions.Content {
		if block.Kind != yaml.MappingNode {
			return nil, r.syntax(block, "an action is a mapping with one key")
		}
		for key, list := range r.pairs(block) {
			if list.Kind != yaml.SequenceNode {
				return nil, r.syntax(list, "the entries of %s are a list", key.Value)
			}
			for _, e := range list.Content {
				if e.Kind != yaml.MappingNode {
					return nil, r.syntax(e, "an entry of %s is a mapping", key.Value)
				}
				r.action(key.Value, e)
			}
		}
	}
	if r.over != nil {
		return nil, r.syntax(r.over, "the actions have more than %d keys and items, those of aliases counted each time", maxItems)
	}
	r.out.describe(strings.Join(r.changes, "; "))
	return r.out, nil
}

type autopatch struct {
	reader
	changes []string   // lines of changelog entries
	left    int        // keys and items that may still be looked at
	over    *yaml.Node // what was not, as there were none left
}

func (r *autopatch) syntax(n *yaml.Node, format string, args ...any) error {
	return &diag.Diagnostic{Pos: r.pos(max(n.Line, 1)), Code: "import/syntax", Message: fmt.Sprintf(format, args...)}
}

// pairs yields the keys and values of a mapping, as long as there are not too
// many: an alias stands for a mapping of any size.
func (r *autopatch) pairs(n *yaml.Node) func(func(k, v *yaml.Node) bool) {
	return func(yield func(k, v *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if r.left--; r.left < 0 {
				r.over = cmp.Or(r.over, n.Content[i])
				return
			}
			v := n.Content[i+1]
			if v.Kind == yaml.AliasNode {
				v = v.Alias
			}
			if !yield(n.Content[i], v) {
				return
			}
		}
	}
}

func (r *autopatch) parameters(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for key, value := range r.pairs(n) {
		switch key.Value {
		case "insert_almalinux_line":
			r.nearly(key.Line, "overlays write no marker lines around what they add")
		case "pre_clean", "ignore_version_macros", "ignore_release_macros", "el_version", "tag_prefix":
			r.nearly(key.Line, "%s is about autopatch's own git repositories, and has no meaning here", key.Value)
		default:
			r.unsaid(key.Line, "parameter %s: %s", key.Value, value.Value)
		}
	}
}

// An entry is the mapping of one action, of which every key has to be used.
type entry struct {
	line int
	text map[string]string
	list map[string][]*yaml.Node
	used map[string]bool
}

func (r *autopatch) newEntry(n *yaml.Node) *entry {
	e := &entry{line: n.Line, text: map[string]string{}, list: map[string][]*yaml.Node{}, used: map[string]bool{}}
	for key, value := range r.pairs(n) {
		if value.Kind == yaml.SequenceNode {
			r.left -= len(value.Content)
			e.list[key.Value] = value.Content
		} else {
			e.text[key.Value] = value.Value
		}
	}
	return e
}

func (e *entry) get(key string) string {
	e.used[key] = true
	return e.text[key]
}

func (e *entry) items(key string) []*yaml.Node {
	e.used[key] = true
	if l, ok := e.list[key]; ok {
		return l
	}
	if t, ok := e.text[key]; ok {
		return []*yaml.Node{{Kind: yaml.ScalarNode, Value: t, Line: e.line}}
	}
	return nil
}

func (r *autopatch) action(kind string, n *yaml.Node) {
	e := r.newEntry(n)
	switch kind {
	case "replace":
		r.replace(e)
	case "delete_line":
		r.deleteLine(e)
	case "modify_release":
		r.release(e)
	case "changelog_entry":
		for _, l := range e.items("line") {
			r.changes = append(r.changes, l.Value)
		}
		e.get("name")
		e.get("email")
		r.nearly(e.line, "the changelog entry became the description of the overlays: specgraft writes changelogs from the project's history")
	case "add_files":
		r.addFile(e)
	case "delete_files":
		r.add(overlay.Op{Type: overlay.FileRemove, File: "**/" + e.get("file_name")})
	case "run_script":
		r.unsaid(e.line, "run_script: %s: overlays run no programs", e.get("script"))
		return
	case "add_line":
		r.addLine(e)
	default:
		r.unsaid(e.line, "unknown action %q", kind)
		return
	}
	for key := range e.text {
		if !e.used[key] {
			r.unsaid(e.line, "%s: unknown key %q", kind, key)
		}
	}
}

func (r *autopatch) replace(e *entry) {
	target, find, rfind, with := e.get("target"), e.get("find"), e.get("rfind"), e.get("replace")
	count := e.get("count")
	op := overlay.Op{Type: overlay.SearchReplace, Replacement: with}
	if target != "spec" {
		op.Type, op.File = overlay.FileSearchReplace, withoutDir(target)
	}
	switch {
	case target == "" || find == "" && rfind == "":
		r.unsaid(e.line, "replace: it has no target, or nothing to find")
		return
	case rfind != "":
		op.Regex = rfind
		if groups := pythonGroups(with); groups != with {
			op.Replacement, op.ReplacementGroups = groups, true
		}
		if _, err := regexp.Compile(op.Regex); err != nil {
			r.unsaid(e.line, "replace: expression %q: %s", rfind, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return
		}
	case strings.Contains(strings.TrimSuffix(find, "\n"), "\n"):
		// Lines are found whatever their indentation.
		var lines []string
		for l := range strings.SplitSeq(strings.TrimSuffix(find, "\n"), "\n") {
			lines = append(lines, `[ \t]*`+regexp.QuoteMeta(strings.TrimSpace(l)))
		}
		op.Regex = "(?m)^" + strings.Join(lines, `\n`) + "$"
		op.Replacement, op.Multiline = strings.TrimSuffix(with, "\n"), target == "spec"
	default:
		op.Regex = regexp.QuoteMeta(strings.TrimSuffix(find, "\n"))
		op.Replacement = strings.TrimSuffix(with, "\n")
	}
	switch {
	case count == "1":
		one := 1
		op.Expect = &one
	case count != "" && count != "-1":
		r.nearly(e.line, "replace: %s replacements are asked for; the overlay makes all", count)
	}
	if target == "spec" && find != "" && count != "1" {
		r.nearly(e.line, "replace: autopatch leaves comments and the changelog alone; the overlay does not")
	}
	r.add(op)
}

// pythonGroups turns references to groups into Go's.
func pythonGroups(s string) string {
	if !pythonGroup().MatchString(s) {
		return s
	}
	return pythonGroup().ReplaceAllString(strings.ReplaceAll(s, "$", "$$"), `$${$1$2}`)
}

var pythonGroup = regex.Once(`\\(?:(\d)|g<(\w+)>)`)

func (r *autopatch) deleteLine(e *entry) {
	target := e.get("target")
	for _, l := range e.items("lines") {
		op := overlay.Op{Type: overlay.SearchReplace, Regex: removal(strings.TrimSuffix(l.Value, "\n")), Multiline: true}
		if target != "spec" {
			op.Type, op.File, op.Multiline = overlay.FileSearchReplace, withoutDir(target), false
		}
		r.add(op)
	}
}

func (r *autopatch) release(e *entry) {
	suffix, enabled, auto := e.get("suffix"), e.get("enabled"), e.get("auto_increment")
	if enabled == "false" {
		return
	}
	if auto == "true" {
		r.nearly(e.line, "modify_release: the number is not raised by itself; release.calculation does that")
	}
	r.add(appended("Release", suffix))
}

func (r *autopatch) addFile(e *entry) {
	kind, name, number := e.get("type"), e.get("name"), e.get("number")
	spec := e.get("modify_spec") != "false"
	e.get("insert_almalinux_line")
	e.get("no_backup")
	if number == "Latest" {
		number = ""
	}
	source := "files/" + name
	file := overlay.Op{Type: overlay.FileAdd, File: name, Source: source}
	switch {
	case name == "" || kind != "patch" && kind != "source":
		r.unsaid(e.line, "add_files: type %q, name %q", kind, name)
		return
	case !spec:
		r.add(file)
	case kind == "patch" && number == "":
		r.add(overlay.Op{Type: overlay.PatchAdd, Source: source})
	case kind == "patch":
		r.add(file, overlay.Op{Type: overlay.InsertTag, Tag: "Patch" + number, Value: name})
	default:
		r.add(file, overlay.Op{Type: overlay.InsertTag, Tag: "Source" + number, Value: name})
	}
	if kind == "patch" && spec {
		r.nearly(e.line, "add_files: where the spec applies patches one by one, it needs a %%patch line for %s", name)
	}
}

func (r *autopatch) addLine(e *entry) {
	target, section, location := e.get("target"), e.get("section"), e.get("location")
	content, pkg := strings.TrimSuffix(e.get("content"), "\n"), e.get("subpackage")
	if target != "spec" || section == "" || location != "top" && location != "bottom" {
		r.unsaid(e.line, "add_line: target %q, section %q, location %q", target, section, location)
		return
	}
	op := overlay.Op{Type: overlay.AppendLines, Section: "%" + strings.TrimPrefix(section, "%"), Package: pkg, Lines: strings.Split(content, "\n")}
	if section == "global" {
		op.Section, op.Package = overlay.PreambleSection, ""
	}
	if location == "top" {
		op.Type = overlay.PrependLines
	}
	r.add(op)
}
