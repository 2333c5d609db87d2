package macro

import (
	"strings"

	"specgraft/overlay/regex"
)

var (
	fontSeps   = regex.Once(`[[:punct:]\s]+`)
	fontStyles = []string{
		// what a face name may end in and a family name does not need:
		// the ordinary, the slant, the width, the weight, one of each
		"normal book regular upright",
		"italic ita ital cursive kursiv oblique inclined backslanted backslant slanted",
		"ultracondensed extra-compressed ext-compressed ultra-compressed ultra-condensed extracondensed compressed extra-condensed ext-condensed extra-cond semicondensed narrow semi-condens semiexpanded wide semi-expanded semi-extended extraexpanded extra-expanded ext-expanded extra-extended ext-extended ultraexpanded ultra-expanded ultra-extended condensed cond expanded extended",
		"thin extra-thin ext-thin ultra-thin extralight extra-light ext-light ultra-light demibold semi-bold demi-bold extrabold extra-bold ext-bold ultra-bold extrablack extra-black ext-black ultra-black bold light medium black heavy nord demi ultra",
	}
)

// fontName derives the name of a font package from foundry and family.
func fontName(s string) string {
	if t := taint(s); t != "" {
		return t
	}
	s = asciiCase(strings.Trim(fontSeps().ReplaceAllString(s, "-"), "-"), 'A', 'Z')
	for _, styles := range fontStyles {
		for x := range strings.FieldsSeq(styles) {
			if rest, ok := strings.CutSuffix(s, "-"+x); ok {
				s = rest
				break
			}
		}
	}
	seen := map[string]bool{"font": true, "fonts": true}
	var words []string
	for w := range strings.SplitSeq(s, "-") {
		if w != "" && !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	return strings.Join(append(words, "fonts"), "-")
}

// fontEnv sets the macros of the font family with the given number.
func (e *Evaluator) fontEnv(suffix string) {
	e.alias("foundry", "fontlicense")
	e.unless("fontlicense", "%{license}")
	if suffix == "" || suffix == "0" {
		e.alias("fontfamily", "fontsummary", "fontdescription", "fontpkgname", "fonthumanname", "fontpkgheader", "fonts", "fontconfs", "fontlicense")
	}
	for _, n := range []string{"foundry", "fontlicense"} {
		if e.table.lookup(n) != nil {
			e.unless(n+suffix, "%{"+n+"}")
		}
	}
	base := e.sub("%{?foundry" + suffix + ":%{foundry" + suffix + "} }%{fontfamily" + suffix + "}")
	e.unless("fontpkgname"+suffix, fontName(base))
	e.unless("fonthumanname"+suffix, base)
	e.unless("fontdir"+suffix, "%{_fontbasedir}/%{fontpkgname"+suffix+"}")
	if suffix == "" || suffix == "0" {
		e.alias("fontpkgname", "fontdir")
	}
	e.current(suffix, "foundry", "fontpkgname", "fonthumanname", "fontpkgheader", "fontdir", "fontfamily", "fontlicense",
		"fontsummary", "fontdescription")
}

// fontPackages is %fontpkg: the header of one package, or of all with -a.
func fontPackages(e *Evaluator, c *call) string {
	list := []string{c.options['z']}
	if c.flags['a'] && !c.flags['z'] {
		list = e.suffixes("fontfamily")
	}
	var b strings.Builder
	for _, s := range list {
		e.fontEnv(s)
		sub := !c.flags['m'] && (c.flags['s'] || s != "" && s != "0")
		if sub {
			b.WriteString("%package -n ")
		} else {
			b.WriteString("Name: ")
		}
		b.WriteString(e.sub("%{currentfontpkgname}\nSummary: %{currentfontsummary}\nLicense: %{currentfontlicense}\n" +
			"BuildArch: noarch\nBuildRequires: fonts-rpm-macros\nRequires: fontpackages-filesystem\n" +
			"%{?currentfontpkgheader}\n%description -n %{currentfontpkgname}\n"))
		b.WriteString(wordwrap(e.text("currentfontdescription")) + "\n")
	}
	return b.String()
}

// fontMetaPackage is %fontmetapkg: a package that requires the others.
func fontMetaPackage(e *Evaluator, c *call) string {
	name := c.options['n']
	if name == "" {
		name = strings.TrimSuffix(e.text("name"), "-fonts") + "-fonts-all"
	}
	summary := "All the font packages, generated from " + e.text("name")
	if v := c.options['s']; v != "" {
		summary = e.text(v)
	}
	description := "This meta-package installs all the font packages, generated from the " + e.text("name") + " source package."
	if v := c.options['d']; v != "" {
		description = e.text(v)
	}
	list := e.suffixes("fontpkgname")
	if z := c.options['z']; z != "" {
		list = strings.FieldsFunc(z, func(r rune) bool { return r == ',' || r == ' ' })
	}
	var b strings.Builder
	b.WriteString("%package -n " + name + "\nSummary: " + summary + "\n")
	for _, s := range list {
		if f := e.text("fontpkgname" + s); f != "" {
			b.WriteString("Requires(meta): " + f + e.sub(" = %{version}-%{release}\n"))
		}
	}
	b.WriteString("BuildArch: noarch\n%description -n " + name + "\n" + wordwrap(description) + "\n%files -n " + name + "\n\n")
	return b.String()
}
