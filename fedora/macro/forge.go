package macro

import (
	"regexp"
	"strings"

	"specgraft/overlay/regex"
)

// A forge is what %forgemeta knows about a hosting service. The texts are macro
// bodies in which @ stands for the number of the source.
type forge struct {
	name        string
	host        func() *regexp.Regexp // of the whole URL
	repo        func() *regexp.Regexp // first group: the repository
	owner       func() *regexp.Regexp
	namespace   func() *regexp.Regexp
	archiveext  string
	archivename string
	archiveurl  string
	topdir      string
	noTopdir    bool
}

// forges lists the services in the order in which a URL is tried against them.
var forges = []forge{
	{name: "pagure_ns_fork", host: regex.Once(`^https://pagure\.io/fork/[^/]+/[^/]+/[^/#?]+`),
		owner: regex.Once(`/fork/([^/]+)/`), namespace: regex.Once(`/fork/[^/]+/([^/]+)/`),
		repo:       regex.Once(`/fork/[^/]+/[^/]+/([^/?#]+)`),
		archiveext: "tar.gz", archivename: "%{owner@}-%{namespace@}-%{repo@}-%{ref@}",
		archiveurl: "%{forgeurl@}/archive/%{ref@}/%{archivename@}.%{archiveext@}"},
	{name: "pagure_fork", host: regex.Once(`^https://pagure\.io/fork/[^/]+/[^/#?]+`),
		owner: regex.Once(`/fork/([^/]+)/`), repo: regex.Once(`/fork/[^/]+/([^/?#]+)`),
		archiveext: "tar.gz", archivename: "%{owner@}-%{repo@}-%{ref@}",
		archiveurl: "%{forgeurl@}/archive/%{ref@}/%{archivename@}.%{archiveext@}"},
	{name: "pagure_ns", host: regex.Once(`^https://pagure\.io/[^/]+/[^/#?]+`),
		namespace: regex.Once(`^[^:]+://[^/]+/([^/]+)/`), repo: regex.Once(`^[^:]+://[^/]+/[^/]+/([^/?#]+)`),
		archiveext: "tar.gz", archivename: "%{namespace@}-%{repo@}-%{ref@}",
		archiveurl: "%{forgeurl@}/archive/%{ref@}/%{archivename@}.%{archiveext@}"},
	{name: "pagure", host: regex.Once(`^https://pagure\.io/[^/#?]+`), repo: regex.Once(`^[^:]+://[^/]+/([^/?#]+)`),
		archiveext: "tar.gz", archiveurl: "%{forgeurl@}/archive/%{ref@}/%{archivename@}.%{archiveext@}"},
	{name: "gitlab", host: regex.Once(`^https://(?:gitlab[.-][^/]*|[^/]*[.-]gitlab\.[^/]*)/[^#?]+`),
		repo:       regex.Once(`^[^:]+://[^?#]+/([^/?#]+)`),
		archiveurl: "%{forgeurl@}/-/archive/%{ref@}/%{archivename@}.%{archiveext@}"},
	{name: "github", host: regex.Once(`^https://(?:github[.-][^/]*|[^/]*[.-]github\.[^/]*)/[^/]+/[^/#?]+`),
		archiveext: "tar.gz", archivename: "%{repo@}-%{fileref@}",
		archiveurl: "%{forgeurl@}/archive/%{ref@}/%{archivename@}.%{archiveext@}"},
	{name: "sourcehut", host: regex.Once(`^https://git\.sr\.ht/~[^/]+/[^/#?]+`),
		archiveext: "tar.gz", archivename: "%{repo@}-%{fileref@}",
		archiveurl: "%{forgeurl@}/archive/%{ref@}.%{archiveext@}", topdir: "%{repo@}-%{ref@}"},
	{name: "gitea", host: regex.Once(`^https://(?:gitea\.com|codeberg\.org)/[^/]+/[^/#?]+`),
		archiveext: "tar.gz", archivename: "%{fileref@}",
		archiveurl: "%{forgeurl@}/archive/%{ref@}.%{archiveext@}", topdir: "%{repo@}"},
	{name: "googlesource", host: regex.Once(`^https://code\.googlesource\.com/[^#?]*[^/#?]+`),
		repo: regex.Once(`^[^:]+://.+/([^/?#]+)`), archiveext: "tar.gz",
		archiveurl: "%{forgeurl@}/+archive/%{ref@}.%{archiveext@}", noTopdir: true},
	{name: "bitbucket", host: regex.Once(`^https://bitbucket\.org/[^/]+/[^/#?]+`),
		owner: regex.Once(`^[^:]+://[^/]+/([^/?#]+)`), archivename: "%{owner@}-%{repo@}-%{shortcommit@}",
		archiveurl: "%{forgeurl@}/get/%{ref@}.%{archiveext@}"},
}

