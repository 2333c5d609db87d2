package render

import "specgraft/overlay/diag"

// Codes documents the diagnostics of this package.
var Codes = []diag.Code{
	{ID: "render/bad-name", Summary: "a component has a name that cannot name a directory",
		Doc: "The rendered directory, the spec and the macros file bear the component's name, so it has to be printable ASCII without blanks and slashes, and must not start with a dot."},
	{ID: "render/no-spec", Summary: "the packaging has no spec of the expected name",
		Doc: "Upstream's repository must hold NAME.spec at the locked, pinned or snapshot commit, where NAME is spec.upstream-name or else the component's name; a local component has COMPONENT.spec."},
	{ID: "render/local", Summary: "the files of a local component cannot be read",
		Doc: "All files in the directory of spec.path belong to the component. Symbolic links must lead to regular files inside the project."},
	{ID: "render/provenance", Default: diag.Warning, Summary: "upstream's release is not known, so no macro names it",
		Doc: "build.emit-upstream-provenance writes the release of upstream into the macros file. A release that comes from %autorelease needs the history and a version that can be known."},
	{ID: "render/macros", Summary: "the build configuration cannot be written as a macros file",
		Doc: "Values of build.defines must be one line, and the component's name may only have letters, digits and . - _ +."},
	{ID: "render/macro-set", Summary: "the macro set of a distribution version cannot be read",
		Doc: "macro-set names a file that `specgraft macros import` wrote, relative to the TOML file. It must lead to a regular file inside the project."},
	{ID: "render/no-check", Default: diag.Warning, Summary: "build.check.skip is set, but the spec has no %check",
		Doc: "There is nothing to skip. Upstream may have dropped the section; remove the setting."},
	{ID: "render/path-conflict", Summary: "two rendered files exclude each other",
		Doc: "One of them would have to be a directory for the other."},
	{ID: "render/history", Summary: "the project's own history cannot be read",
		Doc: "Releases and changelogs of locked components are made from the history of their lock files. A shallow clone or a missing commit hides it."},
	{ID: "render/output-unsafe", Summary: "the output directory cannot be meant",
		Doc: "The tree of rendered specs is a directory of its own that contains neither the project nor a repository."},
	{ID: "render/not-ours", Summary: "a directory does not look like rendered specs",
		Doc: "Rendering replaces directories. It refuses to do that to something it did not make; --force insists."},
	{ID: "render/alias-taken", Default: diag.Warning, Summary: "something else stands in the place of a component's alias",
		Doc: "Beside the directory of a component whose name is spelled differently in a URL stands a symbolic link of that spelling. A file or directory in its place is left alone."},
	{ID: "render/output-locked", Summary: "another render writes to the same tree",
		Doc: "Two runs would overwrite each other. The lock ends with the process that holds it."},
	{ID: "render/write", Summary: "the output tree cannot be written",
		Doc: "The disk is full, read-only or not accessible. Components that were not written are as they were."},
	{ID: "render/cancelled", Summary: "the run was interrupted before the component was done",
		Doc: "Its directory is as it was."},
	{ID: "render/internal", Summary: "something failed that should not", Doc: "Please report it with the message."},
}
