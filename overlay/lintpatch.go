package overlay

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// patchLine finds an explicit application of a patch: %patch 1, %patch1,
// %patch -P1, %patch -P 1, %{patch1}, %{PATCH1}, %PATCH1, %{P:1}.
var patchLine = regexp.MustCompile(`%\{?(?:[Pp]atch|PATCH)\s*(\d+)|%\{P:(\d+)\}|%\{?patch\b[^\n]*?-P\s*(\d+)`)

// patchesApplied checks at the end that patches which operations added are
// applied, and that no removed one is, where %prep names them one by one.
func (l *linter) patchesApplied(s *spec.Structure) {
	explicit, automatic := map[int]int{}, false
	first := -1
	for i := range l.file.Len() {
		text := l.file.Line(i).Text
		if sh := s.Lines[i]; sh.Form == spec.FormComment || sh.Form == spec.FormTag || strings.IndexByte(text, '%') < 0 {
			continue
		}
		if strings.Contains(text, "%autosetup") && !strings.Contains(text, " -N") || strings.Contains(text, "%autopatch") ||
			strings.Contains(text, "%{patches}") || strings.Contains(text, "%patches") || strings.Contains(text, "%forgeautosetup") {
			automatic = true
		}
		for _, m := range patchLine.FindAllStringSubmatch(text, -1) {
			for _, digits := range m[1:] {
				if n, err := strconv.Atoi(digits); err == nil && digits != "" {
					if _, ok := explicit[n]; !ok {
						explicit[n] = i
					}
					if first < 0 {
						first = i
					}
				}
			}
		}
	}
	if first < 0 {
		return
	}
	slots := numbered(s.Tags)
	have := map[int]bool{}
	for k := range s.Tags {
		t := &s.Tags[k]
		sl, ok := slots[t.Line]
		if !ok || sl.family != "patch" {
			continue
		}
		have[sl.number] = true
		op := l.writer(t.Line)
		if _, applied := explicit[sl.number]; applied || automatic || op == nil || l.file.Line(t.Line).Num > 0 {
			continue
		}
		l.report(diag.Diagnostic{
			Pos: op.Pos, Code: "overlay/patch-not-applied",
			Message: fmt.Sprintf("%s: patch %d is listed, but the spec applies its patches one by one and not this one", op.Name(), sl.number),
			Hint:    fmt.Sprintf("add an overlay that puts %q behind the other %%patch lines", fmt.Sprintf("%%patch -P %d -p1", sl.number)),
			Related: []diag.Related{{Pos: l.file.Pos(first), Message: "patches are applied here: " + short(l.file.Line(first).Text)}},
		})
	}
	for _, r := range l.lost {
		name, _, ok := r.line.Tag()
		n, err := strconv.Atoi(strings.TrimPrefix(strings.ToLower(name), "patch"))
		if !ok || err != nil || have[n] {
			continue
		}
		if at, applied := explicit[n]; applied {
			l.report(diag.Diagnostic{
				Pos: r.op.Pos, Code: "overlay/patch-missing",
				Message: fmt.Sprintf("%s: patch %d is removed, but %%prep still applies it", r.op.Name(), n),
				Hint:    "remove that line as well with spec-search-replace",
				Related: []diag.Related{{Pos: l.file.Pos(at), Message: "applied here: " + short(l.file.Line(at).Text)}},
			})
		}
	}
}

// halfPackages checks at the end that no section is left of a sub-package
// whose %package section an operation removed.
func (l *linter) halfPackages(s *spec.Structure) {
	for _, r := range l.lost {
		name, pkg, kind, ok := r.line.Header()
		if !ok || kind != spec.PackageSection || pkg == "" {
			continue
		}
		left := -1
		for _, p := range s.Parts {
			if p.Package != pkg {
				continue
			}
			if p.Name == "%package" {
				left = -1
				break
			}
			if left < 0 {
				left = p.Start
			}
		}
		if left >= 0 {
			l.report(diag.Diagnostic{
				Pos: r.op.Pos, Code: "overlay/half-removed-package",
				Message: fmt.Sprintf("%s: %s %s is gone, but other sections of the package are left", r.op.Name(), name, pkg),
				Hint:    fmt.Sprintf("use spec-remove-subpackage with package = %q", pkg),
				Related: []diag.Related{{Pos: l.file.Pos(left), Message: "left: " + short(l.file.Line(left).Text)}},
			})
		}
	}
}
