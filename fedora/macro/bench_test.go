package macro

import (
	"fmt"
	"strings"
	"testing"
)

// longSpec is a spec of about n lines with everything that specs are made of.
func longSpec(n int) []byte {
	var b strings.Builder
	b.WriteString("%bcond docs 1\n%global common text\nName: long\nVersion: 1\nRelease: 1%{?dist}\nSummary: s\nLicense: MIT\n")
	for i := range n / 10 {
		fmt.Fprintf(&b, "%%global m%d %%{?m%d}x\nSource%d: https://example.org/%%{name}-%d.tar.gz\n", i, i-1, i, i)
		fmt.Fprintf(&b, "%%if 0%%{?fedora} >= 40 && %%{with docs}\nBuildRequires: a%d >= %%{version}\n%%else\nBuildRequires: b\n%%endif\n", i)
		b.WriteString("Requires: c%{?_isa} = %{version}-%{release}\n# a comment\n\n")
		if i%50 == 49 {
			fmt.Fprintf(&b, "%%undefine m%d\n", i)
		}
	}
	b.WriteString("%description\n%{common}\n%prep\n%build\n%configure --prefix=%{_prefix}\n%files\n%{_bindir}/*\n")
	return []byte(b.String())
}

func BenchmarkEval(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := longSpec(n)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Eval("long.spec", text, Config{})
			}
		})
	}
}
