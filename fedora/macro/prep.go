package macro

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
)

// prepMacros exist in %prep only. rpm turns them into shell commands; what
// stands here follows rpm 4.18, which does not quote the names of archives, with
// the option -C of rpm 4.20. As in rpm 4.20, they are macros: they need not
// stand at the start of a line. numberedPatch has the %patchN of older ones.
var prepMacros = []*def{
	{name: "setup", param: true, opts: "-", native: setup},
	{name: "patch", param: true, opts: "-", native: patch},
}

// enterPrep and leavePrep bound the part of the spec that has them.
func (st *specState) enterPrep() {
	for _, d := range prepMacros {
		d := *d
		st.e.table.push(&d)
	}
}

func (st *specState) leavePrep() {
	for _, d := range prepMacros {
		st.e.table.pop(d.name)
	}
}

// An option is one option of a command line, with its argument.
type option struct {
	letter byte
	value  string
}

// commandLine reads the arguments of %setup and %patch as rpm's option parser
// does: quotes and backslashes as in a shell, options also behind arguments.
// Letters in opts that take an argument have a ':' behind them. what names the
// macro in messages. loose is an unknown mark when there are words that may be
// any option; ok is false when something is wrong.
func (e *Evaluator) commandLine(what, opts string, c *call) (list []option, rest []string, loose string, ok bool) {
	words := unquoteWords(strings.Join(c.args, " "))
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" {
			return list, append(rest, words[i+1:]...), loose, true
		}
		if w != "" && w[0] == mark {
			loose = taint(w)
		}
		if len(w) < 2 || w[0] != '-' {
			rest = append(rest, w)
			continue
		}
		for j := 1; j < len(w) && w[j] != mark; j++ {
			k := strings.IndexByte(opts, w[j])
			if k < 0 || w[j] == ':' {
				e.fail("macro/syntax", "%%%s has no option %s", what, excerpt(w))
				return nil, nil, "", false
			}
			o := option{letter: w[j]}
			if k+1 < len(opts) && opts[k+1] == ':' {
				if o.value = w[j+1:]; o.value == "" {
					if i++; i >= len(words) {
						e.fail("macro/syntax", "option -%c of %%%s needs an argument", o.letter, what)
						return nil, nil, "", false
					}
					o.value = words[i]
				}
				j = len(w)
			}
			list = append(list, o)
		}
	}
	return list, rest, loose, true
}

// unquoteWords splits a command line. A quote that is not closed reaches to the
// end.
func unquoteWords(s string) []string {
	var out []string
	var w []byte
	in := false
	var q byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case q != 0 && c == q:
			q = 0
		case q != 0 && c == '\\' && i+1 < len(s) && s[i+1] == q:
			i++
			w = append(w, q)
		case q != 0:
			w = append(w, c)
		case c == '\'' || c == '"':
			q, in = c, true
		case c == '\\' && i+1 < len(s):
			i++
			w, in = append(w, s[i]), true
		case c == ' ' || c == '\t':
			if in {
				out = append(out, string(w))
			}
			w, in = nil, false
		default:
			w, in = append(w, c), true
		}
	}
	if in {
		out = append(out, string(w))
	}
	return out
}

// file returns the path that the Source or Patch with a number has during the
// build; kind is "SOURCE" or "PATCH". When there is none, rpm 4.20 to 6.0 says
// so, ends the macro and goes on with the spec.
func (e *Evaluator) file(what, kind, number string) (path string, ok bool) {
	if t := taint(number); t != "" {
		return t, true
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		e.fail("macro/syntax", "%%%s: %q is not a number", what, excerpt(number))
		return "", false
	}
	name := kind + strconv.FormatUint(n, 10)
	if e.table.lookup(name) != nil {
		return e.textOr(name), true
	}
	list := e.spec.spec.Sources
	if kind == "PATCH" {
		list = e.spec.spec.Patches
	}
	kind = strings.ToLower(kind)
	if len(e.spec.spec.Open) > 0 {
		return e.unknown("whether there is a " + kind + " number " + name[len(kind):] + " is not known"), true
	}
	d := e.warn("macro/no-file", "there is no %s number %d", kind, n)
	if d.Hint = "the spec has no " + kind; len(list) > 0 {
		last := slices.MaxFunc(list, func(a, b Source) int { return cmp.Compare(a.Number, b.Number) })
		d.Hint = "the highest is number " + strconv.Itoa(last.Number)
	}
	return "", false
}

// withoutZeros returns a number without its leading zeros.
func withoutZeros(s string) string {
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return s
}

// unpack returns the commands that unpack a source.
func (e *Evaluator) unpack(number, flags string) (commands string, ok bool) {
	file, ok := e.file("setup", "SOURCE", number)
	if !ok {
		return "", false
	}
	return e.text("__rpmuncompress") + " -x " + flags + file +
		"\nSTATUS=$?\nif [ $STATUS -ne 0 ]; then\n  exit $STATUS\nfi\n", true
}

