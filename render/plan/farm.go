package plan

import (
	"fmt"
	"io"
	"strings"

	"specgraft/overlay/diag"
)

// A Farm says what the texts for build engines are filled with.
type Farm struct {
	// Command builds one component. {name} stands for the component, {srpm} for
	// the file name of its source package, {arch}, {wave} and {evr} for what they
	// say; "" means the usual command of the format.
	Command string
	Project string // of Copr and OBS, name of the jobs of Kubernetes, base tag of Koji
	URL     string // of a component's packaging for Koji and Copr, with the same placeholders
	Image   string // container image of GitHub and Kubernetes
	Shards  int    // that Kubernetes prepares source packages in, 0 for none
}

// A Format is a language that a plan can be written in.
type Format struct {
	Name  string
	Write func(*Plan, io.Writer, *Graph, Farm) error
	Usual string // the command where Farm has none
	Help  string
}

// Formats are the languages of build engines and of pictures, besides the tables
// and JSON that every command has.
var Formats = []Format{
	{"dot", writeDot, "", "the graph for Graphviz, one column per wave"},
	{"svg", writeSVG, "", "the graph as a picture"},
	{"make", writeMake, "specgraft srpm build {name} -o srpms && mock --rebuild srpms/{srpm}", "a Makefile: make -j8, or make -k -j8 to go on after failures"},
	{"mock", writeMock, `mock -r "$MOCK_CONFIG" --resultdir "$RESULTS/{name}" --addrepo "file://$RESULTS" --rebuild "$SRPMS/{srpm}"`,
		"a shell script that builds with mock, wave after wave, with what was built before as a repository"},
	{"koji", writeKoji, "", "a shell script of koji chain-build calls in a side tag"},
	{"copr", writeCopr, "", "a shell script that submits Copr batches, one per wave"},
	{"obs", writeOBS, "", "a shell script that makes an OBS project of links, which OBS orders itself"},
	{"github", writeGitHub, "specgraft srpm build {name} -o srpms && mock --rebuild srpms/{srpm}", "a GitHub workflow with a matrix of at most 256 jobs per wave (JSON, which is YAML)"},
	{"kubernetes", writeKubernetes, "build-component {name}", "Indexed Jobs, one per wave (JSON for kubectl apply)"},
}

// WriteFormat writes the plan in a format. Names that a shell or an engine could
// take for something else are refused.
func (p *Plan) WriteFormat(w io.Writer, f *Format, g *Graph, farm Farm) error {
	var problems diag.List
	for _, s := range p.Steps {
		if !plainName(s.Component) {
			d := problems.Add(noPos, "plan/name", "the component name %q cannot be written into a script", s.Component)
			d.Component = s.Component
			d.Hint = "leave the component out, or rename it: letters, digits and . _ + - are safe"
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if farm.Command == "" {
		farm.Command = f.Usual
	}
	for _, text := range []string{farm.Command, farm.URL} {
		if bad := badPlaceholder(text); bad != "" {
			return &diag.Diagnostic{Code: "plan/command", Message: fmt.Sprintf("the command has the unknown placeholder %s", bad),
				Hint: "there are {name}, {srpm}, {evr}, {arch} and {wave}"}
		}
	}
	return f.Write(p, w, g, farm)
}

// plainName reports whether a name means nothing to shells, make and YAML.
func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._+-", c) >= 0) {
			return false
		}
	}
	return s != "" && s[0] != '-' && s[0] != '.'
}

// badPlaceholder returns the first {word} of a command that is none of ours.
func badPlaceholder(s string) string {
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return ""
		}
		before := ""
		if i > 0 {
			before = s[i-1 : i]
		}
		s = s[i:]
		j := strings.IndexByte(s, '}')
		if j < 0 {
			return ""
		}
		word := s[:j+1]
		switch word {
		case "{name}", "{srpm}", "{evr}", "{arch}", "{wave}":
		default:
			if before != "$" && plainName(word[1:j]) { // ${VARIABLE} is the shell's
				return word
			}
		}
		s = s[j+1:]
	}
}

// fill puts what a step is into a command.
func (p *Plan) fill(text string, g *Graph, s *Step) string {
	name, evr := s.Component, ""
	if f := g.Facts(s.Component); f != nil {
		if f.Name != "" {
			name = f.Name
		}
		evr = f.EVR
	}
	_, vr, ok := strings.Cut(evr, ":")
	if !ok {
		vr = evr
	}
	return strings.NewReplacer("{name}", s.Component, "{srpm}", name+"-"+vr+".src.rpm", "{evr}", evr,
		"{arch}", orText(strings.Join(s.Architectures, ","), p.Arch), "{wave}", fmt.Sprint(s.Wave)).Replace(text)
}

