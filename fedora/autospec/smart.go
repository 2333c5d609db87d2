package autospec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"specgraft/fedora/evr"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
	"specgraft/overlay/spec"
)

// A site is a number that takes part in the release: digits of the Release
// tag, or the body of a macro that the tag uses.
type site struct {
	macro      string // empty for the tag itself
	line       int    // index in the spec
	start, end int    // bytes of the number in the line
	rank       int    // lower is more likely to be the number that counts builds
}

// bumpSmart raises a release that does not begin with a number: it looks for
// the numbers that the value is made from, tries them in order of likelihood,
// and takes the first that makes the release newer and changes nothing else
// that the evaluation of the spec shows, such as a source.
func bumpSmart(f *spec.File, tag spec.Tag, n int, cfg macro.Config) (Bumped, error) {
	text := f.Normalized()
	cfg.AutoreleaseProbe = true
	before := macro.Probe(f.Name(), text, cfg)
	if probedRelease().MatchString(before.Release.Text) {
		return Bumped{}, nil // a macro that holds %autorelease
	}
	finder := siteFinder{f: f, spec: before, seen: map[string]bool{}}
	line := f.Line(tag.Line).Text
	finder.scan(tag.Line, len(line)-len(strings.TrimSpace(line[strings.IndexByte(line, ':')+1:])), "")
	slices.SortStableFunc(finder.sites, func(a, b site) int { return cmp.Compare(a.rank, b.rank) })
	var tried []string
	for _, s := range finder.sites {
		old := f.Line(s.line).Text
		number, _ := addLeading(old[s.start:s.end], n)
		b := Bumped{Line: s.line, Text: old[:s.start] + number + old[s.end:]}
		changed := f.Clone()
		changed.Replace(b.Line, nil, b.Text)
		changed.Reclassify()
		after := macro.Probe(f.Name(), changed.Normalized(), cfg)
		if raises(before, after) {
			return b, nil
		}
		name := s.macro
		if name == "" {
			name = "the tag itself"
		}
		tried = append(tried, name)
	}
	d := &diag.Diagnostic{Pos: f.Pos(tag.Line), Code: "autospec/release-form",
		Message: fmt.Sprintf("Release %q is made from nothing that could be raised", tag.Value),
		Hint:    `set release.calculation to "manual" and raise the release with an overlay`}
	if len(tried) > 0 {
		d.Message = fmt.Sprintf("Release %q could not be raised: changing %s does not make it newer, or changes more than the release",
			tag.Value, strings.Join(tried, ", "))
	}
	return Bumped{}, d
}

// raises reports whether the release went up and all else stayed.
func raises(before, after *macro.Spec) bool {
	if before.Name.Text != after.Name.Text || before.Epoch.Text != after.Epoch.Text || before.Version.Text != after.Version.Text {
		return false
	}
	if prerelease(before.Release.Text) && !prerelease(after.Release.Text) {
		return false // it would sort above the final release
	}
	same := func(a, b []macro.Source) bool {
		return slices.EqualFunc(a, b, func(x, y macro.Source) bool { return x.Value.Text == y.Value.Text })
	}
	return same(before.Sources, after.Sources) && same(before.Patches, after.Patches) &&
		evr.CompareVersions(after.Release.Text, before.Release.Text) > 0
}

// A siteFinder follows macro references from the Release tag to numbers.
type siteFinder struct {
	f     *spec.File
	spec  *macro.Spec
	seen  map[string]bool
	sites []site
}

// references finds a number or a plain macro reference; conditional ones
// with a text of their own, "%{?x:…}", are skipped as a whole.
var references = regex.Once(`%\{[?!]*\w+:|%\{\??(\w+)\}|%\??(\w+)|([0-9]+)`)

// scan looks at the text of a line from byte offset from on.
func (s *siteFinder) scan(line, from int, name string) {
	text := s.f.Line(line).Text
	for from < len(text) {
		m := references().FindStringSubmatchIndex(text[from:])
		if m == nil {
			return
		}
		start, end := from+m[0], from+m[1]
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[from+m[2*i] : from+m[2*i+1]]
		}
		switch {
		case strings.HasSuffix(text[start:end], ":"):
			end = skipBraces(text, start)
		case group(3) != "":
			// A number glued to a word, as in "rc1", does not count builds.
			if start == 0 || !isWordByte(text[start-1]) {
				s.sites = append(s.sites, site{name, line, start, end, rank(name, group(3))})
			}
		default:
			s.follow(cmp.Or(group(1), group(2)))
		}
		from = end
	}
}

// follow goes to the definition of a macro that was in force.
func (s *siteFinder) follow(name string) {
	if s.seen[name] || name == "dist" {
		return
	}
	s.seen[name] = true
	for _, d := range slices.Backward(s.spec.Macros) {
		if d.Name != name || d.Undef || d.Param {
			continue
		}
		line := s.lineAt(d.Pos.Line)
		if line < 0 {
			return
		}
		text := s.f.Line(line).Text
		i := strings.Index(text, name)
		if i < 0 {
			return
		}
		s.scan(line, i+len(name), name)
		return
	}
}

// lineAt returns the index of a line of the normalised text, which has the
// same lines as the spec, or -1.
func (s *siteFinder) lineAt(num int) int {
	if num < 1 || num > s.f.Len() {
		return -1
	}
	return num - 1
}

// rank orders numbers by how likely they count builds: those of macros that are
// named after the release come first, then dates and versions, and last a
// zero, which marks prereleases.
func rank(name, digits string) int {
	r := 1
	lower := strings.ToLower(name)
	if strings.Contains(lower, "rel") || strings.Contains(lower, "serial") {
		r = 0
	}
	if len(digits) >= 6 || strings.Contains(lower, "date") || strings.Contains(lower, "ver") {
		r = 2
	}
	if strings.Trim(digits, "0") == "" {
		r = 3
	}
	return r
}

// skipBraces returns the end of the macro that opens at start.
func skipBraces(text string, start int) int {
	depth := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// CheckEVR compares the version that two texts of a spec stand for, such as the
// one rendered before and the new one. It returns a diagnostic when the new
// one sorts before the old one, and nil also when one of them cannot be known.
func CheckEVR(name string, before, after []byte, cfg macro.Config) *diag.Diagnostic {
	old, ok := evrOf(name, before, cfg)
	if !ok {
		return nil
	}
	now, ok := evrOf(name, after, cfg)
	if !ok || now.Compare(old) >= 0 {
		return nil
	}
	return &diag.Diagnostic{Code: "autospec/evr-went-down",
		Message: fmt.Sprintf("the new version %s sorts before %s, which was rendered before", now, old),
		Hint:    "package managers would keep the old build; raise the release, add an Epoch, or remove the rendered spec if this is meant"}
}

func evrOf(name string, text []byte, cfg macro.Config) (evr.EVR, bool) {
	s := macro.Probe(name, text, cfg)
	if s.Rejected() != nil || !s.Version.Known || !s.Release.Known || s.Epoch.Set && !s.Epoch.Known {
		return evr.EVR{}, false
	}
	v := evr.EVR{Version: s.Version.Text, Release: s.Release.Text}
	v.Epoch = strings.TrimLeft(s.Epoch.Text, "0")
	return v, true
}
