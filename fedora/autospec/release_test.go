package autospec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

func TestBump(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		release string // value of the tag; "|" separates several tags
		mode    string
		n       int
		want    string // new value, empty for none, or an error code
	}{
		{"5%{?dist}", "", 1, "6%{?dist}"},
		{"5%{dist}", "auto", 3, "8%{dist}"},
		{"5", "static", 2, "7"},
		{"09%{?dist}", "auto", 1, "10%{?dist}"},
		{"99999999999999999999", "auto", 1, "100000000000000000000"},
		{"14.git%{checkout}%{?dist}", "auto", 1, "15.git%{checkout}%{?dist}"},
		{"1%{?dist}.1", "auto", 1, "2%{?dist}.1"},
		{"2b%{?dist}", "auto", 1, "3b%{?dist}"},
		{"0.3.rc1%{?dist}", "auto", 1, "1.3.rc1%{?dist}"},
		{"5%{?dist}|7%{?dist}", "auto", 1, "8%{?dist}"}, // the last one decides
		{"5%{?dist}", "auto", 0, ""},
		{"5%{?dist}", "manual", 1, ""},
		{"5%{?dist}", "autorelease", 1, ""},
		{"%autorelease", "auto", 1, ""},
		{"%autorelease -b 3", "smart", 1, ""},
		{"%{autorelease}", "auto", 1, ""},
		{"%{?autorelease}%{!?autorelease:1%{?dist}}", "auto", 1, ""},
		{"%autorelease", "static", 1, "autospec/release-autorelease"},
		{"%{?autorelease:x}", "auto", 1, "autospec/release-form"},
		{"%autorelease_x", "auto", 1, "autospec/release-form"},
		{"%{baserelease}%{?dist}", "auto", 1, "autospec/release-form"},
		{"%{rel}", "static", 1, "autospec/release-form"},
		{"", "auto", 1, "autospec/release-missing"},
	} {
		var b strings.Builder
		b.WriteString("Name: sample\nVersion: 1\n")
		if test.release != "" {
			for v := range strings.SplitSeq(test.release, "|") {
				fmt.Fprintf(&b, "Release:   %s\n", v)
			}
		}
		b.WriteString("%description\nRelease: 77\n%package devel\nRelease: 88\n")
		f := spec.Parse("sample.spec", []byte(b.String()))
		got, err := Bump(f, test.mode, test.n, macro.Config{})
		value := got.Value
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			value = d.Code
			if test.release != "" && d.Pos.Line != 3 {
				t.Errorf("%s: position %v", test.release, d.Pos)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if value != test.want || got.Text != "" {
			t.Errorf("Bump(%q, %q, %d) = %+v, %v, want %q", test.release, test.mode, test.n, got, err, test.want)
		}
		if string(f.Bytes()) != b.String() {
			t.Errorf("%s: the spec was changed", test.release)
		}
	}
}

func TestBumpSmart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, spec, want string // want: the changed line, or an error code
	}{
		{"macro", "%global baserelease 28\nRelease: %{baserelease}%{?dist}", "%global baserelease 30"},
		{"indented", "  %define  rel\t 7 \nRelease: %{rel}%{?dist}", "  %define  rel\t 9 "},
		{"chain", "%global base 3\n%define mine 0.%{base}\nRelease: %{mine}", "%global base 5"},
		{"date first", "%global date 20020801\n%global baserelease 23\nRelease: %{date}.%{baserelease}%{?dist}", "%global baserelease 25"},
		{"prefix under a condition", "Release: %{?prever:0.}13%{?prever:.%{prever}}%{?dist}.1", "Release: %{?prever:0.}15%{?prever:.%{prever}}%{?dist}.1"},
		{"branch in force", "%if 0\n%global rel 5\n%else\n%global rel 6\n%endif\nRelease: %{rel}%{?dist}", "%global rel 8"},
		{"serial", "%global serial 50\nRelease: %{serial}%{?dist}.1", "%global serial 52"},
		{"digits go as under auto", "Release: 5%{?dist}", "tag 7%{?dist}"},
		{"used by a source, too", "%global level 4\nRelease: %{level}%{?dist}.2\nSource0: x-%{level}.tar.gz", "Release: %{level}%{?dist}.4"},
		{"part of a source only", "%global level 4\nRelease: %{level}%{?dist}\nSource0: x-%{level}.tar.gz", "autospec/release-form"},
		{"autorelease in a macro", "%global rel %autorelease -b 3\nRelease: %{rel}", ""},
		{"nothing there", "Release: %{nowhere}", "autospec/release-form"},
		{"pre-release by its date", "Release: 0.20240229101500.f00dbad%{?dist}", "Release: 0.20240229101502.f00dbad%{?dist}"},
		{"pre-release with a number", "Release: 0.3.rc1%{?dist}", "Release: 0.5.rc1%{?dist}"},
		{"pre-release with a macro", "%global baserelease 3\nRelease: 0.%{baserelease}.beta%{?dist}", "%global baserelease 5"},
		{"pre-release of nothing", "Release: 0.rc1%{?dist}", "autospec/release-form"},
		{"no pre-release", "Release: 0%{?dist}", "tag 2%{?dist}"},
		{"number of a word", "Release: %{?x}rc1", "autospec/release-form"},
		{"version too", "%global v 4\nRelease: %{v}\nEpoch: %{v}", "autospec/release-form"},
	} {
		text := "Name: sample\nVersion: 1.0\n" + test.spec + "\nSummary: S\nLicense: MIT\n\n%description\nD.\n"
		f := spec.Parse("sample.spec", []byte(text))
		b, err := Bump(f, "smart", 2, macro.Config{})
		got := b.Text
		if b.Value != "" {
			got = "tag " + b.Value
		}
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			got = d.Code
		} else if err != nil {
			t.Fatal(err)
		}
		if got != test.want {
			t.Errorf("%s: got %q (%v), want %q", test.name, got, err, test.want)
			continue
		}
		if b.Text != "" && f.Line(b.Line).Text == b.Text {
			t.Errorf("%s: line %d does not change", test.name, b.Line)
		}
	}
}

func TestCheckEVR(t *testing.T) {
	t.Parallel()
	text := func(tags string) []byte {
		return []byte("Name: sample\nSummary: S\nLicense: MIT\n" + tags + "\n%description\nD.\n")
	}
	for _, test := range []struct {
		before, after string
		down          bool
	}{
		{"Version: 1\nRelease: 5", "Version: 1\nRelease: 6", false},
		{"Version: 1\nRelease: 5", "Version: 1\nRelease: 5", false},
		{"Version: 1\nRelease: 10", "Version: 1\nRelease: 9", true},
		{"Version: 1.10\nRelease: 1", "Version: 1.9\nRelease: 5", true},
		{"Version: 2\nRelease: 1", "Epoch: 1\nVersion: 1\nRelease: 1", false},
		{"Version: 1\nRelease: 1", "Version: 1~rc1\nRelease: 1", true},
		{"Version: 1\nRelease: 1", "Version: %(curl https://example.org)\nRelease: 1", false},
	} {
		d := CheckEVR("sample.spec", text(test.before), text(test.after), macro.Config{})
		if (d != nil) != test.down {
			t.Errorf("%q to %q: %v", test.before, test.after, d)
		}
	}
}
