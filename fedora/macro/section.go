package macro

import (
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// sectionKind says how the lines of a section are read.
type sectionKind byte

const (
	sectScript sectionKind = iota // lines are text; may stand once
	sectPackage
	sectDescription
	sectFiles
	sectScriptlet // a script that belongs to a package
	sectTrigger
	sectList // %sourcelist, %patchlist
	sectChangelog
	sectPolicy
	sectEnd
)

var sectionTable = map[string]sectionKind{
	"%package": sectPackage, "%description": sectDescription, "%files": sectFiles,
	"%prep": sectScript, "%generate_buildrequires": sectScript, "%conf": sectScript, "%build": sectScript,
	"%install": sectScript, "%check": sectScript, "%clean": sectScript,
	"%changelog": sectChangelog, "%sourcelist": sectList, "%patchlist": sectList,
	"%pre": sectScriptlet, "%post": sectScriptlet, "%preun": sectScriptlet, "%postun": sectScriptlet,
	"%pretrans": sectScriptlet, "%posttrans": sectScriptlet, "%preuntrans": sectScriptlet, "%postuntrans": sectScriptlet,
	"%verifyscript": sectScriptlet, "%sepolicy": sectPolicy,
	"%trigger": sectTrigger, "%triggerin": sectTrigger, "%triggerun": sectTrigger, "%triggerpostun": sectTrigger, "%triggerprein": sectTrigger,
	"%filetriggerin": sectTrigger, "%filetrigger": sectTrigger, "%filetriggerun": sectTrigger, "%filetriggerpostun": sectTrigger,
	"%transfiletriggerin": sectTrigger, "%transfiletrigger": sectTrigger, "%transfiletriggerun": sectTrigger, "%transfiletriggerpostun": sectTrigger,
	"%end": sectEnd,
}

func sectionHeader(line string) (name string, kind sectionKind, rest string, ok bool) {
	if len(line) < 4 || line[0] != '%' {
		return
	}
	word, rest := splitWord(line)
	if len(word) > 24 {
		return
	}
	name = word
	kind, ok = sectionTable[name]
	if !ok {
		name = strings.ToLower(word)
		kind, ok = sectionTable[name]
	}
	return name[1:], kind, rest, ok
}

// header begins a section.
func (st *specState) header(name string, kind sectionKind, rest string) {
	e := st.e
	st.endSection()
	if st.again {
		return
	}
	st.sect = name
	if kind == sectFiles { // there %license is a directive, not the tag
		e.table.push(&def{name: "license", body: "%%license", pos: e.pos})
	}
	if name == "prep" {
		st.enterPrep()
	}
	switch kind {
	case sectPackage, sectDescription, sectList, sectEnd:
		st.r.strip = stripBlanks | stripComments
	case sectFiles, sectChangelog, sectPolicy:
		st.r.strip = stripComments
	default:
		st.r.strip = 0
	}
	if kind == sectEnd {
		st.sect = "end"
		return
	}
	if kind == sectScript || kind == sectChangelog || kind == sectList {
		st.mainHeader(name, kind, strings.TrimSpace(rest))
		return
	}
	h, bad := parseHeader(rest, kind)
	if bad != "" {
		e.problem("macro/section", "%%%s: %s", name, bad)
	}
	if kind == sectPackage {
		st.sect = ""
		st.newPackage(h)
		return
	}
	st.pkg = st.find(name, h)
	var owner Value
	if st.pkg >= 0 {
		owner = st.spec.Packages[st.pkg].Name
		if st.pkg == 0 {
			owner = st.field("Name")
		}
		switch kind {
		case sectDescription:
			st.spec.Packages[st.pkg].described = true
			if h.lang == "" {
				if d := st.once(name, st.pkg, "second %%description for this package"); d != nil {
					d.Severity = diag.Warning // rpm takes the last one
				}
			}
		case sectScriptlet:
			st.once(name, st.pkg, "second %%%s for this package", name)
		case sectFiles:
			if d := st.once(name, st.pkg, "second %%files for this package"); d != nil {
				d.Severity = diag.Warning // rpm takes both
			}
		}
	}
	st.startText(name, owner, strings.TrimSpace(rest))
}

// mainHeader begins a section that belongs to no sub-package.
func (st *specState) mainHeader(name string, kind sectionKind, args string) {
	e := st.e
	st.pkg = 0
	if kind == sectScript && partOfSection(args) {
		// rpm 4.20: appended or prepended, as often as wanted
	} else if kind == sectChangelog && e.before("4.20") && st.emptyChangelog() {
		delete(st.seen, sectionKey(name, 0)) // it is no second one
		st.once(name, 0, "second %%%s", name)
	} else if kind == sectScript || kind == sectChangelog {
		st.once(name, 0, "second %%%s", name)
	}
	if kind != sectList {
		st.startText(name, st.field("Name"), args)
	} else if args != "" && !hasUnknown(args) && e.maybe == 0 {
		d := e.warn("macro/list-option", "%%%s takes no options: rpm does not look at %q", name, args)
		if words := strings.Fields(args); len(words) == 2 && words[0] == "-f" {
			d.Hint = "write %include %{_sourcedir}/" + words[1] + " below the line, or the names themselves"
		}
	}
}

func (st *specState) startText(name string, owner Value, args string) {
	if len(st.spec.Sections) >= maxPackages {
		return
	}
	st.spec.Sections = append(st.spec.Sections, Section{Name: name, Package: owner, Args: plain(args), Pos: st.e.pos, Maybe: st.e.maybe > 0})
	st.cur = len(st.spec.Sections) - 1
	st.text = &strings.Builder{}
}

// emptyChangelog reports whether the changelogs so far have no entry: to rpm before
// 4.20, another one is no second one then.
func (st *specState) emptyChangelog() bool {
	for _, s := range st.spec.Sections {
		if s.Name == "changelog" && strings.TrimSpace(s.Text.Text) != "" {
			return false
		}
	}
	return true
}

// once reports a section that may stand once and was there before.
func (st *specState) once(name string, pkg int, format string, args ...any) *diag.Diagnostic {
	if st.e.maybe > 0 {
		return nil // perhaps it is there once only
	}
	key := sectionKey(name, pkg)
	if p, ok := st.seen[key]; ok {
		d := st.e.problem("macro/section", format, args...)
		d.Related = append(d.Related, diag.Related{Pos: p, Message: "the first one is here"})
		return d
	}
	st.seen[key] = st.e.pos
	return nil
}

func sectionKey(name string, pkg int) string { return name + "\x00" + strconv.Itoa(pkg) }

// A packageRef is what a section header says about the package.
type packageRef struct {
	name string
	full bool // -n
	lang string
}

// parseHeader reads the words behind a section name.
func parseHeader(rest string, kind sectionKind) (h packageRef, bad string) {
	words := strings.Fields(rest)
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" && kind == sectTrigger {
			break // what follows are the triggering packages
		}
		if len(w) < 2 || w[0] != '-' {
			if h.name != "" && kind != sectTrigger {
				return h, "more than one package name: " + excerpt(w)
			}
			if h.name == "" {
				h.name = w
			}
			continue
		}
		arg := func() string {
			if len(w) > 2 {
				return w[2:]
			}
			i++
			if i < len(words) {
				return words[i]
			}
			bad = "option -" + string(w[1]) + " needs an argument"
			return ""
		}
		switch w[1] {
		case 'n':
			h.name, h.full = arg(), true
		case 'l':
			h.lang = arg()
		case 'f', 'p', 'P':
			if kind == sectPackage || kind == sectDescription {
				return h, "unknown option " + excerpt(w)
			}
			if p := arg(); w[1] == 'p' {
				i = programEnd(words, i, p, kind)
			}
		case 'e', 'q':
			if kind != sectScriptlet && kind != sectTrigger {
				return h, "unknown option " + excerpt(w)
			}
		default:
			return h, "unknown option " + excerpt(w)
		}
	}
	if kind == sectTrigger && bad == "" && !slices.Contains(words, "--") {
		return h, "the packages or paths stand behind --"
	}
	return h, bad
}

// programEnd returns the index of the last word of a program that begins in word
// i with p: it may come with arguments in angle brackets, and that of a scriptlet
// in quotes.
func programEnd(words []string, i int, p string, kind sectionKind) int {
	end := ""
	switch {
	case strings.HasPrefix(p, "<") && !strings.HasSuffix(p, ">"):
		end = ">"
	case kind == sectScriptlet && strings.HasPrefix(p, "\""):
		end = "\""
	default:
		return i
	}
	for i+1 < len(words) && !strings.HasSuffix(words[i], end) {
		i++
	}
	return i
}

// SectionName returns the name of the section that an expanded line begins,
// without the percent sign, or "".
func SectionName(line string) string {
	name, _, _, ok := sectionHeader(line)
	if !ok {
		return ""
	}
	return name
}
