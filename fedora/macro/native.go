package macro

import (
	"slices"
	"strconv"
	"strings"

	"specgraft/overlay/regex"
)

// natives are macros of Fedora's packages that are computed in Go, because the
// originals are Lua programs with libraries of their own, and because Go keeps
// apart what is known and what is not. Each has a stand-in for rpm in
// data/native.macros.
var natives = []*def{
	{name: "autorelease", param: true, opts: "e:s:pb:n", native: autorelease},
	{name: "autochangelog", native: func(e *Evaluator, _ *call) string {
		return e.unknown("%autochangelog is made from the history of the package")
	}},

	{name: "autopatch", param: true, opts: "vp:m:M:q", native: autopatch},

	{name: "pypi_source", param: true, native: pypiSource},
	{name: "py_dist_name", param: true, native: func(e *Evaluator, c *call) string { return distName(argument(c, 0)) }},
	{name: "py2_dist", param: true, native: func(e *Evaluator, c *call) string { return distNames("python2dist", c) }},
	{name: "py3_dist", param: true, native: func(e *Evaluator, c *call) string {
		return distNames("python"+e.text("python3_pkgversion")+"dist", c)
	}},
	{name: "py_provides", param: true, native: pyProvides},
	{name: "python_extras_subpkg", param: true, opts: "n:i:f:FaA", native: extrasSubpackage},

	{name: "crates_source", param: true, native: cratesSource},
	{name: "version_no_tilde", param: true, native: func(e *Evaluator, c *call) string {
		sep, ver := "-", e.textOr("version")
		if len(c.args) > 0 {
			sep = c.args[0]
		}
		if len(c.args) > 1 {
			ver = c.args[1]
		}
		return strings.ReplaceAll(ver, "~", sep)
	}},
	{name: "ansible_collection_url", param: true, native: func(e *Evaluator, c *call) string {
		name := e.text("collection_namespace") + "/" + e.text("collection_name")
		if len(c.args) > 1 {
			name = c.args[0] + "/" + c.args[1]
		}
		if strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") {
			e.fail("macro/error", "%%ansible_collection_url needs the namespace and the name of the collection")
			return ""
		}
		return e.text("__ansible_galaxy_collection_url") + "/" + name
	}},
	{name: "ocaml_pkg", param: true, opts: "d", native: ocamlPackage},
	{name: "constrain_build", param: true, opts: "c:m:", native: constrainBuild},
	{name: "wordwrap", param: true, opts: "v:", native: func(e *Evaluator, c *call) string {
		v := c.options['v']
		if v == "" {
			v = "_description"
		}
		return wordwrap(e.text(v))
	}},
	{name: "new_package", param: true, opts: "n:v", native: newPackage},

	{name: "forgemeta", param: true, opts: "u:z:isva", native: forgeMeta},
	{name: "forgesetup", param: true, opts: "az:v", native: forgeSetup},
	{name: "forgeversion", param: true, opts: "z:p:", native: forgeVersion},
	{name: "gometa", param: true, opts: "az:sviLf", native: goMeta},
	{name: "gorpmname", param: true, native: func(e *Evaluator, c *call) string { return goName(argument(c, 0), "") }},
	{name: "godevelpkg", param: true, opts: "az:v", native: goDevelPackages},
	{name: "goaltpkg", param: true, opts: "az:v", native: goAltPackages},
	{name: "gopkg", param: true, opts: "az:v", native: func(e *Evaluator, c *call) string {
		return goDevelPackages(e, c) + goAltPackages(e, c)
	}},
	{name: "fontpkg", param: true, opts: "msz:av", native: fontPackages},
	{name: "fontmetapkg", param: true, opts: "n:s:d:z:", native: fontMetaPackage},
}

