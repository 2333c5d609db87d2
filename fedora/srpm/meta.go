package srpm

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"specgraft/fedora/evr"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// A Meta is what the header of a source package says, but for the files'
// digests.
type Meta struct {
	Name, Epoch, Version, Release string
	Arch                          string // what the package would be built for
	SpecName                      string // file name of the spec
	Sources, Patches              []Source
	Payload                       string // mode of the payload as %_source_payload has it
	Time                          int64  // of the build and of all files, seconds since 1970
	Host                          string // that it is said to be built on
	RPMVersion                    string

	tags   []entry // texts from the preamble
	langs  []string
	deps   []dep
	conf   []dep
	prov   []dep
	log    []change
	archs  map[tag][]string
	parsed string // the spec with all macros expanded
	utf8   bool

	dynamic bool // build requirements come out of %generate_buildrequires
}

// A Source is a source or patch of a source package.
type Source struct {
	Number int
	Name   string // file name
	Header string // the name as the header has it, with macros that were not defined yet
	No     bool   // NoSource or NoPatch: the file is left out
	Pos    token.Position
}

// Options say what the spec does not.
type Options struct {
	Time int64  // of the build and of all files, seconds since 1970
	Host string // build host when the macro set has no %_buildhost
}

// Texts that are expanded behind the spec, in the order of the indices below.
var afterSpec = []string{"%{?_source_payload}", "%{?_changelog_trimage}", "%{?_changelog_trimtime}", "%{?_buildhost}", "%{?rpmversion}"}

const (
	afterPayload = iota
	afterTrimAge
	afterTrimTime
	afterHost
	afterVersion
)

// Describe evaluates a spec and returns what the source package says that
// rpmbuild -bs makes of it. What stays unknown and is needed is an error. name is
// the spec's file name.
func Describe(name string, text []byte, cfg macro.Config, o Options) (*Meta, diag.List) {
	cfg.Lines, cfg.After = true, afterSpec
	s := macro.Eval(name, text, cfg)
	if s.Rejected() != nil {
		return nil, s.Problems
	}
	problems := slices.Clone(s.Problems)
	if list := unknowns(s); len(list) > 0 {
		return nil, append(problems, list...)
	}
	after := func(i int) string {
		if v := s.After[i]; v.Known {
			return v.Text
		}
		return ""
	}
	m := &Meta{
		Name: s.Name.Text, Epoch: s.Epoch.Text, Version: s.Version.Text, Release: s.Release.Text,
		Arch: cmp.Or(cfg.Arch, "x86_64"), SpecName: name, Payload: cmp.Or(after(afterPayload), DefaultPayload), Time: o.Time,
		Host: cmp.Or(after(afterHost), o.Host, "localhost"), RPMVersion: cmp.Or(after(afterVersion), RPMVersion),
		archs: map[tag][]string{}, parsed: s.Expanded.Text,
	}
	m.sources(s)
	m.preamble(&s.Packages[0])
	m.description(s)
	m.provides(s)
	age, _ := strconv.ParseInt(after(afterTrimAge), 10, 64)
	since, _ := strconv.ParseInt(after(afterTrimTime), 10, 64)
	for _, x := range s.Sections {
		m.dynamic = m.dynamic || x.Name == "generate_buildrequires"
		if x.Name != "changelog" || len(m.log) > 0 {
			continue
		}
		var err error
		if m.log, err = parseChangelog(x.Text.Text, age, since); err != nil {
			problems.Warn(x.Pos, "srpm/changelog", "%v; what stands behind is left out, as rpm does", err)
		}
	}
	if !s.Expanded.Known {
		problems.Warn(s.Expanded.Pos, "srpm/unknown", "a part of the expanded spec is not known: %s", s.Expanded.Reason)
	}
	if evr.CompareVersions(m.RPMVersion, "4.20") < 0 {
		m.parsed = withoutHeader(m.parsed)
	}
	m.utf8 = utf8.ValidString(m.parsed)
	return m, problems
}

