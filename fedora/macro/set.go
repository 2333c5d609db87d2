package macro

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"specgraft/overlay/spec"
)

// A Set is an immutable collection of macros under a content hash. It is
// shared between evaluations and never parsed again for each.
type Set struct {
	name   string
	hash   string
	macros map[string]*def
}

// Name returns how the set calls itself: "fedora-43", "fedora-43-srpm", or the
// name an imported set was given.
func (s *Set) Name() string { return s.name }

// Hash returns the hash of the set's content in hex.
func (s *Set) Hash() string { return s.hash }

// Len returns the number of macros.
func (s *Set) Len() int { return len(s.macros) }

//go:embed data
var data embed.FS

// Builtin returns the set that stands for a Fedora 43 installation with the
// macro packages that specs ask for: what `query` evaluates with.
func Builtin() *Set { return builtinSet() }

// SRPM returns the set that stands for Fedora 43's redhat-rpm-config and the
// srpm-macros packages it requires, and nothing else: what the reference tool's
// chroot has when it lists the sources of a spec, and what autospec evaluates
// with.
func SRPM() *Set { return srpmSet() }

var (
	srpmSet = sync.OnceValue(func() *Set {
		return embedded("fedora-43-srpm", "rpm.macros", "redhat.macros", "srpm.macros")
	})
	builtinSet = sync.OnceValue(func() *Set {
		return embedded("fedora-43", "rpm.macros", "redhat.macros", "srpm.macros", "devel.macros")
	})
)

// embedded builds a set from the package's own data files and the macros that
// are computed in Go.
func embedded(name string, files ...string) *Set {
	b := newSetBuilder()
	for _, f := range files {
		text, err := data.ReadFile("data/" + f)
		if err != nil {
			panic(err) // the file is compiled in
		}
		b.load(string(text))
	}
	return b.set(name)
}

// LoadFS builds a set from all files of a directory tree whose name starts with
// "macros." or ends in ".macros", in the order of their paths; of macros
// defined twice the last one counts. A non-nil base is the set they are added
// to.
func LoadFS(name string, fsys fs.FS, base *Set) (*Set, error) {
	b := newSetBuilder()
	if base != nil {
		maps.Copy(b.macros, base.macros)
	}
	var files []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() && IsMacroFile(p) {
			files = append(files, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read macro files: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no macro file (macros.* or *.macros)")
	}
	slices.Sort(files)
	for _, f := range files {
		text, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, fmt.Errorf("read macro files: %w", err)
		}
		b.load(string(text))
	}
	return b.set(name), nil
}

// IsMacroFile reports whether rpm would take a file of this name for a macro
// file.
func IsMacroFile(p string) bool {
	base := p[strings.LastIndexByte(p, '/')+1:]
	if strings.HasPrefix(base, ".") || strings.HasSuffix(base, "~") || strings.Contains(base, ".rpm") {
		return false
	}
	return base == "macros" || strings.HasPrefix(base, "macros.") || strings.HasSuffix(base, ".macros")
}

// Load builds a set from one text in the syntax of macro files, on top of base
// if that is not nil. Macros that are computed in Go are in every set; a text
// that has the Lua program they stand for does not replace them.
func Load(name, text string, base *Set) *Set {
	b := newSetBuilder()
	if base != nil {
		maps.Copy(b.macros, base.macros)
	}
	b.load(text)
	return b.set(name)
}

// Text returns the set in the syntax of macro files, sorted by name. Macros
// that are computed in Go are left out: every set has them.
func (s *Set) Text() string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(s.macros)) {
		d := s.macros[n]
		if d.native != nil {
			continue
		}
		b.WriteByte('%')
		b.WriteString(n)
		if d.param {
			b.WriteString("(" + d.opts + ")")
		}
		b.WriteByte(' ')
		b.WriteString(escapeBody(d.body))
		b.WriteByte('\n')
	}
	return b.String()
}

