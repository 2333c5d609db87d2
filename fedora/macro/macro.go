// Package macro evaluates the RPM macro language and tells what a spec file
// builds: name, version, release, sources, patches, sub-packages, dependencies.
//
// It never starts a process, never reads a file outside the file tree it is
// given and never looks at the machine it runs on: the architecture, the
// distribution and every macro come from the Config. What cannot be known
// under these rules (the output of an arbitrary shell command, a macro whose
// value would come from the build machine) is an unknown value. Unknown is a
// value like any other: it flows into what is made from it and into nothing
// else, and it keeps the reason and the place where it arose.
//
//	s := macro.Eval("bash.spec", text, macro.Config{Set: macro.Builtin()})
//	if s.Version.Known {
//		fmt.Println(s.Version.Text)
//	}
//
// The language is the one of rpm 4.18 to 6.0; where the versions differ, the
// newer behaviour is taken: sections with -a and -p, BuildSystem, %autosetup -C
// and the string functions are there, and the headers of build scripts are a
// part of the expanded text, which rpm 4.18 leaves out. Paths are those of rpm
// 4.18: %setup names archives without quotes, and packages share %_builddir and
// %_buildrootdir, where rpm 4.20 makes a directory for each build.
//
// What a spec builds is what the spec says. rpm adds more to the headers of the
// packages, which is not in Spec: what a package provides for itself (its name
// and version), dependencies on rpmlib() features and on the interpreters of
// scripts, and what it finds in files. The name of a source is the one the file
// has when the package is built, with all macros of the whole spec; the header
// of a source package has the text as it was at its line.
package macro

import (
	"go/token"
	"io/fs"

	"specgraft/overlay/diag"
)

// Version changes when the same spec and set may evaluate to something else
// than before. It is a part of every set's hash.
const Version = "3"

// Config says under which circumstances a spec or a text is evaluated. The
// zero value means Fedora 43 on x86_64 with the built-in macro set.
type Config struct {
	Set  *Set   // macros that are there before the spec; nil means Builtin()
	Arch string // target architecture; empty means x86_64

	// Defines are set as if given with rpm's --define, in order, after
	// everything else.
	Defines   []Define
	With      []string // build conditionals switched on (--with)
	Without   []string // build conditionals switched off (--without)
	Undefines []string // macros removed again (--undefine)

	// FS is the component's directory, from which %include, %{load:} and the
	// test for a file's existence are served. Nothing outside of it is ever
	// read. Nil means that there are no files.
	FS fs.FS

	Distro Distro
	Budget Budget

	// Stop ends the evaluation early when it is closed, as the Done channel of a
	// context is. What the evaluation gives then is worth nothing: the caller
	// looks at its context afterwards and throws it away.
	Stop <-chan struct{}

	// AutoreleaseProbe replaces %autorelease by a macro that spells out its
	// flags as E<extraver>_S<snapinfo>_P<0|1>_B<base>, and %autochangelog by
	// nothing, as rpmautospec does when it looks at old commits.
	AutoreleaseProbe bool

	// Lines asks for the expanded text, see Spec.Expanded.
	Lines bool

	// After are texts that are expanded when the whole spec has been read, with
	// the macros it defines; see Spec.After.
	After []string
}

// A Define is one macro definition: the name, with an option string in
// parentheses if the macro takes arguments, and the body.
type Define struct{ Name, Body string }

// Distro sets the macros that tell distributions and their versions apart.
// Empty fields are left to the macro set. All fields being empty means Fedora
// 43, unless the set has %fedora, %rhel or %dist and so says itself what it is.
type Distro struct {
	Fedora string // %fedora
	RHEL   string // %rhel
	Dist   string // %dist, with its leading dot
}

// Budget bounds an evaluation. A field that is zero has its default. When the
// budget is used up, the evaluation ends with a macro/budget diagnostic. There
// is no bound on time: a slow machine must not decide otherwise than a fast one.
// The other bounds, package fuel has them, are no settings.
type Budget struct {
	Steps  int // macro invocations, default 2,000,000; one line has at most 100,000
	Depth  int // nested invocations, default 64 as in rpm
	Output int // bytes of one expansion, default 2 MiB
	Total  int // bytes of all expansions together, default 64 MiB
}

// A Value is a text that may be unknown.
type Value struct {
	Text   string         `json:"text,omitempty"`   // the text when Known, else a rendering with the unknown parts as "<?>"
	Known  bool           `json:"known"`            // whether Text is what rpm would compute
	Set    bool           `json:"set"`              // whether there is such a tag or macro at all
	Reason string         `json:"reason,omitempty"` // why it is not known
	Pos    token.Position `json:"-"`                // where the tag is; for an unknown value where the unknown part arose
}

// An Unknown is one thing that could not be known.
type Unknown struct {
	Field  string // "version", "sources[0]", "packages[bash-devel].requires", ...
	Reason string
	Pos    token.Position
}