var (
	forgeRepo    = regex.Once(`^[^:]+://[^/]+/[^/]+/([^/?#]+)`)
	forgeVTag    = regex.Once(`^v[0-9]`)
	forgePunct   = regex.Once(`[[:punct:]\s]+`)
	forgeNewPart = regex.Once(`^\.?[0-9]`)
)

// forgeMeta is %forgemeta: it derives the URL and the name of the source
// archive from the URL of the project and a tag, a commit or the version.
func forgeMeta(e *Evaluator, c *call) string {
	list := []string{c.options['z']}
	if c.flags['a'] && !c.flags['z'] {
		list = e.suffixes("forgeurl")
	}
	for _, s := range list {
		e.forge(s, c.flags['s'])
	}
	return ""
}

// forge sets the macros for the source with the given number.
func (e *Evaluator) forge(suffix string, silent bool) {
	main := suffix == "" || suffix == "0"
	shared := []string{"forgeurl", "forgesource", "forgesetupargs", "archivename", "archiveext", "archiveurl",
		"topdir", "extractdir", "repo", "owner", "namespace", "scm", "tag", "commit", "shortcommit", "branch",
		"version", "date", "distprefix"}
	if main {
		e.alias(shared...)
	}
	kind := ""
	for _, k := range []string{"tag", "commit", "branch", "version"} {
		if e.text(k+suffix) != "" {
			kind = k
			break
		}
	}
	if kind == "" {
		e.fail("macro/error", "%%forgemeta needs Version, %%{commit%s} or %%{tag%s} before it", suffix, suffix)
		return
	}
	ref := "%{?" + kind + suffix + "}"
	url := e.text("forgeurl" + suffix)
	if hasUnknown(url) {
		for _, n := range []string{"forgesource", "archivename", "archiveext", "archiveurl", "repo", "topdir", "extractdir", "forgesetupargs"} {
			e.unless(n+suffix, url)
		}
		return
	}
	var f *forge
	for i := range forges {
		if m := forges[i].host().FindString(url); m != "" {
			f, url = &forges[i], m
			break
		}
	}
	if f == nil && url != "" && !silent && !strings.Contains(strings.TrimPrefix(url, "https://"), "/") {
		e.fail("macro/error", "%%forgemeta: the URL %s must have a protocol and a path", excerpt(url))
		return
	}
	if f != nil {
		e.set("forgeurl"+suffix, url)
		if !e.forgeRef(f, suffix, kind, ref) {
			return
		}
		e.forgeParts(f, suffix, url)
	}
	e.forgeArchive(suffix, main)
	e.forgeDist(suffix, kind, main)
	if main {
		e.alias(shared...)
	}
}

// forgeRef sets what the forge calls the tag, commit or version, in addresses and
// in names of files. It is false when something is missing for that.
func (e *Evaluator) forgeRef(f *forge, suffix, kind, ref string) bool {
	fileref := ref
	now := e.sub(ref)
	switch f.name {
	case "github":
		switch {
		case kind == "version":
			ref = "v" + ref
		case kind != "commit" && forgeVTag().MatchString(now):
			fileref = strings.TrimPrefix(now, "v")
		case strings.Contains(now, "/"):
			fileref = strings.ReplaceAll(now, "/", "-")
		}
		e.unless("fileref"+suffix, fileref)
	case "gitea":
		e.unless("fileref"+suffix, strings.ReplaceAll(now, "/", "-"))
	case "sourcehut":
		switch {
		case kind != "commit" && forgeVTag().MatchString(now):
			fileref = strings.TrimPrefix(now, "v")
		case strings.Contains(now, "/"):
			fileref = strings.ReplaceAll(now, "/", "-")
		}
		e.unless("fileref"+suffix, fileref)
	case "googlesource":
		if kind == "version" {
			ref = "v" + ref
		}
	case "bitbucket":
		commit := e.text("commit" + suffix)
		if commit == "" {
			e.fail("macro/error", "%%forgemeta: Bitbucket needs %%{commit%s}", suffix)
			return false
		}
		e.unless("shortcommit"+suffix, commit[:min(12, len(commit))])
	}
	e.unless("ref"+suffix, ref)
	return true
}

