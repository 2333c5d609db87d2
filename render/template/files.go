package template

import (
	"fmt"
	"go/token"
	"path"
	"strings"
	"time"
)

// installed writes the commands that put files carried next to the TOML into
// the build root. Each is addressed by its Source number, so that its name
// never meets the shell.
func installed(s *Spec) (lines, error) {
	var out lines
	place := func(file, mode, dest string, from ...token.Position) {
		out.add(fmt.Sprintf("install -Dpm %s %%{SOURCE%d} %%{buildroot}%s", mode, s.number(file), dest), from...)
	}
	for _, p := range s.All() {
		for _, c := range p.Configs {
			dest, err := c.Path.Escaped()
			if err != nil {
				return nil, err
			}
			place(c.Source.S, orText(c.Mode.S, "0644"), shellWord(dest), c.Source.Pos, c.Path.Pos)
		}
		base := p.declared(s)
		for _, u := range p.Units {
			place(u.File, "0644", "%{_unitdir}/"+shellWord(escapePercent(u.File)), u.Value.Pos)
		}
		for i, u := range p.Sysusers {
			place(u.File, "0644", "%{_sysusersdir}/"+numberedName(base, i)+".conf", u.Value.Pos)
		}
		for i, u := range p.Tmpfiles {
			place(u.File, "0644", "%{_tmpfilesdir}/"+numberedName(base, i)+".conf", u.Value.Pos)
		}
	}
	for _, u := range s.Presets {
		place(u.File, "0644", "%{_presetdir}/"+shellWord(escapePercent(u.File)), u.Value.Pos)
	}
	return out, nil
}

// declared is the base name of a package's sysusers and tmpfiles files: the
// package's own name, as systemd's packaging rules ask.
func (p *Package) declared(s *Spec) string {
	switch {
	case p == &s.Package:
		return "%{name}"
	case p.FullName:
		return p.Name.S
	}
	return "%{name}-" + p.Name.S
}

func numberedName(base string, i int) string {
	if i == 0 {
		return base
	}
	return fmt.Sprintf("%s-%d", base, i)
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func escapePercent(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// shellWord quotes an escaped path for the shell when it holds anything
// but the letters that paths and macros are made of.
func shellWord(s string) string {
	for _, r := range s {
		if !strings.ContainsRune("/._-+@%{}?:", r) && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') {
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return s
}

// fileList writes a %files section: licences, documents, files as written,
// then what the declarations installed.
func fileList(s *Spec, v any) (lines, error) {
	p, err := asPackage(v)
	if err != nil {
		return nil, err
	}
	var out lines
	add := func(prefix string, list []Text) error {
		for _, t := range list {
			e, err := t.Escaped()
			if err != nil {
				return err
			}
			out.add(prefix+e, t.Pos)
		}
		return nil
	}
	if err := add("%license ", p.Licenses); err != nil {
		return nil, err
	}
	if err := add("%doc ", p.Docs); err != nil {
		return nil, err
	}
	if err := add("", p.Files); err != nil {
		return nil, err
	}
	for _, c := range p.Configs {
		dest, err := c.Path.Escaped()
		if err != nil {
			return nil, err
		}
		attr := ""
		if c.Owner.S != "" || c.Group.S != "" {
			attr = fmt.Sprintf("%%attr(-, %s, %s) ", orText(c.Owner.S, "root"), orText(c.Group.S, "root"))
		}
		kind := ""
		if c.Config {
			kind = "%config "
			if c.NoReplace {
				kind = "%config(noreplace) "
			}
		}
		if strings.ContainsAny(dest, " \t") {
			dest = `"` + dest + `"`
		}
		out.add(attr+kind+dest, c.Path.Pos, c.Source.Pos, c.Owner.Pos, c.Group.Pos)
	}
	base := p.declared(s)
	for _, u := range p.Units {
		out.add("%{_unitdir}/"+escapePercent(u.File), u.Value.Pos)
	}
	for i, u := range p.Sysusers {
		out.add("%{_sysusersdir}/"+numberedName(base, i)+".conf", u.Value.Pos)
	}
	for i, u := range p.Tmpfiles {
		out.add("%{_tmpfilesdir}/"+numberedName(base, i)+".conf", u.Value.Pos)
	}
	if p == &s.Package {
		for _, u := range s.Presets {
			out.add("%{_presetdir}/"+escapePercent(u.File), u.Value.Pos)
		}
	}
	return out, nil
}

// scriptlets writes what Fedora's scriptlet rules ask for units. Users and
// temporary files need none: rpm and systemd create them from the installed
// declarations.
func scriptlets(v any) (lines, error) {
	p, err := asPackage(v)
	if err != nil || len(p.Units) == 0 {
		return nil, err
	}
	var names []string
	var from []token.Position
	for _, u := range p.Units {
		if strings.Contains(path.Base(u.File), "@.") {
			continue // a template unit has no instance to act on
		}
		names = append(names, escapePercent(u.File))
		from = append(from, u.Value.Pos)
	}
	if len(names) == 0 {
		return nil, nil
	}
	suffix := ""
	if _, main := v.(*Spec); !main {
		suffix = " " + p.Header().S
	}
	all := strings.Join(names, " ")
	var out lines
	for i, s := range [][2]string{{"post", "systemd_post"}, {"preun", "systemd_preun"}, {"postun", "systemd_postun_with_restart"}} {
		if i > 0 {
			out.add("")
		}
		out.add("%"+s[0]+suffix, from...)
		out.add("%"+s[1]+" "+all, from...)
	}
	return out, nil
}

// changelog writes hand-written entries, or leaves it to the release rules.
func changelog(s *Spec) (lines, error) {
	var out lines
	if len(s.Changelog) == 0 {
		// A static release goes with a hand-written changelog, even an empty
		// one: there may be no history to make entries from.
		if s.Release.S == "" {
			out.add("%autochangelog")
		}
		return out, nil
	}
	for i, c := range s.Changelog {
		if i > 0 {
			out.add("")
		}
		day, err := time.Parse(time.DateOnly, c.Date.S)
		if err != nil {
			return nil, &valueError{c.Date.Pos, fmt.Sprintf("%q is not a date of the form YYYY-MM-DD", c.Date.S)}
		}
		author, err := c.Author.Escaped()
		if err != nil {
			return nil, err
		}
		head := "* " + day.Format("Mon Jan 02 2006") + " " + author
		if c.Version.S != "" {
			v, err := c.Version.Escaped()
			if err != nil {
				return nil, err
			}
			head += " - " + v
		}
		out.add(head, c.Date.Pos, c.Author.Pos)
		for _, item := range c.Items {
			e, err := item.Escaped()
			if err != nil {
				return nil, err
			}
			out.add("- "+e, item.Pos)
		}
	}
	return out, nil
}
