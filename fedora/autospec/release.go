package autospec

import (
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// The values of release.calculation.
const (
	CalculationAuto        = "auto"        // autorelease if the spec uses it, else static
	CalculationAutorelease = "autorelease" // leave the tag to autorelease
	CalculationStatic      = "static"      // raise the number of the tag
	CalculationManual      = "manual"      // leave the tag alone
	CalculationSmart       = "smart"       // as auto, and raise a number that a macro holds
)

// A Bumped says how a spec gets its new release. The zero Bumped means that
// the spec stays as it is.
type Bumped struct {
	// Value is the new value of every Release tag of the preamble, written as
	// the operation spec-update-tag writes it; empty when another line changes.
	Value string
	// Line and Text are the definition that changes instead: the line with
	// this index gets this text. Only release.calculation = "smart" does that.
	Line int
	Text string
}

// Bump raises the release of a spec by n as release.calculation asks for:
// "auto" (also when empty), "static", "smart", "autorelease" or "manual".
// The last Release tag of the preamble decides. Its leading integer goes up by
// n, which takes in values such as "14.git%{checkout}%{?dist}" and
// "1%{?dist}.1". The spec itself is not changed. With n = 0 there is nothing
// to do. Only "smart" evaluates the spec, with cfg. The error is a
// *diag.Diagnostic with the position of the tag.
func Bump(f *spec.File, mode string, n int, cfg macro.Config) (Bumped, error) {
	if n <= 0 || mode == CalculationManual || mode == CalculationAutorelease {
		return Bumped{}, nil
	}
	tag, ok := releaseTag(f)
	if !ok {
		return Bumped{}, &diag.Diagnostic{Pos: f.Pos(0), Code: "autospec/release-missing",
			Message: "the spec has no Release tag that could be raised",
			Hint:    `add a Release tag, or set release.calculation to "manual"`}
	}
	pos := f.Pos(tag.Line)
	if hasAutorelease(tag.Value) {
		if mode == CalculationStatic {
			return Bumped{}, &diag.Diagnostic{Pos: pos, Code: "autospec/release-autorelease",
				Message: fmt.Sprintf("Release %q uses %%autorelease, which release.calculation = \"static\" cannot raise", tag.Value),
				Hint:    `set release.calculation to "autorelease", or leave it out`}
		}
		return Bumped{}, nil
	}
	if mode == CalculationSmart && prerelease(tag.Value) {
		return bumpSmart(f, tag, n, cfg)
	}
	if value, ok := addLeading(tag.Value, n); ok {
		return Bumped{Value: value}, nil
	}
	if mode == CalculationSmart {
		return bumpSmart(f, tag, n, cfg)
	}
	return Bumped{}, &diag.Diagnostic{Pos: pos, Code: "autospec/release-form",
		Message: fmt.Sprintf("Release %q does not begin with a number that could be raised", tag.Value),
		Hint:    `set release.calculation to "smart" to raise the macro that holds the number, or to "manual"`}
}

// prerelease reports whether a release marks what comes before the version: it
// begins with a zero and a dot, so that it sorts below the final release 1. See
// "Traditional versioning" in Fedora's packaging guidelines.
func prerelease(release string) bool { return strings.HasPrefix(release, "0.") }

// MixedReleases returns the lines of two Release tags of the preamble of which
// one uses %autorelease and the other holds a number, as in the branches of a
// conditional. What raises one of them is wrong for the other.
func MixedReleases(f *spec.File) (auto, number int, ok bool) {
	auto, number = -1, -1
	for t := range f.Tags() {
		if t.Section > 0 {
			break
		}
		if strings.ToLower(t.Name) != "release" {
			continue
		}
		if hasAutorelease(t.Value) {
			auto = t.Line
		} else {
			number = t.Line
		}
	}
	return auto, number, auto >= 0 && number >= 0
}

// releaseTag returns the last Release tag of the preamble.
func releaseTag(f *spec.File) (last spec.Tag, ok bool) {
	for t := range f.Tags() {
		if t.Section > 0 {
			break
		}
		if strings.ToLower(t.Name) == "release" {
			last, ok = t, true
		}
	}
	return last, ok
}

// hasAutorelease reports whether a Release value uses autorelease in the sense of
// release.calculation, which is narrower than what rpmautospec looks for.
func hasAutorelease(value string) bool {
	for i := 0; ; {
		n := strings.Index(value[i:], "autorelease")
		if n < 0 {
			return false
		}
		before, after := value[:i+n], value[i+n+len("autorelease"):]
		ends := after == "" || strings.IndexFunc(after, unicode.IsSpace) == 0
		if strings.HasSuffix(before, "%") && ends {
			return true
		}
		if (strings.HasSuffix(before, "%{") || strings.HasSuffix(before, "%{?")) && (ends || after[0] == '}') {
			return true
		}
		i += n + len("autorelease")
	}
}

// addLeading adds n to the integer that value begins with. Leading zeros are
// lost.
func addLeading(value string, n int) (string, bool) {
	digits := len(value) - len(strings.TrimLeft(value, "0123456789"))
	if digits == 0 {
		return "", false
	}
	number, ok := new(big.Int).SetString(value[:digits], 10)
	if !ok {
		return "", false
	}
	return number.Add(number, big.NewInt(int64(n))).String() + value[digits:], true
}
