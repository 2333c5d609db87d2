package shell

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// rootPackages are packages that every build root has, so that a query for
// them has an answer which we do not know.
var rootPackages = strings.Fields(`bash bzip2 coreutils cpio diffutils dnf5 fedora-release-common filesystem findutils
	gawk git git-core glibc glibc-minimal-langpack grep gzip info openssl-libs patch perl perl-libs python3 python3-libs
	redhat-rpm-config rpm rpm-build rpm-libs rpmautospec rpmdevtools sed systemd-libs tar unzip util-linux which xz zlib zlib-ng-compat`)

// toolRpm answers "rpm -q NAME..." for the root in which the reference tool
// lists the sources of a spec: it has the packages that rpm needs for reading
// specs and nothing that a spec requires for its build. What other build roots
// have is not known.
func toolRpm(s *shell, args []string, _ *stream, out *output) (int, error) {
	if !s.env.SourceRoot {
		return 2, unknownf("it asks for the packages of the build root")
	}
	query := false
	var names []string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-q" || a == "--query":
			query = true
		case a == "--qf" || a == "--queryformat":
			i++ // says how to print a package that is there
		case strings.HasPrefix(a, "--qf=") || strings.HasPrefix(a, "--queryformat="):
		case strings.HasPrefix(a, "-"):
			return refuse("rpm", a)
		default:
			names = append(names, a)
		}
	}
	if !query || len(names) == 0 {
		return refuse("rpm", strings.Join(args, " "))
	}
	for _, n := range names {
		if slices.Contains(rootPackages, n) {
			return 2, unknownf("it asks for the version of %s in the build root", diag.Excerpt(n))
		}
		fmt.Fprintf(out, "package %s is not installed\n", n)
	}
	return min(len(names), 255), nil
}

// toolXargs gives the words of its input to one of the commands that are worth
// it.
func toolXargs(s *shell, args []string, in *stream, out *output) (int, error) {
	always := true
	if len(args) > 0 && (args[0] == "-r" || args[0] == "--no-run-if-empty") {
		always, args = false, args[1:]
	}
	run := map[string]tool{"rpm": toolRpm, "echo": toolEcho}
	if len(args) == 0 || run[args[0]] == nil {
		return refuse("xargs", strings.Join(args, " "))
	}
	text := string(in.all())
	if strings.ContainsAny(text, `"'\`) {
		return refuse("xargs", "quoted input")
	}
	words := strings.Fields(text)
	if len(words) == 0 && !always {
		return 0, nil
	}
	status, err := run[args[0]](s, append(slices.Clone(args[1:]), words...), &stream{}, out)
	if status != 0 {
		status = 123
	}
	return status, err
}
