package macro

import (
	"strings"
	"testing"
)

// TestRPMVersion holds that a spec is read as the rpm of its macro set reads it:
// what rpm 4.18 says, and what the newest does, where no version is known.
func TestRPMVersion(t *testing.T) {
	t.Parallel()
	old := Builtin().WithRPM("4.18")
	const head = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n"
	first := func(s *Spec) string {
		if d := s.Rejected(); d != nil {
			return d.Message
		}
		return ""
	}
	for name, c := range map[string]struct{ text, old, newest string }{
		"preuntrans in the preamble": {"Name: a\nVersion: 1\nRelease: 1\nSummary: s\n%preuntrans\nLicense: MIT\n%description\n", "no tag", "missing"},
		"preuntrans as a qualifier":  {head + "Requires(preuntrans): b\n%description\n", "not a qualifier", ""},
		"changelog behind an empty one": {head + "%description\n%changelog\n%changelog\n* Thu Jan 01 2026 A <a@b> - 1-1\n- x\n",
			"", "second %changelog"},
		"second changelog": {head + "%description\n%changelog\n* Thu Jan 01 2026 A <a@b> - 1-1\n- x\n%changelog\n", "second %changelog", "second %changelog"},
		"two separators":   {head + "Requires: a >= 1-1-1\n%description\n", "twice", ""},
		"build system":     {head + "BuildSystem: cmake\n%description\n", "is not a tag", ""},
	} {
		for which, want := range map[*Set]string{old: c.old, Builtin(): c.newest} {
			got := first(Eval("a.spec", []byte(c.text), Config{Set: which}))
			if want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%s with rpm %q: %q, want %q", name, which.RPMVersion(), got, want)
			}
		}
	}

	prep := head + "Source0: %{later}.tar\n%global later x\nPatch1: p.patch\n%description\n%prep\n%patch1 -p1\n"
	s := Eval("a.spec", []byte(prep), Config{Set: old})
	script := s.Sections[len(s.Sections)-1].Text.Text
	if !strings.Contains(script, "Patch #1 (p.patch)") || !strings.Contains(script, "-p1") || len(s.Problems) > 0 {
		t.Errorf("%%patch1 with rpm 4.18: %q, %v", script, s.Problems)
	}
	if got := s.Sources[0].Value.Text; got != "%{later}.tar" {
		t.Errorf("the source with rpm 4.18 is %q", got)
	}
	s = Eval("a.spec", []byte(prep), Config{})
	if script := s.Sections[len(s.Sections)-1].Text.Text; !strings.Contains(script, "%patch1 -p1") || len(s.Problems) != 1 || s.Problems[0].Code != "macro/old-patch" {
		t.Errorf("%%patch1 with the newest rpm: %q, %v", script, s.Problems)
	}
	if got := s.Sources[0].Value.Text; got != "x.tar" {
		t.Errorf("the source with the newest rpm is %q", got)
	}
}

// TestRPMSetFile holds that the file for an rpm to load is a set with its version.
func TestRPMSetFile(t *testing.T) {
	t.Parallel()
	set, err := ParseSet("m", []byte(Builtin().RPM("4.18")))
	if err != nil {
		t.Fatal(err)
	}
	if set.RPMVersion() != "4.18" {
		t.Errorf("the version is %q", set.RPMVersion())
	}
	if set.macros["forgemeta"] == nil || set.macros["forgemeta"].native == nil {
		t.Errorf("what is computed here is a stand-in for rpm")
	}
	if set.Hash() == Builtin().Hash() {
		t.Errorf("the hash does not cover the version")
	}
	for text, want := range map[string]string{
		"%_srcrpmdir x\n%__spec_prep_template x\n%_default_patch_flags -s\n":                                "4.18",
		"%_srcrpmdir x\n%__spec_prep_template x\n%_default_patch_flags -s\n%__systemd_sysusers x\n":         "4.19",
		"%_srcrpmdir x\n%__spec_prep_template x\n%_default_patch_flags -s\n%buildsystem_default_prep() x\n": "",
		"%rpmversion 4.16.1\n": "4.16.1",
		"%a b\n":               "",
	} {
		if got := Load("x", text, nil).GuessRPM(); got != want {
			t.Errorf("the rpm of %q is %q, want %q", text, got, want)
		}
	}
}