// Codes documents the diagnostics of this package.
var Codes = []diag.Code{
	{ID: "macro/budget", Default: diag.Error, Summary: "the evaluation was stopped because it used up its budget",
		Doc: "Macros that expand without end, or to more text than any real spec needs, are cut off. Look at the macro named in the message."},
	{ID: "macro/recursion", Default: diag.Error, Summary: "a macro expands itself without end",
		Doc: "rpm allows 64 nested invocations. Define the macro with %global, which expands the body at once, or break the cycle."},
	{ID: "macro/syntax", Default: diag.Error, Summary: "a macro expression or definition cannot be read",
		Doc: "Raised for an unterminated %{, %( or %[, a %define without a legal name or body, and options a macro does not have."},
	{ID: "macro/expression", Default: diag.Error, Summary: "an expression in %if, %[ ] or %{expr:} is invalid",
		Doc: "rpm knows integers, quoted strings and v\"…\" versions and does not mix them. A bare word is an error."},
	{ID: "macro/set", Default: diag.Error, Summary: "a file is not a macro set, or was changed since it was made",
		Doc: "The file given with --macros, or with macro-set of a distribution version, is written by `specgraft macros import` and carries the hash of its content. Import the macros again instead of changing the file."},
	{ID: "macro/error", Default: diag.Error, Summary: "the spec itself raises an error with %{error:…}"},
	{ID: "macro/warning", Default: diag.Warning, Summary: "the spec itself prints a warning with %{warn:…}"},
	{ID: "macro/no-file", Default: diag.Warning, Summary: "%setup or %patch names a source or patch that the spec does not have",
		Doc: "rpm 4.20 to 6.0 prints an error and goes on without the source or patch; older and newer versions reject the spec. Correct the number, or add the Source or Patch."},
	{ID: "macro/changelog", Default: diag.Warning, Summary: "rpm leaves the changelog, or an entry, out of the package",
		Doc: "rpm takes a spec whose %changelog it cannot read, prints a line nobody sees, and builds packages without a changelog: text before the first entry, a date it cannot read, a day of the week that the date does not have, an entry without name or text, or one that is newer than the entry above it."},
	{ID: "macro/else-if", Default: diag.Warning, Summary: "a condition that rpm does not look at",
		Doc: "rpm has %elif. Behind %else it ignores everything, a condition too, and %elseif or %elsif are text of the branch that they stand in."},
	{ID: "macro/description", Default: diag.Warning, Summary: "a line of %description begins with #",
		Doc: "rpm takes lines that begin with # for comments in descriptions, too, and leaves them out. Only those right above another line of the text are reported: in front of the next section a comment is meant as one."},
	{ID: "macro/patch-twice", Default: diag.Warning, Summary: "%prep applies a patch twice",
		Doc: "%autosetup and %autopatch apply all patches; a %patch line for one of them applies it again, and the build stops at \"previously applied patch\"."},
	{ID: "macro/empty-range", Default: diag.Warning, Summary: "no patch is in the range of %autopatch",
		Doc: "%autopatch -m FIRST -M LAST applies the patches with these numbers and those between. The spec has patches, but none of them is there, so that the line does nothing; rpm 4.20 and later warn of it, too. Numbers begin at 0. %autopatch -q says that the range may be empty."},
	{ID: "macro/no-name", Default: diag.Warning, Summary: "a Source or Patch has no file name",
		Doc: "rpm takes what stands behind the last slash of the address, and there behind the last equals sign, for the name of the file. Nothing stands there. Append #/NAME to the address."},
	{ID: "macro/indented-list", Default: diag.Warning, Summary: "a line of %sourcelist or %patchlist is indented",
		Doc: "To rpm the blanks in front are part of the file's name, so that it does not find the file."},
	{ID: "macro/list-option", Default: diag.Warning, Summary: "%sourcelist or %patchlist has an option or a word behind it",
		Doc: "rpm reads no list of files with -f there, as it does in %files: the line means what it means without it, and the sources or patches are missing. Write the names below the line, or %include a file there that holds them."},
	{ID: "macro/build-system", Default: diag.Warning, Summary: "the macros of the spec's BuildSystem are missing",
		Doc: "A build system needs the macros %buildsystem_NAME_conf, %buildsystem_NAME_build and %buildsystem_NAME_install, each with arguments. When the macro set has none of them, what they add to the spec is not known: import the package that defines them with `specgraft macros import`. When some are missing, rpm rejects the spec."},
	{ID: "macro/old-patch", Default: diag.Warning, Summary: "%prep has %patchN, which rpm no longer takes since 4.20",
		Doc: "The shell gets the line as it stands and fails. Write %patch -P1, which every version of rpm takes, or %patch 1."},
	{ID: "macro/conditional", Default: diag.Error, Summary: "%if, %else and %endif do not match",
		Doc: "Each %if, %ifarch, %ifnarch, %ifos and %ifnos needs its %endif; %else and %elif stand between them."},
	{ID: "macro/include", Default: diag.Error, Summary: "a file named by %include or %{load:} is not in the component",
		Doc: "Only files of the component's own directory are read, never one of the machine."},
	{ID: "macro/section", Default: diag.Error, Summary: "a section or sub-package header is wrong",
		Doc: "Raised for a section that is given twice for one package, for one of a package that was not declared, and for unknown options."},
	{ID: "macro/tag", Default: diag.Error, Summary: "a preamble line is not a tag that rpm knows",
		Doc: "rpm rejects the spec. An undefined macro that stands alone on a line ends here, too: the package that defines it is not part of the macro set."},
	{ID: "macro/duplicate-tag", Default: diag.Error, Summary: "a tag that may stand once per package stands twice"},
	{ID: "macro/missing-tag", Default: diag.Error, Summary: "a tag that every package needs is missing",
		Doc: "Name, Version, Release, Summary and License are needed for the main package, Summary for a sub-package."},
	{ID: "macro/bad-value", Default: diag.Error, Summary: "a tag has a value that rpm rejects",
		Doc: "For instance a '-' in Version or Release, an Epoch that is no number, or blanks in a value that is one word."},
}