// quote writes a text for a shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/:=@%,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// title says what a text is, for its first lines.
func (p *Plan) title() string {
	return fmt.Sprintf("%d components in %d waves on %s", len(p.Steps), len(p.Waves), p.Arch)
}

// writeMake writes a Makefile. Each component is a file in $(STAMPS) that depends
// on those of the components it needs, so that a failure stops just what is behind
// it, and a second run goes on where the first stopped.
func writeMake(p *Plan, w io.Writer, g *Graph, farm Farm) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\nSTAMPS ?= stamps\n\n.PHONY: all\nall:", p.title())
	for _, s := range p.Steps {
		b.WriteString(" " + s.Component)
	}
	b.WriteString("\n\n$(STAMPS):\n\tmkdir -p $@\n")
	for i := range p.Steps {
		s := &p.Steps[i]
		command := strings.ReplaceAll(strings.ReplaceAll(p.fill(farm.Command, g, s), "$", "$$"), "\n", " ")
		fmt.Fprintf(&b, "\n.PHONY: %s\n%s: $(STAMPS)/%s\n$(STAMPS)/%s:", s.Component, s.Component, s.Component, s.Component)
		for _, a := range s.After {
			b.WriteString(" $(STAMPS)/" + a)
		}
		fmt.Fprintf(&b, " | $(STAMPS)\n\t%s\n\t@touch $@\n", command)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeMock writes a shell script that builds one component after the other. What
// needs one that failed is left out, and the script fails in the end.
func writeMock(p *Plan, w io.Writer, g *Graph, farm Farm) error {
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# %s
set -u
: "${MOCK_CONFIG:=default}" "${RESULTS:=$PWD/results}" "${SRPMS:=$PWD/srpms}"
export MOCK_CONFIG RESULTS SRPMS
mkdir -p "$RESULTS"
failed=' '

# build NAME COMMAND [NEEDED...]
build() {
	name=$1 command=$2
	shift 2
	for needed; do
		case $failed in *" $needed "*)
			echo "$name: left out, $needed failed" >&2
			failed="$failed$name "
			return
		esac
	done
	if ! sh -c "$command"; then
		echo "$name: failed" >&2
		failed="$failed$name "
	fi
}

# publish makes what was built a repository for the next wave.
publish() {
	if command -v createrepo_c >/dev/null; then createrepo_c --quiet --update "$RESULTS"; fi
}
`, p.title())
	for i := range p.Steps {
		s := &p.Steps[i]
		if i == 0 || p.Steps[i-1].Wave != s.Wave {
			fmt.Fprintf(&b, "\n# wave %d\npublish\n", s.Wave)
		}
		fmt.Fprintf(&b, "build %s %s", s.Component, quote(p.fill(farm.Command, g, s)))
		for _, a := range s.After {
			b.WriteString(" " + a)
		}
		b.WriteByte('\n')
	}
	b.WriteString("publish\n\n[ \"$failed\" = ' ' ]\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// chainLength is the number of addresses with which a koji chain-build call is
// long enough: its command line has its limits.
const chainLength = 400

// writeKoji writes chain builds in a side tag. Koji waits for the repository
// between the groups of a call; between calls the script does. chain-build refuses
// a single group, so that a plan of one wave is built by single calls.
func writeKoji(p *Plan, w io.Writer, g *Graph, farm Farm) error {
	url := farm.URL
	if url == "" {
		url = "git+https://src.example.org/rpms/{name}#HEAD"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# %s\nset -eu\n: \"${BASE_TAG:=%s}\"\nSIDE_TAG=${SIDE_TAG:-$(koji add-sidetag --quiet --wait \"$BASE_TAG\")}\necho \"side tag $SIDE_TAG\" >&2\n",
		p.title(), orText(farm.Project, "f43-build"))
	if len(p.Waves) == 1 {
		b.WriteString(kojiBuild)
	}
	count, groups, built := 0, 0, []string{}
	for i := range p.Steps {
		s := &p.Steps[i]
		first := i == 0 || p.Steps[i-1].Wave != s.Wave
		if first {
			groups++
		}
		switch {
		case len(p.Waves) == 1:
			b.WriteString("build " + quote(p.fill(url, g, s)) + "\n")
			built = append(built, strings.TrimSuffix(p.fill("{srpm}", g, s), ".src.rpm"))
			continue
		case i == 0 || first && count >= chainLength && groups > 2 && s.Wave < len(p.Waves):
			p.waitRepo(&b, built)
			count, groups, built = 0, 1, nil
			b.WriteString("\nkoji chain-build \"$SIDE_TAG\"")
		case first:
			b.WriteString(" \\\n  :")
		}
		b.WriteString(" \\\n  " + quote(p.fill(url, g, s)))
		count++
		built = append(built, strings.TrimSuffix(p.fill("{srpm}", g, s), ".src.rpm"))
	}
	if len(p.Waves) == 1 {
		b.WriteString("koji watch-task $tasks")
	}
	p.waitRepo(&b, built)
	_, err := io.WriteString(w, b.String())
	return err
}

// kojiBuild starts a build without waiting for it.
const kojiBuild = `
tasks=
# build ADDRESS
build() {
	task=$(koji build --nowait "$SIDE_TAG" "$1" | sed -n 's/^Created task: *\([0-9][0-9]*\).*/\1/p')
	if [ -z "$task" ]; then echo "no task came from: $1" >&2; exit 1; fi
	tasks="$tasks $task"
}
`

// waitRepo waits until the side tag's repository has what was built last.
func (p *Plan) waitRepo(b *strings.Builder, built []string) {
	if len(built) == 0 {
		return
	}
	b.WriteString("\n\nkoji wait-repo \"$SIDE_TAG\"")
	for _, nvr := range built {
		b.WriteString(" \\\n  --build=" + quote(nvr))
	}
	b.WriteByte('\n')
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// writeCopr submits all builds at once. Those of a wave are one batch, which Copr
// starts when the batch before has succeeded.
func writeCopr(p *Plan, w io.Writer, g *Graph, farm Farm) error {
	submit := `copr-cli build "$PROJECT" "$SRPMS/{srpm}"`
	if farm.URL != "" {
		submit = `copr-cli buildscm "$PROJECT" --clone-url ` + quote(farm.URL)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# %s
set -eu
: "${PROJECT:=%s}" "${SRPMS:=$PWD/srpms}"

# submit COMMAND... starts a build without waiting for it and prints its number.
submit() {
	id=$("$@" --nowait | sed -n 's/^Created builds: *\([0-9][0-9]*\).*/\1/p')
	if [ -z "$id" ]; then echo "no build number came from: $*" >&2; exit 1; fi
	echo "$id"
}
`, p.title(), orText(farm.Project, "myproject"))
	for i := range p.Steps {
		s := &p.Steps[i]
		command := "submit " + p.fill(submit, g, s)
		switch {
		case i > 0 && p.Steps[i-1].Wave == s.Wave:
			fmt.Fprintf(&b, "%s --with-build-id \"$wave%d\"\n", command, s.Wave)
		case s.Wave == 1:
			fmt.Fprintf(&b, "\nwave1=$(%s)\n", command)
		default:
			fmt.Fprintf(&b, "\nwave%d=$(%s --after-build-id \"$wave%d\")\n", s.Wave, command, s.Wave-1)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeOBS makes a project whose packages are links into another one. The
// scheduler of OBS finds the order itself.
func writeOBS(p *Plan, w io.Writer, _ *Graph, farm Farm) error {
	base := orText(farm.Project, "openSUSE:Factory")
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# %s
set -eu
: "${BASE:=%s}" "${PROJECT:=$BASE:rebuild}" "${REPOSITORY:=standard}"

osc meta prj -F - "$PROJECT" <<END
<project name="$PROJECT">
  <title>Rebuild of %d packages</title>
  <description/>
  <link project="$BASE"/>
  <repository name="$REPOSITORY">
    <path project="$BASE" repository="$REPOSITORY"/>
%s
  </repository>
</project>
END

# link NAME
link() {
	osc meta pkg -F - "$PROJECT" "$1" <<END
<package name="$1" project="$PROJECT"><title/><description/></package>
END
	osc api -X PUT "/source/$PROJECT/$1/_link" -d "<link project=\"$BASE\" package=\"$1\"/>"
}

`, p.title(), base, len(p.Steps), "    <arch>"+strings.ReplaceAll(p.Arch, ",", "</arch>\n    <arch>")+"</arch>")
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "link %s # wave %d\n", s.Component, s.Wave)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