// setup is %setup: the commands that unpack the sources.
func setup(e *Evaluator, c *call) string {
	list, _, loose, ok := e.commandLine("setup", "a:b:cCDn:Tq", c)
	if !ok {
		return ""
	}
	verbose := "-v "
	if strings.Contains(" "+strings.Join(c.args, " "), " -q") {
		verbose = ""
	}
	verbose += loose
	var before, after strings.Builder
	given := map[byte]bool{}
	dir := e.spec.mainTag("Name") + "-" + e.spec.mainTag("Version")
	for _, o := range list {
		given[o.letter] = true
		switch o.letter {
		case 'n':
			dir = o.value
		case 'a', 'b':
			commands, ok := e.unpack(o.value, verbose)
			if !ok || !e.grow(len(commands)) {
				return ""
			}
			if o.letter == 'a' {
				after.WriteString(commands)
			} else {
				before.WriteString(commands)
			}
		}
	}
	dir += loose
	if t := taint(dir); t != "" {
		e.table.push(&def{name: "buildsubdir", maybe: t, pos: e.pos})
		dir = "'" + dir + "'"
	} else {
		e.table.push(&def{name: "buildsubdir", body: dir, pos: e.pos})
		dir = e.sub("'%{buildsubdir}'")
	}

	var b strings.Builder
	b.WriteString("cd '" + e.sub("%{_builddir}") + "'\n")
	if !given['D'] {
		b.WriteString("rm -rf " + dir + "\n")
	}
	b.WriteString(before.String())
	if given['c'] {
		b.WriteString(e.sub("%{__mkdir_p} ") + dir + "\ncd " + dir + "\n")
	}
	if !given['T'] {
		if given['C'] {
			verbose += e.sub("-C %{buildsubdir} ")
		}
		commands, ok := e.unpack("0", verbose)
		if !ok {
			return strings.TrimSuffix(b.String(), "\n")
		}
		b.WriteString(commands)
	}
	if !given['c'] {
		b.WriteString("cd " + dir + "\n")
	}
	b.WriteString(after.String())
	if fix := e.text("_fixperms"); fix != "" {
		b.WriteString(fix + " .\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// patch is %patch: the commands that apply patches, named by -P or as
// arguments.
func patch(e *Evaluator, c *call) string {
	list, numbers, loose, ok := e.commandLine("patch", "P:p:REb:z:F:d:o:Z", c)
	if !ok {
		return ""
	}
	var named []string
	level, fuzz := "0", strings.TrimSpace(e.text("_default_patch_fuzz"))
	var backup, dir, out string
	given := map[byte]bool{}
	for _, o := range list {
		given[o.letter] = true
		switch o.letter {
		case 'P':
			named = append(named, o.value)
		case 'p', 'F':
			n, err := strconv.ParseInt(o.value, 0, 32)
			value := strconv.FormatInt(n, 10)
			if t := taint(o.value); t != "" {
				value = t
			} else if err != nil {
				e.fail("macro/syntax", "%%patch: %q is not a number", excerpt(o.value))
				return ""
			}
			if o.letter == 'p' {
				level = value
			} else {
				fuzz = value
			}
		case 'b', 'z':
			backup = "-b --suffix " + o.value
		case 'd':
			dir = " -d " + o.value
		case 'o':
			out = " -o " + o.value
		}
	}
	args := e.text("_default_patch_flags") + " -p" + level + " " + backup
	if !strings.HasPrefix(fuzz, "-") {
		args += " --fuzz=" + fuzz
	}
	args += dir + out + loose
	for _, letter := range "REZ" {
		if given[byte(letter)] {
			args += " -" + string(letter)
		}
	}
	numbers = append(named, numbers...)
	if len(numbers) == 0 && e.before("4.20") {
		numbers = []string{"0"}
	}
	if len(numbers) == 0 {
		e.fail("macro/syntax", "%%patch needs the number of a patch")
		return ""
	}
	var b strings.Builder
	for _, s := range numbers {
		file, ok := e.file("patch", "PATCH", s)
		if !ok {
			break
		}
		s = withoutZeros(s)
		if n, err := strconv.Atoi(s); err == nil && !given['d'] {
			e.spec.applies(n, given['R'])
		}
		b.WriteString("echo \"Patch #" + s + " (" + file[strings.LastIndexByte(file, '/')+1:] + "):\"\n")
		tool := e.text("__patch")
		if e.compressed(file) {
			b.WriteString("{ " + e.text("__rpmuncompress") + " " + file + " || echo patch_fail ; } | " + tool + " " + args)
		} else {
			b.WriteString(tool + " " + args + " < " + file)
		}
		b.WriteString("\n\n")
		if !e.grow(len(args) + len(file)) {
			return ""
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// numberedPatch takes %patchN. rpm before 4.20 has it; to a later one it is text
// that the shell gets.
func (st *specState) numberedPatch(line string) string {
	word, rest := splitWord(strings.TrimLeft(line, " \t"))
	number, ok := strings.CutPrefix(word, "%patch")
	if !ok || number == "" || strings.Trim(number, "0123456789") != "" {
		return line
	}
	e := st.e
	if e.before("4.20") {
		args := append([]string{"-P", number}, e.words(rest)...)
		return e.outermost(func() []byte { return []byte(e.invokeWith("patch", args)) })
	}
	d := e.warn("macro/old-patch", "%s is no macro since rpm 4.20: the build fails", excerpt(word))
	d.Hint = "write %patch -P" + excerpt(number)
	return line
}

// magics are the first bytes of the files that rpm takes for compressed.
var magics = []string{
	"BZh", "PK\x03\x04", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "LZIP", "LRZI", "7z\xbc\xaf\x27\x1c",
	"\x1f\x8b", "\x1f\x9e", "\x1f\xa0", "\x1f\x9d", "\x5d\x00\x00",
}

// magic returns the first bytes of a file of the component, ok being false when
// there is no such file. %prep may ask for the same file very often.
func (e *Evaluator) magic(file string) (head []byte, ok bool) {
	if head, asked := e.heads[file]; asked {
		return head, head != nil
	}
	if e.heads == nil {
		e.heads = map[string][]byte{}
	}
	e.heads[file] = e.readMagic(file)
	return e.heads[file], e.heads[file] != nil
}

// readMagic is magic without a memory; nil stands for no file.
func (e *Evaluator) readMagic(file string) []byte {
	name, ok := e.inside(file)
	if !ok || e.cfg.FS == nil {
		return nil
	}
	f, why := e.open(name)
	if why != "" {
		return nil
	}
	defer f.Close()
	head := make([]byte, 13)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil
	}
	return head[:n]
}

// compressed reports whether rpm would uncompress a patch before use: it does so
// also when the patch is not there to be looked at.
func (e *Evaluator) compressed(file string) bool {
	head, ok := e.magic(file)
	return !ok || slices.ContainsFunc(magics, func(m string) bool { return strings.HasPrefix(string(head), m) })
}

// autopatch is %autopatch: it applies the patches with the given numbers, or
// all in a range, through the macro of the version control system in use.
func autopatch(e *Evaluator, c *call) string {
	if e.spec == nil {
		return ""
	}
	if c.taint != "" {
		return e.text("__rpmuncompress") + " " + c.taint
	}
	patches := e.spec.spec.Patches
	bound := func(letter byte, missing int64) int64 {
		v, ok := c.options[letter]
		if !ok {
			return missing
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return missing
		}
		return n
	}
	low, high := bound('m', 0), bound('M', 1<<32)
	var list []int // indices
	for _, a := range c.args {
		i, ok := e.spec.numbered["PATCH"+withoutZeros(a)]
		if !ok {
			e.fail("macro/error", "%%autopatch: there is no patch number %s", excerpt(a))
			return ""
		}
		list = append(list, i)
	}
	for i := range patches {
		if n := int64(patches[i].Number); len(c.args) == 0 && n >= low && n <= high {
			list = append(list, i)
		}
	}
	_, from := c.options['m']
	_, to := c.options['M']
	if len(list) == 0 && len(patches) > 0 && (from || to) && !c.flags['q'] && e.maybe == 0 && len(e.spec.spec.Open) == 0 {
		// rpm 4.20 and later say so; without a range nothing is said, as all
		// patches may be none.
		d := e.warn("macro/empty-range", "%%autopatch applies nothing: no patch is in its range")
		d.Hint = "the first Patch without a number, and the first of %patchlist, is number 0; -q says that nothing may be there"
	}
	quiet, strip := "-q", ""
	if c.flags['v'] {
		quiet = ""
	}
	if v, ok := c.options['p']; ok {
		strip = "-p" + v
	}
	apply := e.sub("%__scm_apply_%{__scm}")
	var b strings.Builder
	for _, i := range list {
		if !e.spend("%autopatch") || !e.grow(len(apply)+len(patches[i].raw)+64) {
			return ""
		}
		p := &patches[i]
		if p.Maybe {
			b.WriteString(e.text("__rpmuncompress") + " " + p.cond + "\n")
			continue
		}
		e.spec.applies(p.Number, false)
		file, _ := e.file("autopatch", "PATCH", strconv.Itoa(p.Number))
		if _, ok := e.magic(file); !ok && !hasUnknown(file) {
			b.WriteString("\necho 'Cannot read " + file + "'; exit 1;\n\n")
			continue
		}
		b.WriteString(e.sub("\n%{uncompress:" + file + "} | " + apply + " " + quiet + " " + strip +
			" -m" + file[strings.LastIndexByte(file, '/')+1:] + "  " + file + " " + strconv.Itoa(i+1) + "\n\n"))
	}
	return b.String()
}
