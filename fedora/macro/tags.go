package macro

import (
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// A tagInfo is one preamble tag that rpm knows.
type tagInfo struct {
	name string
	kind tagKind
	// arg says whether something in parentheses may stand behind the name.
	arg tagArg
	// single tags may stand once per package.
	single bool
	// main tags belong to the source package, wherever they stand.
	main bool
	// macro is the macro that the tag sets, in lower case; it is set in upper
	// case, too.
	macro string
}

type tagKind byte

const (
	kindText  tagKind = iota
	kindToken         // one word
	kindNumber
	kindDeps
	kindSource
	kindPatch
	kindArch
	kindBool
)

type tagArg byte

const (
	argNone tagArg = iota
	argLang
	argQualifier
	argOption // the section of a BuildOption
)

// tagTable lists the preamble tags of rpm 4.18 to 6.0.
var tagTable = []tagInfo{
	{name: "Name", kind: kindToken, single: true, macro: "name"},
	{name: "Version", kind: kindToken, single: true, macro: "version"},
	{name: "Release", kind: kindToken, single: true, macro: "release"},
	{name: "Epoch", kind: kindNumber, single: true, macro: "epoch"},
	{name: "Summary", arg: argLang, single: true, macro: "summary"},
	{name: "License", single: true, macro: "license"},
	{name: "SourceLicense", single: true},
	{name: "Distribution", single: true, macro: "distribution"},
	{name: "DistURL", kind: kindToken, single: true, macro: "disturl"},
	{name: "Vendor", single: true, macro: "vendor"},
	{name: "Group", arg: argLang, single: true, macro: "group"},
	{name: "Packager", single: true, macro: "packager"},
	{name: "URL", kind: kindToken, single: true, macro: "url"},
	{name: "VCS", kind: kindToken, single: true, macro: "vcs"},
	{name: "BugURL", kind: kindToken, single: true, macro: "bugurl"},
	{name: "TranslationURL", kind: kindToken, single: true},
	{name: "UpstreamReleases", kind: kindToken, single: true},
	{name: "Source", kind: kindSource, main: true},
	{name: "Patch", kind: kindPatch, main: true},
	{name: "NoSource", main: true},
	{name: "NoPatch", main: true},
	{name: "Icon"},
	{name: "ExcludeArch", kind: kindArch, main: true},
	{name: "ExclusiveArch", kind: kindArch, main: true},
	{name: "ExcludeOS", kind: kindArch, main: true},
	{name: "ExclusiveOS", kind: kindArch, main: true},
	{name: "Provides", kind: kindDeps},
	{name: "Requires", kind: kindDeps, arg: argQualifier},
	{name: "PreReq", kind: kindDeps, arg: argQualifier},
	{name: "Recommends", kind: kindDeps},
	{name: "Suggests", kind: kindDeps},
	{name: "Supplements", kind: kindDeps},
	{name: "Enhances", kind: kindDeps},
	{name: "Conflicts", kind: kindDeps},
	{name: "Obsoletes", kind: kindDeps},
	{name: "OrderWithRequires", kind: kindDeps, arg: argQualifier},
	{name: "BuildRequires", kind: kindDeps, main: true},
	{name: "BuildPreReq", kind: kindDeps, main: true},
	{name: "BuildConflicts", kind: kindDeps, main: true},
	{name: "Prefixes"},
	{name: "Prefix"},
	{name: "BuildRoot"},
	{name: "BuildArchitectures", kind: kindArch, single: true},
	{name: "BuildArch", kind: kindArch, single: true},
	{name: "AutoReqProv", kind: kindBool},
	{name: "AutoReq", kind: kindBool},
	{name: "AutoProv", kind: kindBool},
	{name: "DocDir", kind: kindToken, single: true},
	{name: "DistTag", kind: kindToken, single: true, macro: "disttag"},
	{name: "RemovePathPostfixes"},
	{name: "ModularityLabel", kind: kindToken, single: true},
	{name: "BuildSystem", kind: kindToken, single: true, main: true},
	{name: "BuildOption", arg: argOption, main: true},
}

// tagIndex finds a tag by its name in lower case.
var tagIndex = func() map[string]*tagInfo {
	m := make(map[string]*tagInfo, len(tagTable))
	for i := range tagTable {
		m[strings.ToLower(tagTable[i].name)] = &tagTable[i]
	}
	return m
}()

// qualifiers are what rpm takes in the parentheses of Requires.
var qualifiers = map[string]bool{
	"pre": true, "post": true, "preun": true, "postun": true, "pretrans": true, "posttrans": true,
	"preuntrans": true, "postuntrans": true, "verify": true, "interp": true, "rpmlib": true, "meta": true,
}

// A preambleLine is a line of the form "Tag(arg): value".
type preambleLine struct {
	tag    *tagInfo
	number string // digits behind Source or Patch
	arg    string
	value  string
}

// parseTag reads a preamble line; ok is false when rpm would not see a tag.
// The tag stands at the very start of the line, in any case.
func parseTag(line string) (p preambleLine, ok bool) {
	i := 0
	for i < len(line) && (line[i] >= 'a' && line[i] <= 'z' || line[i] >= 'A' && line[i] <= 'Z') {
		i++
	}
	var buf [24]byte
	if i == 0 || i > len(buf) {
		return p, false
	}
	for k := range i {
		buf[k] = line[k] | 0x20
	}
	p.tag = tagIndex[string(buf[:i])]
	if p.tag == nil {
		return p, false
	}
	if p.tag.kind == kindSource || p.tag.kind == kindPatch {
		p.number, i = tagNumber(line, i)
	}
	i = behindBlanks(line, i)
	if i < len(line) && line[i] == '(' && p.tag.arg != argNone {
		j := strings.IndexByte(line[i:], ')')
		if j < 0 {
			return p, false
		}
		if p.arg = strings.TrimSpace(line[i+1 : i+j]); p.tag.arg != argOption && strings.ContainsAny(p.arg, " \t") {
			return p, false
		}
		i = behindBlanks(line, i+j+1)
	}
	if i >= len(line) || line[i] != ':' {
		return p, false
	}
	p.value = strings.Trim(line[i+1:], " \t\r\n\f\v")
	return p, true
}

// tagNumber reads the number of a Source or Patch, which begins at i, and returns
// where it ends. rpm does not see a number behind a blank.
func tagNumber(line string, i int) (number string, end int) {
	j := i
	for j < len(line) && line[j] >= '0' && line[j] <= '9' {
		j++
	}
	number = line[i:j]
	if number == "" {
		for j < len(line) && strings.IndexByte(" \t0123456789", line[j]) >= 0 {
			j++
		}
	}
	return number, j
}

// behindBlanks returns where blanks that begin at i end.
func behindBlanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// checkValue reports values that rpm rejects.
func (st *specState) checkValue(p preambleLine) {
	e, v, name := st.e, p.value, p.tag.name
	if hasUnknown(v) {
		return
	}
	switch p.tag.kind {
	case kindToken:
		if strings.ContainsAny(v, " \t\n") {
			e.problem("macro/bad-value", "%s takes one word, not %q", name, excerpt(v))
			return
		}
		switch name {
		case "Name":
			if i := badChar(v, "-._+%{}"); i >= 0 {
				e.problem("macro/bad-value", "Name %q has the character %q, which rpm does not allow", excerpt(v), v[i:i+1])
			}
		case "Version", "Release":
			if i := badChar(v, "._+%{}~^"); i >= 0 {
				e.problem("macro/bad-value", "%s %q has the character %q, which rpm does not allow", name, excerpt(v), v[i:i+1])
			} else if strings.Contains(v, "..") {
				e.problem("macro/bad-value", "%s %q has two dots in a row, which rpm does not allow", name, excerpt(v))
			}
		}
	case kindText:
		switch name {
		case "Prefix", "Prefixes":
			for _, w := range strings.Fields(v) {
				if len(w) > 1 && strings.HasSuffix(w, "/") {
					e.problem("macro/bad-value", "%s %s must not end with a slash", name, excerpt(w))
				}
			}
		case "NoSource", "NoPatch":
			word := "SOURCE"
			if name == "NoPatch" {
				word = "PATCH"
			}
			n, err := strconv.Atoi(v)
			if _, there := st.numbered[word+strconv.Itoa(n)]; err != nil {
				e.problem("macro/bad-value", "%s takes one number, not %q", name, excerpt(v))
			} else if len(st.spec.Open) == 0 && !there {
				e.problem("macro/bad-value", "%s %d: there is none with that number so far", name, n)
			}
		}
	case kindNumber:
		if n, err := strconv.ParseUint(v, 10, 32); err != nil || n > 1<<32-1 {
			e.problem("macro/bad-value", "%s must be a number, not %q", name, excerpt(v))
		}
	case kindDeps:
		for q := range strings.SplitSeq(p.arg, ",") {
			if p.arg != "" && (!qualifiers[q] || e.tooNew(newSections[q])) && !hasUnknown(q) {
				e.problem("macro/tag", "%s(%s): %q is not a qualifier that rpm knows", name, excerpt(p.arg), excerpt(q))
			}
		}
		if bad := depProblem(name, v, e.before("4.20")); bad != "" {
			d := e.problem("macro/bad-value", "%s: %s", name, bad)
			if strings.HasSuffix(bad, notDefined) {
				d.Hint = "import the macro package that defines it, or define the macro with --define"
			}
		}
	}
}

// missingTag begins the message about a tag that is missing.
const missingTag = "the tag %s is missing"

// MissingTag returns the tag that a package lacks by a diagnostic of Eval, or ""
// when the diagnostic is about something else.
func MissingTag(d diag.Diagnostic) string {
	before, after, _ := strings.Cut(missingTag, "%s")
	rest, ok := strings.CutPrefix(d.Message, before)
	tag, _, found := strings.Cut(rest, after)
	if d.Code != "macro/missing-tag" || !ok || !found {
		return ""
	}
	return tag
}