// unknowns lists what is not known and ends up in the header.
func unknowns(s *macro.Spec) diag.List {
	var list diag.List
	add := func(field string, pos token.Position, reason string) {
		d := list.Add(pos, "srpm/unknown", "the %s of the source package cannot be known: %s", field, reason)
		d.Hint = "give the value with --define, or import the macros of the build with 'specgraft macros import'"
	}
	for _, u := range s.Unknown {
		switch {
		case strings.HasPrefix(u.Field, "bconds["), strings.HasPrefix(u.Field, "packages[") && !strings.HasSuffix(u.Field, "]") &&
			!strings.HasPrefix(u.Field, "packages[0]"):
		default:
			add(u.Field, u.Pos, u.Reason)
		}
	}
	for _, x := range s.Sections {
		if (x.Name == "changelog" || x.Name == "description" && x.Package.Text == s.Name.Text) && !x.Text.Known {
			add("%"+x.Name, x.Text.Pos, x.Text.Reason)
		}
	}
	return list
}

// withoutHeader takes away the line that ends %prep: rpm 4.18 has it not in the
// text that it keeps.
func withoutHeader(text string) string {
	i := 0
	prep := false
	for l := range strings.Lines(text) {
		word := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(word, "%") && macro.SectionName(word) != "" && prep:
			return text[:i] + text[i+len(l):]
		case word == "%prep":
			prep = true
		}
		i += len(l)
	}
	return text
}

func (m *Meta) sources(s *macro.Spec) {
	left := map[string]bool{}
	for _, t := range s.Packages[0].Tags {
		if t.Name == "NoSource" || t.Name == "NoPatch" {
			n, _ := strconv.Atoi(t.Value.Text)
			left[t.Name+strconv.Itoa(n)] = true
		}
	}
	list := func(in []macro.Source, no string) []Source {
		var out []Source
		for i := range in {
			out = append(out, Source{Number: in[i].Number, Name: in[i].Name, Header: in[i].HeaderName(),
				No: left[no+strconv.Itoa(in[i].Number)], Pos: in[i].Pos})
		}
		return out
	}
	m.Sources, m.Patches = list(s.Sources, "NoSource"), list(s.Patches, "NoPatch")
}

// textTags are the tags of the preamble that are copied as they are.
var textTags = map[string]tag{
	"Distribution": tagDistribution, "Vendor": tagVendor, "License": tagLicense, "Packager": tagPackager, "URL": tagURL,
	"BugURL": tagBugURL, "VCS": tagVCS, "DistTag": tagDistTag, "TranslationURL": tagTranslationURL, "UpstreamReleases": tagUpstream,
	"ModularityLabel": tagModularity,
}

var archTags = map[string]tag{
	"ExcludeArch": tagExcludeArch, "ExclusiveArch": tagExclusiveArch, "ExcludeOS": tagExcludeOS, "ExclusiveOS": tagExclusiveOS,
	"BuildArch": tagBuildArchs, "BuildArchitectures": tagBuildArchs,
}

func (m *Meta) preamble(p *macro.Package) {
	summary, group := map[string]string{}, map[string]string{}
	once := map[string]string{}
	for _, t := range p.Tags {
		v := t.Value.Text
		switch t.Name {
		case "Summary":
			summary[m.lang(t.Arg)] = v
		case "Group":
			group[m.lang(t.Arg)] = v
		case "BuildRequires", "BuildPreReq":
			m.deps = append(m.deps, deps(v)...)
		case "BuildConflicts":
			m.conf = append(m.conf, deps(v)...)
		}
		if n := textTags[t.Name]; n != 0 {
			once[t.Name] = v
		}
		if n := archTags[t.Name]; n != 0 {
			m.archs[n] = append(m.archs[n], strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })...)
		}
	}
	for name, v := range once {
		m.tags = append(m.tags, entry{tag: textTags[name], kind: typeString, count: 1, data: append([]byte(v), 0)})
	}
	if len(group) == 0 {
		group[m.lang("")] = "Unspecified"
	}
	m.i18n(tagSummary, summary)
	m.i18n(tagGroup, group)
	if archs := m.archs[tagBuildArchs]; len(archs) > 0 {
		m.Arch = archs[0]
	}
}

