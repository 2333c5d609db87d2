package macro

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBuildSystem holds the sections that BuildSystem adds to what rpm 6.1
// prints.
func TestBuildSystem(t *testing.T) {
	t.Parallel()
	const all = "%buildsystem_tide_conf() conf %*\n%buildsystem_tide_build() make %*\n%buildsystem_tide_install() inst %#:%*\n" +
		"%buildsystem_tide_check() chk %*\n%buildsystem_tide_clean() cln\n%buildsystem_tide_generate_buildrequires() gb\n%buildsystem_tide_prep() prp %*\n"
	for _, c := range []struct {
		name, macros, spec string
		want               string
	}{
		{"every section", all, "BuildSystem: tide\n%description\nd\n",
			"%prep\nprp \n%conf\nconf \n%generate_buildrequires\ngb\n%build\nmake \n%install\ninst 0:\n%check\nchk \n%clean\ncln\n"},
		{"options and sections of the spec", all,
			"BuildSystem: tide\nBuildOption: a  b\nBuildOption: c\nBuildOption(install): q -x \"r s\"\nBuildOption(build): %name\nBuildOption(prep): -q 5%%\n" +
				"%description\nd\n%build\nmine\n%install -a\nappended\n%check -p\nprepended\n",
			"%build\nmine\n%install -a\nappended\n%check -p\nprepended\n" +
				"%prep\nprp -q 5%\n%conf\nconf a b c\n%generate_buildrequires\ngb\n%install\ninst 4:q -x \"r s\"\n%check\nchk \n%clean\ncln\n"},
		{"only what a build system must have", "%buildsystem_tide_conf() %nil\n%buildsystem_tide_build() make\n%buildsystem_tide_install() %nil\n",
			"BuildSystem: tide\n%description\nd\n%prep\n",
			"%prep\n%conf\n\n%build\nmake\n%install\n\n"},
		{"defaults", "%buildsystem_default_check() look %*\n%buildsystem_tide_conf() %nil\n%buildsystem_tide_build() make\n%buildsystem_tide_install() %nil\n",
			"BuildSystem: tide\nBuildOption(check): -v\n%description\nd\n%prep\n",
			"%prep\n%conf\n\n%build\nmake\n%install\n\n%check\nlook -v\n"},
		{"a macro is missing", "%buildsystem_tide_conf() %nil\n%buildsystem_tide_build make\n",
			"BuildSystem: tide\n%description\nd\n",
			"! the build system \"tide\" lacks the macro %buildsystem_tide_build, %buildsystem_tide_install with arguments\n"},
		{"no macros", "", "BuildSystem: tide\n%description\nd\n",
			"! the macro set knows no build system \"tide\": the sections it adds are not known\n"},
		{"not known", "%buildsystem_tide_conf() %nil\n%buildsystem_tide_build() make %*\n%buildsystem_tide_install() %(hostname)\n",
			"BuildSystem: tide\nBuildOption(build): %(hostname)\n%description\nd\n%prep\n",
			"%prep\n%conf\n\n%build\nmake <?>\n%install\n<?>\n"},
		{"options for no section", "", "BuildOption(instal): x\n%description\nd\n",
			"! BuildOption: \"instal\" is no section that a build system fills in\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := Load("tide", c.macros, Load("base", "%nil %{!?nil}\n", nil))
			s := Eval("tide.spec", []byte("Name: tide\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n"+c.spec), Config{Set: set, Lines: true})
			_, got, _ := strings.Cut(s.Expanded.Text, "%description\nd\n")
			for _, p := range s.Problems {
				got += "! " + p.Message + "\n"
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}
