package overlay

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// archiveSuffixes are the archive names that overlays can work in.
var archiveSuffixes = []string{".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst"}

// Validate checks the operation against the table: the type is known, the
// keys it needs are there and usable, patterns compile. Keys that the type
// does not use are warnings, as the reference tool ignores them; extension
// keys that the type does not take are errors.
func (op *Op) Validate() diag.List {
	info := Lookup(op.Type)
	if info == nil {
		return diag.List{op.unknownType()}
	}
	list := op.check(info)
	for i := range keyTable {
		name := keyTable[i].Name
		if !op.Has(name) || info.Key(name) != nil || name == "archive" {
			continue
		}
		if name == "section" && op.Type == RemoveSubpackage {
			continue // an error of its own
		}
		d := list.Warn(op.At(name), "overlay/unused-key", "%s: key %q has no effect on this type", op.Type, name)
		if keyTable[i].Extension {
			d.Severity, d.Code = diag.Error, "overlay/bad-value"
			d.Message = fmt.Sprintf("%s: key %q does not go with this type", op.Type, name)
		}
		d.Hint = usesHint(name)
	}
	op.checkTag(&list)
	list.Sort()
	return list
}

// rpmTags are the tags that rpm 6 knows in the preamble and in %package
// sections (parsePreamble.c), without number and qualifier.
var rpmTags = []string{
	"AutoProv", "AutoReq", "AutoReqProv", "BugURL", "BuildArch", "BuildArchitectures", "BuildConflicts",
	"BuildOption", "BuildPreReq", "BuildRequires", "BuildRoot", "BuildSystem", "Conflicts", "Distribution",
	"DistTag", "DistURL", "DocDir", "Enhances", "Epoch", "ExcludeArch", "ExcludeOS", "ExclusiveArch",
	"ExclusiveOS", "Group", "Icon", "License", "ModularityLabel", "Name", "NoPatch", "NoSource", "Obsoletes",
	"OrderWithRequires", "Packager", "Patch", "Prefix", "Prefixes", "PreReq", "Provides", "Recommends",
	"Release", "RemovePathPostfixes", "Requires", "Source", "SourceLicense", "Suggests", "Summary",
	"Supplements", "TranslationURL", "UpstreamReleases", "URL", "VCS", "Vendor", "Version",
}

// checkTag warns about a new tag that rpm does not know and would refuse.
func (op *Op) checkTag(list *diag.List) {
	if op.Type != AddTag && op.Type != InsertTag && op.Type != SetTag || op.Tag == "" || strings.Contains(op.Tag, "%") {
		return
	}
	name, _, _ := strings.Cut(op.Tag, "(")
	if f := tagFamily(name); equalLower(f, "Source") || equalLower(f, "Patch") {
		name = f
	}
	if slices.ContainsFunc(rpmTags, func(t string) bool { return equalLower(t, name) }) {
		return
	}
	d := list.Warn(op.At("tag"), "overlay/unknown-tag", "%s: rpm knows no tag %q", op.Type, op.Tag)
	if n := diag.Nearest(name, rpmTags); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	}
}

// keyTable is what Keys returns.
var keyTable = Keys()

// usesHint says which types use a key.
func usesHint(name string) string {
	var types []string
	for i := range Ops {
		if Ops[i].Key(name) != nil {
			types = append(types, string(Ops[i].Type))
		}
	}
	return fmt.Sprintf("%q is for %s", name, strings.Join(types, ", "))
}

func (op *Op) unknownType() diag.Diagnostic {
	if op.Type == "" {
		return diag.Diagnostic{
			Pos: op.Pos, Code: "overlay/missing-key", Message: "overlay has no \"type\"",
			Hint: "the types are " + strings.Join(Types(), ", "),
		}
	}
	d := diag.Diagnostic{
		Pos: op.At("type"), Code: "overlay/unknown-type",
		Message: fmt.Sprintf("unknown overlay type %q", op.Type),
		Hint:    "the types are " + strings.Join(Types(), ", "),
	}
	if n := diag.Nearest(string(op.Type), Types()); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	}
	return d
}

// check finds what keeps the operation from being applied.
func (op *Op) check(info *OpInfo) diag.List {
	var list diag.List
	uses := func(key string) bool { return info.Key(key) != nil && op.set(key) }
	op.checkRequired(info, &list)
	op.checkPlace(info, &list)
	if uses("regex") {
		op.checkRegex(&list)
	}
	if uses("file") {
		op.checkFile(info, &list)
	}
	if op.Type == FileRename && op.Replacement != "" {
		if n := op.Replacement; strings.ContainsRune(n, '/') || n == "." || n == ".." {
			op.bad(&list, "replacement", "new name %q must be without directories", n)
		}
	}
	op.checkArchive(info, &list)
	op.checkExtensions(&list)
	return list
}

// bad adds an error about the value of a key.
func (op *Op) bad(list *diag.List, key, format string, args ...any) *diag.Diagnostic {
	return list.Add(op.At(key), "overlay/bad-value", "%s: %s", op.Type, fmt.Sprintf(format, args...))
}