// lang notes a language; "" is that of the C locale, the first of all.
func (m *Meta) lang(name string) string {
	name = cmp.Or(name, "C")
	if len(m.langs) == 0 {
		m.langs = []string{"C"}
	}
	if !slices.Contains(m.langs, name) {
		m.langs = append(m.langs, name)
	}
	return name
}

// i18n adds a text in several languages.
func (m *Meta) i18n(t tag, texts map[string]string) {
	last := -1
	var data []byte
	for i, l := range m.langs {
		if _, ok := texts[l]; ok {
			last = i
		}
	}
	for _, l := range m.langs[:last+1] {
		data = append(append(data, texts[l]...), 0)
	}
	if last >= 0 {
		m.tags = append(m.tags, entry{tag: t, kind: typeI18N, count: last + 1, data: data})
	}
}

func (m *Meta) description(s *macro.Spec) {
	texts := map[string]string{}
	for _, x := range s.Sections {
		if x.Name != "description" || x.Package.Text != s.Name.Text {
			continue
		}
		lang := ""
		words := strings.Fields(x.Args)
		for i, w := range words {
			if rest, ok := strings.CutPrefix(w, "-l"); ok {
				if lang = rest; lang == "" && i+1 < len(words) {
					lang = words[i+1]
				}
			}
		}
		texts[m.lang(lang)] = strings.TrimRight(x.Text.Text, blanks)
	}
	m.i18n(tagDescription, texts)
}

// provides lists the packages that the spec builds: those with a %files.
func (m *Meta) provides(s *macro.Spec) {
	built := map[string]bool{}
	for _, x := range s.Sections {
		if x.Name == "files" {
			built[x.Package.Text] = true
		}
	}
	for i := range s.Packages {
		p := &s.Packages[i]
		name := p.Name.Text
		if !built[name] {
			continue
		}
		epoch, version, release := m.Epoch, m.Version, m.Release
		for _, t := range p.Tags {
			switch t.Name {
			case "Epoch":
				epoch = t.Value.Text
			case "Version":
				version = t.Value.Text
			case "Release":
				release = t.Value.Text
			}
		}
		evr := version + "-" + release
		if epoch != "" {
			evr = epoch + ":" + evr
		}
		m.prov = append(m.prov, dep{name, evr, senseEqual})
	}
}

// Flags of dependencies, as rpmds.h names them.
const (
	senseLess    = 1 << 1
	senseGreater = 1 << 2
	senseEqual   = 1 << 3
	senseRPMLib  = 1 << 24

	senseMissingOK = 1 << 19
)

// A dep is one dependency as the header has it.
type dep struct {
	name, evr string
	flags     uint32
}

var senses = map[string]uint32{"<": senseLess, "<=": senseLess | senseEqual, "=": senseEqual, ">=": senseGreater | senseEqual, ">": senseGreater}

func deps(value string) []dep {
	var out []dep
	for _, d := range macro.ParseDependencies(value) {
		if d.Rich() {
			out = append(out, dep{name: d.String()})
		} else {
			out = append(out, dep{d.Name, d.Version, senses[d.Compare]})
		}
	}
	return out
}

// features returns what rpm must be able to do to read the package.
func (m *Meta) features(mode payload, large bool) []dep {
	need := map[string]string{"CompressedFileNames": "3.0.4-1", "FileDigests": "4.6.0-1"}
	for _, list := range [][]dep{m.deps, m.conf} {
		for _, d := range list {
			if strings.HasPrefix(d.name, "(") {
				need["RichDependencies"] = "4.12.0-1"
			}
			if strings.Contains(d.evr, "~") {
				need["TildeInVersions"] = "4.10.0-1"
			}
			if strings.Contains(d.evr, "^") {
				need["CaretInVersions"] = "4.15.0-1"
			}
		}
	}
	if m.dynamic {
		need["DynamicBuildRequires"] = "4.15.0-1"
	}
	if mode.feature != "" {
		need[mode.feature] = mode.version
	}
	if large {
		need["LargeFiles"] = "4.12.0-1"
	}
	var out []dep
	for name, version := range need {
		d := dep{"rpmlib(" + name + ")", version, senseLess | senseEqual | senseRPMLib}
		if name == "DynamicBuildRequires" {
			d.flags |= senseMissingOK // who only reads the package need not have it
		}
		out = append(out, d)
	}
	return out
}