// escapeBody undoes what reading a body takes away.
func escapeBody(s string) string {
	if s == "" {
		return "%{nil}"
	}
	s = strings.ReplaceAll(s, `\`, `\\`)
	if strings.HasSuffix(s, "\n") || strings.HasSuffix(s, " ") || strings.HasSuffix(s, "\t") {
		s += "%{nil}"
	}
	if s[0] == ' ' || s[0] == '\t' || s[0] == '{' {
		s = "%{nil}" + s
	}
	return strings.ReplaceAll(s, "\n", "\\\n")
}

type setBuilder struct{ macros map[string]*def }

func newSetBuilder() *setBuilder {
	b := &setBuilder{macros: make(map[string]*def, 1024)}
	for _, n := range natives {
		b.macros[n.name] = n
	}
	return b
}

func (b *setBuilder) set(name string) *Set {
	h := sha256.New()
	fmt.Fprintln(h, Version)
	for _, n := range slices.Sorted(maps.Keys(b.macros)) {
		d := b.macros[n]
		fmt.Fprintf(h, "%q %t %q %q %t\n", n, d.param, d.opts, escapeBody(d.body), d.native != nil)
	}
	return &Set{name: name, hash: hex.EncodeToString(h.Sum(nil)), macros: b.macros}
}

func (b *setBuilder) load(text string) {
	for _, d := range parseMacroFile(text) {
		if old := b.macros[d.name]; old != nil && old.native != nil && strings.Contains(d.body, "%{lua:") {
			continue
		}
		b.macros[d.name] = d
	}
}

// parseMacroFile reads the definitions of a macro file. Lines that do not start
// with '%' are comments. A definition goes on while lines end in a backslash or
// a bracket of %{ }, %( ) or %[ ] is open.
func parseMacroFile(text string) []*def {
	text = clean(text)
	var out []*def
	for text != "" {
		n := logicalLine(text)
		line := text[:n]
		text = text[n:]
		line = strings.TrimLeft(line, " \t")
		if !strings.HasPrefix(line, "%") {
			continue
		}
		if d, ok := parseDefinition(line[1:]); ok {
			out = append(out, d)
		}
	}
	return out
}

func parseDefinition(s string) (*def, bool) {
	j := 0
	for j < len(s) && isName(s[j]) {
		j++
	}
	d := &def{name: s[:j]}
	if !validName(d.name) {
		return nil, false
	}
	if j < len(s) && s[j] == '(' {
		k := strings.IndexByte(s[j:], ')')
		if k < 0 {
			return nil, false
		}
		d.opts, d.param = s[j+1:j+k], true
		j += k + 1
	}
	for j < len(s) && (s[j] == ' ' || s[j] == '\t') {
		j++
	}
	if j < len(s) && s[j] == '{' {
		n := match(s[j:], '{', '}')
		if n < 0 {
			return nil, false
		}
		d.body = s[j+1 : j+n]
		return d, d.body != ""
	}
	var ok bool
	d.body, _, ok = freeBody(s[j:])
	return d, ok && d.body != ""
}

// logicalLine returns the length of the first line of s, with the lines that
// continue it and the line end.
func logicalLine(s string) int {
	i := 0
	var b brackets
	for {
		n := strings.IndexByte(s[i:], '\n')
		if n < 0 {
			return len(s)
		}
		b.feed(s[i : i+n+1])
		i += n + 1
		if !b.goesOn() || i >= len(s) {
			return i
		}
	}
}

// brackets tells whether a line goes on: it counts the brackets of macro
// references and sees a backslash at the end.
type brackets struct {
	spec.Brackets
	escaped bool
}

func (b *brackets) goesOn() bool { return b.Open() || b.escaped }

// feed looks at one more line, which ends in "\n" unless it is the last.
func (b *brackets) feed(line string) {
	if !b.Open() {
		b.escaped = strings.HasSuffix(line, "\\\n") || strings.HasSuffix(line, "\\\r\n")
		if strings.IndexByte(line, '%') < 0 && !b.escaped {
			return
		}
	}
	b.escaped = false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			if i+1 < len(line) {
				if line[i+1] == '\n' {
					b.escaped = true
				}
				i++
			}
		case '\n':
			b.escaped = false
		case '%':
			if i+1 < len(line) && (b.Macro(line[i+1]) || line[i+1] == '%') {
				i++
			}
		case '{', '}', '(', ')', '[', ']':
			b.Inner(line[i])
		}
	}
}