// checkRequired asks for the keys that the type cannot do without.
func (op *Op) checkRequired(info *OpInfo, list *diag.List) {
	for _, k := range info.Keys {
		if !k.Required || op.set(k.Name) {
			continue
		}
		d := list.Add(op.At(k.Name), "overlay/missing-key", "%s: needs key %q", op.Type, k.Name)
		if op.Has(k.Name) {
			d.Message = fmt.Sprintf("%s: key %q must not be empty", op.Type, k.Name)
		}
		sample := `"..."`
		if k.Kind == KeyStrings {
			sample = `["..."]`
		}
		d.Hint = fmt.Sprintf("write %s = %s: %s", k.Name, sample, k.Help)
	}
}

// checkPlace looks at the section and the package, which limit each other.
func (op *Op) checkPlace(info *OpInfo, list *diag.List) {
	if info.Key("section") != nil && op.Package != "" {
		switch op.Section {
		case "":
			op.bad(list, "package", "key \"package\" needs \"section\"").Hint = "a package is looked for in section headers: name the section, such as section = \"%files\""
		case PreambleSection:
			op.bad(list, "package", "%s has no package", PreambleSection).Hint = "for the tags of a sub-package use section = \"%package\""
		}
	}
	if op.Type == RemoveSection && op.Section == PreambleSection {
		op.bad(list, "section", "the preamble cannot be removed")
	}
	if op.Type == RemoveSubpackage && op.Section != "" {
		op.bad(list, "section", "key \"section\" must be absent").Hint = "spec-remove-section removes a single section of a package"
	}
}

// checkExtensions looks at the keys that azldev does not have.
func (op *Op) checkExtensions(list *diag.List) {
	if op.Expect != nil && *op.Expect < 1 {
		op.bad(list, "expect", "expected number of places is %d, must be at least 1", *op.Expect).Hint = "an overlay that is to change nothing can be removed"
	}
	if op.Branch != "" && op.Branch != "first" && op.Branch != "all" {
		if n, err := strconv.Atoi(op.Branch); err != nil || n < 1 {
			op.bad(list, "branch", "branch is %q, must be \"first\", \"all\" or a number from 1", op.Branch)
		}
	}
	if op.Mode != "" && op.Mode != "0644" && op.Mode != "0755" {
		op.bad(list, "mode", "mode is %q, must be \"0644\" or \"0755\"", op.Mode)
	}
}

// set reports whether the key has a value that is not empty.
func (op *Op) set(key string) bool {
	bare := *op
	bare.KeyPos = nil
	return bare.Has(key) || key == "source" && op.Data != nil
}

func (op *Op) checkRegex(list *diag.List) {
	re, err := regexp.Compile(op.Regex)
	if err != nil {
		d := list.Add(op.At("regex"), "overlay/bad-regex", "%s: %s", op.Type, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		d.Hint = "expressions have RE2 syntax: no look-around, no back references; in TOML use '...' so that backslashes stay"
		return
	}
	if !op.ReplacementGroups {
		return
	}
	for _, name := range groupNames(op.Replacement) {
		n, err := strconv.Atoi(name)
		if err == nil && n <= re.NumSubexp() || err != nil && slices.Contains(re.SubexpNames(), name) {
			continue
		}
		d := op.bad(list, "replacement", "the expression has no group %q", name)
		if i := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' }); i > 0 {
			d.Hint = fmt.Sprintf("did you mean ${%s}%s?", name[:i], name[i:])
		} else {
			d.Hint = fmt.Sprintf("it has %d; a dollar sign is written $$", re.NumSubexp())
		}
	}
}

// groupRef finds what regexp.Expand takes for references.
var groupRef = regex.Once(`\$(?:\$|(\w+)|\{(\w+)\})`)

// groupNames returns the names and numbers that a replacement refers to.
func groupNames(replacement string) []string {
	var names []string
	for _, m := range groupRef().FindAllStringSubmatch(replacement, -1) {
		if name := m[1] + m[2]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (op *Op) checkFile(info *OpInfo, list *diag.List) {
	if path.IsAbs(op.File) {
		op.bad(list, "file", "file %q must be relative to the component's directory", op.File)
		return
	}
	if op.Type == FileAdd || op.Type == PatchAdd {
		return
	}
	switch err := CheckGlob(op.File); {
	case errors.Is(err, errGlob):
		op.bad(list, "file", "%q is no valid glob", op.File).Hint = "a bracket or brace is not closed; a backslash before it makes it literal"
	case err != nil:
		op.bad(list, "file", "file: %v", err)
	}
}

func (op *Op) checkArchive(info *OpInfo, list *diag.List) {
	if op.Archive == "" {
		return
	}
	if !info.Archive {
		op.bad(list, "archive", "cannot work in an archive").Hint = usesHint("archive")
		return
	}
	low := strings.ToLower(op.Archive)
	if !slices.ContainsFunc(archiveSuffixes, func(s string) bool { return strings.HasSuffix(low, s) && len(low) > len(s) }) {
		op.bad(list, "archive", "archive %q has none of the suffixes %s", op.Archive, strings.Join(archiveSuffixes, " "))
	} else if strings.ContainsAny(op.Archive, "/\\\x00") || strings.HasPrefix(op.Archive, ".") {
		op.bad(list, "archive", "archive %q must be a plain file name", op.Archive)
	}
}