// forgeParts sets the parts of the URL and what the forge makes of them.
func (e *Evaluator) forgeParts(f *forge, suffix, url string) {
	part := func(name string, re func() *regexp.Regexp) {
		if re != nil {
			if m := re().FindStringSubmatch(url); m != nil {
				e.unless(name+suffix, m[1])
			}
		}
	}
	part("owner", f.owner)
	part("namespace", f.namespace)
	part("repo", f.repo)
	part("repo", forgeRepo)
	e.unless("scm"+suffix, "git")
	def := func(name, v, deflt string) {
		if v == "" {
			v = deflt
		}
		e.unless(name+suffix, strings.ReplaceAll(v, "@", suffix))
	}
	def("archiveext", f.archiveext, "tar.bz2")
	def("archivename", f.archivename, "%{repo@}-%{ref@}")
	def("archiveurl", f.archiveurl, "%{nil}")
	if f.noTopdir {
		e.unless("topdir"+suffix, "")
	} else {
		def("topdir", f.topdir, "%{archivename@}")
	}
}

// forgeArchive sets where the archive is, and how %setup unpacks it.
func (e *Evaluator) forgeArchive(suffix string, main bool) {
	at := func(s string) string { return strings.ReplaceAll(s, "@", suffix) }
	archiveurl := e.text("archiveurl" + suffix)
	name, ext := e.text("archivename"+suffix), e.text("archiveext"+suffix)
	source := at("%{archiveurl@}")
	if archiveurl[strings.LastIndexByte(archiveurl, '/')+1:] != name+"."+ext {
		source = at("%{?archiveurl@}#/%{?archivename@}.%{archiveext@}")
	}
	e.unless("forgesource"+suffix, source)
	setup, extract := at("-n %{extractdir@}"), at("%{topdir@}")
	empty := e.text("topdir"+suffix) == ""
	if empty {
		setup, extract = "-c "+setup, at("%{archivename@}")
	}
	if !main {
		flag := "-b "
		if empty {
			flag = "-a "
		}
		setup = "-T -D " + flag + suffix + " " + setup
	}
	e.unless("forgesetupargs"+suffix, setup)
	e.unless("extractdir"+suffix, extract)
}

// forgeDist sets what tells a snapshot from a release: date, kind and id.
func (e *Evaluator) forgeDist(suffix, kind string, main bool) {
	var p string
	version := e.text("version")
	if kind != "version" {
		p = asciiCase(e.sub("%{?"+kind+suffix+"}"), 'A', 'Z')
		switch kind {
		case "commit":
			p = p[:min(7, len(p))]
		case "tag":
			p = forgePunct().ReplaceAllString(p, ".")
			if repo := asciiCase(e.text("repo"), 'A', 'Z'); repo != "" {
				p = strings.TrimPrefix(strings.TrimPrefix(p, repo), ".")
			}
			v := forgePunct().ReplaceAllString(version, ".")
			for _, x := range []string{"", "v", "v.", "version", "version.", "tags.v", "tags.v."} {
				if rest, ok := strings.CutPrefix(p, x+v); ok && !forgeNewPart().MatchString(rest) {
					p = rest
				}
			}
			p = strings.TrimPrefix(p, ".")
		}
		if p != "" {
			p = e.text("scm"+suffix) + p
			date := e.text("date" + suffix)
			if date == "" {
				date = e.unknown("the date of the source archive is not known, set %{date" + suffix + "}")
			}
			p = "." + date + p
		}
	}
	if v := e.text("version" + suffix); v != "" && v != "0" && v != version {
		p = "." + v + p
	}
	if p == "" {
		return
	}
	if !main {
		p = ".s" + strings.TrimPrefix(p, ".")
	}
	e.unless("distprefix"+suffix, p)
	e.unless("_forgeversionsuffix"+suffix, p)
}

// forgeVersion is %forgeversion: the version with the snapshot behind a '^'.
func forgeVersion(e *Evaluator, c *call) string {
	suffix, sep := c.options['z'], "^"
	if p, ok := c.options['p']; ok {
		sep = p
	}
	v := e.text("version" + suffix)
	if v == "" {
		v = e.text("version")
	}
	if s := strings.TrimPrefix(e.text("_forgeversionsuffix"+suffix), "."); s != "" {
		return v + sep + s
	}
	return v
}

// forgeSetup is %forgesetup: it unpacks the source archives of %forgemeta.
func forgeSetup(e *Evaluator, c *call) string {
	list := []string{c.options['z']}
	if c.flags['a'] && !c.flags['z'] {
		list = e.suffixes("forgesetupargs")
	}
	quiet := "-q "
	if c.flags['v'] {
		quiet = ""
	}
	var b strings.Builder
	for _, s := range list {
		b.WriteString(e.sub("%setup "+quiet+"%{forgesetupargs"+s+"}") + "\n")
	}
	return b.String()
}
