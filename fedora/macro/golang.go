package macro

import (
	"strings"

	"specgraft/overlay/regex"
)

var (
	goProtocol = regex.Once(`^https?://`)
	goGitTail  = regex.Once(`\.git/+`)
	goDomain   = regex.Once(`^([^/]+)\.([^./]+)/`)
	goNumbers  = regex.Once(`([0-9])\.([0-9])`)
	goSeps     = regex.Once(`[._/~-]+`)
	goVEnd     = regex.Once(`-v([.0-9]+)$`)
	goVMiddle  = regex.Once(`-v([.0-9]+-)`)
)

// goName derives the name of a package from a Go import path by Fedora's
// rules: golang-, the host without its last label, the path with dashes, no
// word twice, versions without their v.
func goName(path, compat string) string {
	if t := taintOf(path, compat); t != "" {
		return t
	}
	s := asciiCase(path, 'A', 'Z') + "/"
	s = goProtocol().ReplaceAllString(s, "")
	s = goGitTail().ReplaceAllString(s, "")
	s = strings.TrimPrefix(s, "git.")
	s = goDomain().ReplaceAllString(s, "$1/")
	s = "golang-" + s
	if compat != "" {
		s = "compat-" + s + "-" + asciiCase(compat, 'A', 'Z')
	}
	for {
		t := goNumbers().ReplaceAllString(s, "$1:$2") // keep the dots of 1.2.3
		if t == s {
			break
		}
		s = t
	}
	s = goSeps().ReplaceAllString(s, "-")
	s = strings.ReplaceAll(s, "-for-go-", "-")
	seen := map[string]bool{"go": true}
	var words []string
	for w := range strings.SplitSeq(s, "-") {
		if w != "" && !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	s = strings.ReplaceAll(strings.Join(words, "-"), ":", ".")
	s = goVEnd().ReplaceAllString(s, "-$1")
	return goVMiddle().ReplaceAllString(s, "-$1")
}

// goMeta is %gometa: %forgemeta for a Go import path.
func goMeta(e *Evaluator, c *call) string {
	list := []string{c.options['z']}
	if c.flags['a'] && !c.flags['z'] {
		list = e.suffixes("goipath")
	}
	for _, s := range list {
		e.goSource(s, c.flags['s'])
	}
	arches := "%{golang_arches}"
	if c.flags['f'] {
		arches = "%{golang_arches_future}"
	}
	return "BuildRequires: go-rpm-macros\nExclusiveArch: " + e.sub(arches) + "\n"
}

func (e *Evaluator) goSource(suffix string, silent bool) {
	main := suffix == "" || suffix == "0"
	if main {
		e.alias("forgeurl", "goipath", "gocid", "goname", "gourl", "gosource")
	}
	path := e.text("goipath" + suffix)
	if path == "" {
		e.fail("macro/error", "%%gometa needs the Go import path in %%{goipath%s}", suffix)
		return
	}
	if clean := strings.TrimRight(goProtocol().ReplaceAllString(path, ""), "/"); clean != path {
		e.set("goipath"+suffix, clean)
	}
	e.unless("forgeurl"+suffix, "https://%{goipath"+suffix+"}")
	e.forge(suffix, silent)
	e.unless("gourl"+suffix, "%{forgeurl"+suffix+"}")
	if e.text("forgesource"+suffix) != "" {
		e.unless("gosource"+suffix, "%{forgesource"+suffix+"}")
	} else {
		e.unless("gosource"+suffix, "%{gourl"+suffix+"}/%{archivename"+suffix+"}.%{archiveext"+suffix+"}")
	}
	e.unless("goname"+suffix, goName(e.text("goipath"+suffix), e.text("gocid"+suffix)))
	e.alias("forgeurl", "goname", "gourl", "gosource")
}

// goDevelPackages is %godevelpkg: a -devel package with the source code for
// each list of import paths.
func goDevelPackages(e *Evaluator, c *call) string {
	if len(e.suffixes("goipaths")) == 0 {
		for _, s := range e.suffixes("goipath") {
			e.unless("goipaths"+s, "%{goipath"+s+"}")
		}
	}
	list := e.suffixes("goipaths")
	if c.flags['z'] {
		list = []string{c.options['z']}
	}
	var b strings.Builder
	for _, s := range list {
		paths := e.text("goipaths" + s)
		first, _, _ := strings.Cut(strings.TrimSpace(paths), " ")
		e.unless("godevelcid"+s, "%{?gocid"+s+"}")
		name := goName(first, e.text("godevelcid"+s))
		e.unless("godevelname"+s, name+"-devel")
		e.unless("godevelfilelist"+s, name+"-%{gofilelist}")
		e.unless("godevelsummary"+s, "%{summary}")
		e.unless("godeveldescription"+s, "%{?common_description}")
		e.current(s, "godevelname", "godevelcid", "godevelfilelist", "godevelsummary", "godevelheader")
		b.WriteString(e.sub("%package -n %{currentgodevelname}\nSummary: %{currentgodevelsummary}\n" +
			"BuildRequires: go-rpm-macros\nBuildArch: noarch\n%{?currentgodevelheader}\n" +
			"%description -n %{currentgodevelname}\n"))
		b.WriteString(wordwrap(e.text("godeveldescription"+s) +
			"\n\nThis package contains the source code needed for building packages that reference the following Go import paths:\n – " +
			strings.Join(strings.Fields(paths), "\n – ")))
	}
	return b.String()
}

// goAltPackages is %goaltpkg: packages with links for other import paths.
func goAltPackages(e *Evaluator, c *call) string {
	list := e.suffixes("goaltipaths")
	if c.flags['z'] {
		list = []string{c.options['z']}
	}
	var b strings.Builder
	for _, s := range list {
		var names []string
		paths := map[string][]string{}
		for p := range strings.FieldsFuncSeq(e.text("goaltipaths"+s), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' }) {
			n := goName(p, e.text("gocid"+s))
			if !strings.HasPrefix(n, "compat-") {
				n = "compat-" + n
			}
			if paths[n] == nil {
				names = append(names, n)
			}
			paths[n] = append(paths[n], p)
		}
		for _, n := range names {
			b.WriteString("%package -n " + n + "-devel\n" + e.sub("Summary: %{summary}\nBuildRequires: go-rpm-macros\nBuildArch: noarch\n"))
			for _, p := range paths[n] {
				b.WriteString(e.sub("Obsoletes: " + goName(p, "") + "-devel < %{version}-%{release}\n"))
			}
			b.WriteString("%description -n " + n + "-devel\n" + wordwrap(e.text("common_description")+
				"\n\nThis package provides symbolic links that alias the following Go import paths to "+e.text("goipath"+s)+":\n – "+
				strings.Join(paths[n], "\n – ")))
		}
	}
	return b.String()
}