// argument returns the i-th argument of a call, or "".
func argument(c *call, i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

// text returns what %{?name} expands to.
func (e *Evaluator) text(name string) string { return e.sub("%{?" + name + "}") }

// textOr returns what %name expands to: the reference itself when the macro is
// not defined.
func (e *Evaluator) textOr(name string) string { return e.sub("%" + name) }

// set defines a macro for the rest of the spec, "" as an empty one.
func (e *Evaluator) set(name, body string) {
	if body == "" {
		body = "%{nil}"
	}
	e.table.push(&def{name: name, body: body, pos: e.pos})
}

// unless defines a macro that is not defined yet.
func (e *Evaluator) unless(name, body string) {
	if e.table.lookup(name) == nil {
		e.set(name, body)
	}
}

// alias makes name and name0 the same where only one of them is set: the macros
// of forge, Go and fonts number what belongs together and take no number for 0.
func (e *Evaluator) alias(names ...string) {
	for _, n := range names {
		if e.text(n) != "" {
			e.unless(n+"0", "%{?"+n+"}")
		}
	}
	for _, n := range names {
		if e.text(n+"0") != "" {
			e.unless(n, "%{?"+n+"0}")
		}
	}
}

// current points currentNAME to NAME with the suffix.
func (e *Evaluator) current(suffix string, names ...string) {
	for _, n := range names {
		if e.text(n+suffix) != "" {
			e.set("current"+n, "%{"+n+suffix+"}")
		} else if e.table.lookup("current"+n) != nil {
			e.set("current"+n, "")
		}
	}
}

// suffixes returns the numbers for which a macro has a value, in order; the
// one without a number counts when it is not that of 0.
func (e *Evaluator) suffixes(name string) []string {
	e.alias(name)
	var out []string
	zero := e.text(name + "0")
	if v := e.text(name); v != "" && v != zero {
		out = append(out, "")
	}
	var numbers []int
	for n := range e.table.layer {
		if rest, ok := strings.CutPrefix(n, name); ok && rest != "" && len(rest) < 5 {
			if i, err := strconv.Atoi(rest); err == nil && strconv.Itoa(i) == rest && i >= 0 {
				numbers = append(numbers, i)
			}
		}
	}
	slices.Sort(numbers)
	for _, i := range numbers {
		if s := strconv.Itoa(i); e.text(name+s) != "" {
			out = append(out, s)
		}
	}
	return out
}

// autorelease computes the release as the macro of redhat-rpm-config does
// without rpmautospec having looked at the history.
func autorelease(e *Evaluator, c *call) string {
	n := "1"
	if r := e.text("_rpmautospec_release_number"); r != "" {
		n = r
	}
	if b, ok := c.options['b']; ok {
		x, err1 := strconv.Atoi(n)
		y, err2 := strconv.Atoi(b)
		switch {
		case hasUnknown(n + b):
			n = taint(n + b)
		case err1 != nil || err2 != nil:
			e.fail("macro/error", "%%autorelease: %q is not a release number", excerpt(b))
			return ""
		default:
			n = strconv.Itoa(x + y - 1)
		}
	}
	var s string
	if c.flags['p'] {
		s = "0."
	}
	s += n
	if v := c.options['e']; v != "" {
		s += "." + v
	}
	if v := c.options['s']; v != "" {
		s += "." + v
	}
	if !c.flags['n'] {
		s += e.text("dist")
	}
	return s
}

// first returns the value of the first macro that is defined, and the
// reference to the last one when none is.
func (e *Evaluator) first(names ...string) string {
	for _, n := range names {
		if e.table.lookup(n) != nil {
			return e.textOr(n)
		}
	}
	return "%" + names[len(names)-1]
}

func pypiSource(e *Evaluator, c *call) string {
	src := argument(c, 0)
	if src == "" {
		src = e.first("srcname", "pypi_name", "name")
	}
	ver := argument(c, 1)
	if ver == "" {
		ver = strings.ReplaceAll(e.textOr("version"), "~", "")
	}
	ext := argument(c, 2)
	if ext == "" {
		ext = e.text("__pypi_default_extension")
	}
	initial := taint(src)
	if src != "" && !strings.HasPrefix(src, "\x00") {
		initial = src[:1]
	}
	return e.text("__pypi_url") + initial + "/" + src + "/" + src + "-" + ver + "." + ext
}

func cratesSource(e *Evaluator, c *call) string {
	crate := argument(c, 0)
	if crate == "" {
		crate = e.first("crate", "name")
	}
	ver := argument(c, 1)
	if ver == "" {
		ver = e.first("crate_version", "version")
	}
	ver = strings.ReplaceAll(ver, "~", "-")
	return e.text("__crates_url") + crate + "/" + ver + "/download#/" + crate + "-" + ver + ".crate"
}

// distName canonicalises a Python distribution's name as PEP 503 does, but
// leaves extras in brackets alone.
func distName(s string) string {
	var b strings.Builder
	dash := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == mark:
			t := taint(s[i:])
			if t == "" {
				return b.String()
			}
			b.WriteString(t)
			i += len(t) - 1
			dash = false
			continue
		case 'A' <= c && c <= 'Z':
			c |= 0x20
			fallthrough
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '[', c == ']':
			b.WriteByte(c)
			dash = false
		default:
			if !dash {
				b.WriteByte('-')
			}
			dash = true
		}
	}
	return b.String()
}

func distNames(prefix string, c *call) string {
	var b strings.Builder
	for _, a := range c.args {
		if a == "" {
			break
		}
		b.WriteString(prefix + "(" + distName(a) + ") ")
	}
	return b.String()
}

var pythonName = regex.Once(`^(python)(3|3\.[0-9]+|)(-.*)$`)

// pyProvides provides a Python package under its other names: python3-x of the
// main Python is also python-x and python3.N-x.
func pyProvides(e *Evaluator, c *call) string {
	name := argument(c, 0)
	if name == "" {
		e.fail("macro/error", "%%py_provides needs the name to provide")
		return ""
	}
	evr := argument(c, 1)
	if evr == "" {
		evr = e.sub("%{?epoch:%{epoch}:}%{version}-%{release}")
	}
	out := "Provides: " + name + " = " + evr + "\n"
	full := "3." + strings.TrimPrefix(e.text("__default_python3_version"), "3.")
	if m := pythonName().FindStringSubmatch(name); m != nil {
		for _, v := range []string{"", "3", full} {
			if v != m[2] && (m[2] == "3" || m[2] == "" || m[2] == full) {
				out += "Provides: python" + v + m[3] + " = " + evr + "\n"
			}
		}
	}
	return out
}

