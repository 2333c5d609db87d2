package macro

import (
	"reflect"
	"strings"
	"testing"

	"specgraft/testdata/corpus"
)

// TestSameFor tells specs that are the same for two architectures from those
// that are not.
func TestSameFor(t *testing.T) {
	t.Parallel()
	const head = "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n"
	for _, c := range []struct {
		name, text, arch string
		same             bool
	}{
		{"nothing", "", "aarch64", true},
		{"itself", "%ifarch x86_64\nURL: x\n%endif\n", "x86_64", true},
		{"isa", "Requires: a%{?_isa}\n", "aarch64", false},
		{"target", "URL: %{_target_cpu}\n", "aarch64", false},
		{"platform", "URL: %{_target_platform}\n", "aarch64", false},
		{"lib with 64 bits", "URL: %{_libdir}\n", "aarch64", true},
		{"lib with 32 bits", "URL: %{_libdir}\n", "i686", false},
		{"condition", "%ifarch aarch64\nURL: x\n%endif\n", "aarch64", false},
		{"negated", "%ifnarch x86_64 s390x\nURL: x\n%endif\n", "aarch64", false},
		{"condition on others", "%ifarch s390x\nURL: x\n%endif\n", "aarch64", true},
		{"condition on both", "%ifarch x86_64 aarch64\nURL: x\n%endif\n", "aarch64", true},
		{"in an expression", "%if \"%{_arch}\" == \"x86_64\"\nURL: x\n%endif\n", "aarch64", false},
		{"in Lua", "URL: %{lua: print(rpm.expand('%_arch'))}\n", "aarch64", false},
		{"table of Lua", "URL: %{lua: print(macros._host_cpu)}\n", "aarch64", false},
		{"whether it is defined", "%{!?__isa:URL: x}\n", "noarch", false},
		{"no macro of the other", "URL: x\n", "noarch", false},
		{"path of the build root", "%install\nrm -r %{buildroot}\n", "aarch64", true},
		{"noarch build", "BuildArch: noarch\n%ifarch x86_64\nURL: x\n%endif\n", "aarch64", true},
		{"asked before a noarch build", "%ifarch x86_64\n%global a 1\n%endif\nBuildArch: noarch\n", "aarch64", false},
		{"bad name", "", "a-b", false},
	} {
		s := Eval("x.spec", []byte(head+c.text), Config{Arch: "x86_64"})
		if got := s.SameFor(c.arch); got != c.same {
			t.Errorf("%s: the same for %s: %v, want %v", c.name, c.arch, got, c.same)
		}
	}
}

// TestCorpusSameFor compares the evaluations of real specs that are said to be
// the same for two architectures.
func TestCorpusSameFor(t *testing.T) {
	t.Parallel()
	root := []Define{{Name: "buildroot", Body: "/root"}}
	n, same := 0, 0
	for _, f := range corpus.Archive(t, "expected.tar.xz", corpus.IsSpec) {
		if n++; n%5 != 0 || strings.HasSuffix(f.Path, "kernel.spec") {
			continue
		}
		s := Eval(f.Path, f.Data, Config{Arch: "x86_64", Defines: root})
		if !s.SameFor("aarch64") {
			continue
		}
		same++
		o := Eval(f.Path, f.Data, Config{Arch: "aarch64", Defines: root})
		s.reads, o.reads = readsOf{}, readsOf{}
		if !reflect.DeepEqual(s, o) {
			t.Errorf("%s is not the same for x86_64 and aarch64", f.Path)
		}
	}
	t.Logf("%d of %d specs are the same for x86_64 and aarch64", same, n/5)
	if same == 0 {
		t.Error("no spec was compared")
	}
}