// sorted returns dependencies in rpm's order, each once.
func sorted(list []dep) []dep {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b dep) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.evr, b.evr), cmp.Compare(a.flags, b.flags))
	})
	return slices.Compact(list)
}

func (h *header) putDeps(list []dep, names, flags, versions tag) {
	var n, v []string
	var f []uint32
	for _, d := range list {
		n, v, f = append(n, d.name), append(v, d.evr), append(f, d.flags)
	}
	h.texts(names, typeTexts, n...)
	h.texts(versions, typeTexts, v...)
	h.int32s(flags, f...)
}

// header returns the entries that do not come from the files.
func (m *Meta) header(mode payload, large bool) *header {
	h := &header{entries: slices.Clone(m.tags)}
	h.texts(tagI18NTable, typeTexts, m.langs...)
	h.text(tagName, m.Name)
	h.text(tagVersion, m.Version)
	h.text(tagRelease, m.Release)
	if m.Epoch != "" {
		n, _ := strconv.ParseUint(m.Epoch, 10, 32)
		h.int32s(tagEpoch, uint32(n))
	}
	h.int32s(tagBuildTime, uint32(m.Time))
	h.text(tagBuildHost, m.Host)
	h.text(tagCookie, fmt.Sprintf("%s %d", m.Host, m.Time))
	h.text(tagOS, "linux")
	h.text(tagArch, m.Arch)
	h.text(tagRPMVersion, m.RPMVersion)
	h.int32s(tagIsSource, 1)
	names := func(list []Source) (names []string, no []uint32) {
		for _, s := range slices.Backward(list) {
			names = append(names, s.Header)
		}
		for _, s := range list {
			if s.No {
				no = append(no, uint32(s.Number))
			}
		}
		return names, no
	}
	sources, noSource := names(m.Sources)
	patches, noPatch := names(m.Patches)
	h.texts(tagSource, typeTexts, sources...)
	h.texts(tagPatch, typeTexts, patches...)
	h.int32s(tagNoSource, noSource...)
	h.int32s(tagNoPatch, noPatch...)
	for _, t := range []tag{tagExcludeArch, tagExclusiveArch, tagExcludeOS, tagExclusiveOS, tagBuildArchs} {
		h.texts(t, typeTexts, m.archs[t]...)
	}
	h.putDeps(sorted(append(m.features(mode, large), m.deps...)), tagRequireName, tagRequireFlags, tagRequireVersion)
	h.putDeps(sorted(m.conf), tagConflictName, tagConflictFlags, tagConflictVer)
	h.putDeps(m.prov, tagProvideName, tagProvideFlags, tagProvideVersion)
	if len(m.log) > 0 {
		var times []uint32
		var who, what []string
		for _, c := range m.log {
			times, who, what = append(times, uint32(c.time)), append(who, c.name), append(what, c.text)
		}
		h.int32s(tagChangelogTime, times...)
		h.texts(tagChangelogName, typeTexts, who...)
		h.texts(tagChangelogText, typeTexts, what...)
	}
	if m.utf8 {
		h.text(tagEncoding, "utf-8")
	}
	h.text(tagSpec, m.parsed)
	return h
}

// FileName returns the name that rpm gives the file.
func (m *Meta) FileName() string {
	kind := "src"
	no := func(s Source) bool { return s.No }
	if slices.ContainsFunc(m.Sources, no) || slices.ContainsFunc(m.Patches, no) {
		kind = "nosrc"
	}
	return m.Name + "-" + m.Version + "-" + m.Release + "." + kind + ".rpm"
}

// leadArch are the architectures' numbers in the first block of a package.
var leadArch = map[string]byte{"x86_64": 1, "i386": 1, "i686": 1, "noarch": 1, "armv7hl": 12, "s390x": 15, "ppc64le": 16, "aarch64": 19, "riscv64": 22}
