package report_test

import (
	"encoding/json"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/macro"
	"specgraft/fedora/macro/report"
)

const before = `%bcond docs 1
Name: tide
Version: 1.2
Release: 3
Summary: Tables
License: MIT
Requires: moon >= 2
Source0: tide.tar.gz

%description
Text.

%if %{with docs}
%package doc
Summary: Reading
%description doc
Text.
%endif

%prep
%setup -q
`

func eval(t testing.TB, text string, cfg macro.Config) *report.Report {
	t.Helper()
	s := macro.Eval("tide.spec", []byte(text), cfg)
	if s.Rejected() != nil {
		t.Fatal(s.Rejected())
	}
	return report.New(s, "tide.spec", cfg.Arch)
}

// TestDifferences compares a spec with itself under another setting.
func TestDifferences(t *testing.T) {
	t.Parallel()
	a := eval(t, before, macro.Config{})
	if d := report.Differences(a, a); len(d) > 0 {
		t.Errorf("a report differs from itself: %v", d)
	}
	b := eval(t, before, macro.Config{Without: []string{"docs"}})
	have := map[string]bool{}
	for _, d := range report.Differences(a, b) {
		side := "+"
		text := d.After
		if d.Before != nil {
			side, text = "-", d.Before
		}
		have[d.Field+" "+side+*text] = true
	}
	want := map[string]bool{"packages -tide-doc": true, "bconds -docs on": true, "bconds +docs off": true}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// FuzzReport holds that every spec can be laid out, printed and compared.
func FuzzReport(f *testing.F) {
	f.Add(before)
	f.Add("%package -n\nRequires: (a or\n%prep\n%define x(")
	f.Fuzz(func(t *testing.T, text string) {
		s := macro.Eval("fuzz.spec", []byte(text), macro.Config{Budget: macro.Budget{Steps: 20000}})
		r := report.New(s, "fuzz.spec", "")
		if err := r.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		if d := report.Differences(r, r); len(d) > 0 {
			t.Errorf("a report differs from itself: %v", d)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