// extrasSubpackage declares a metapackage for each extra of a Python package.
func extrasSubpackage(e *Evaluator, c *call) string {
	base := c.options['n']
	if base == "" || len(c.args) == 0 {
		e.fail("macro/error", "%%%s needs the option -n and the names of extras", c.name)
		return ""
	}
	given := 0
	for _, o := range []byte("ifF") {
		if c.flags[o] {
			given++
		}
	}
	if given != 1 || c.flags['a'] && c.flags['A'] {
		e.fail("macro/error", "%%%s takes one of the options -i, -f and -F, and one of -a and -A or none", c.name)
		return ""
	}
	var b strings.Builder
	for _, a := range c.args {
		for x := range strings.SplitSeq(a, ",") {
			if x == "" {
				continue
			}
			name := base + "+" + x
			b.WriteString("%package -n " + name + "\nSummary: Metapackage for " + base + ": " + x + " extras\n")
			b.WriteString("Requires: " + base + e.sub(" = %{?epoch:%{epoch}:}%{version}-%{release}") + "\n")
			if c.flags['a'] {
				b.WriteString("BuildArch: noarch\n")
			}
			b.WriteString("%description -n " + name + "\n")
			line := "This is a metapackage bringing in"
			for _, w := range []string{x, "extras", "requires", "for", base + "."} {
				if len(line)+1+len(w) > 79 {
					b.WriteString(line + "\n")
					line = w
				} else {
					line += " " + w
				}
			}
			b.WriteString(line + "\nIt makes sure the dependencies are installed.\n\n")
			switch {
			case c.flags['i']:
				b.WriteString("%files -n " + name + "\n%ghost " + c.options['i'] + "\n")
			case c.flags['f']:
				b.WriteString("%files -n " + name + " -f " + c.options['f'] + "\n")
			default:
				b.WriteString("\n")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// ocamlPackage leaves out the architectures without OCaml. Where there is no
// compiler to native code, nothing has debugging information, unless -d says so.
func ocamlPackage(e *Evaluator, c *call) string {
	if !c.flags['d'] && !strings.Contains(e.text("ocaml_native_compiler"), e.text("_target_cpu")) {
		e.set("debug_package", "")
	}
	return "ExcludeArch: " + e.text("ix86") + "\n"
}

// constrainBuild lowers the number of processors that a build uses: to -c, or
// to what -m megabytes for each leave of the memory, or to one.
func constrainBuild(e *Evaluator, c *call) string {
	limit := map[byte]int{}
	for _, o := range []byte("cm") {
		v, given := c.options[o]
		if !given {
			continue
		}
		n, err := strconv.Atoi(v)
		if (err != nil || n < 1) && !hasUnknown(v) {
			e.fail("macro/error", "%%constrain_build: -%c takes a positive number, not %q", o, excerpt(v))
			return ""
		}
		limit[o] = n
	}
	if len(limit) == 0 {
		limit['c'] = 1
	}
	n, err := strconv.Atoi(e.text("_smp_build_ncpus"))
	_, memory := limit['m']
	switch {
	case limit['c'] == 1 || n == 1:
		e.set("_smp_build_ncpus", "1")
	case memory || err != nil || c.taint != "":
		e.set("_smp_build_ncpus", "%{getncpus}")
	default:
		e.set("_smp_build_ncpus", strconv.Itoa(min(n, limit['c'])))
	}
	return ""
}

// newPackage stands for Name: at its first call and for %package later.
func newPackage(e *Evaluator, c *call) string {
	source := e.text("source_name")
	name, suffix := c.options['n'], argument(c, 0)
	first := e.table.lookup("name") == nil && e.table.lookup("currentname") == nil
	switch {
	case name == "" && suffix == "" && source == "":
		e.fail("macro/error", "%%new_package needs a name or %%{source_name}")
		return ""
	case suffix != "":
		e.set("currentname", "%{source_name}-"+suffix)
		return "%package " + suffix
	case name == "":
		name = source
	}
	e.set("currentname", name)
	if source == "" {
		source = name
		e.unless("source_name", name)
	}
	if name == source {
		return "Name: " + name
	}
	out := ""
	if first {
		out = e.sub("Name: %{source_name}\nSummary: %{source_summary}\n%description\n") + wordwrap(e.text("source_description"))
	}
	return out + "%package -n " + name
}

// wordwrap lays out a description: blank lines at both ends go, several become
// one, lines are filled up to 80 columns.
func wordwrap(s string) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimSpace(s), "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" {
			if len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, "")
			}
			continue
		}
		for len(line) > 80 {
			i := strings.LastIndexByte(line[:81], ' ')
			if i <= 0 {
				break
			}
			out = append(out, line[:i])
			line = strings.TrimLeft(line[i:], " ")
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n") + "\n"
}
