package lint

import "specgraft/overlay/diag"

// Codes documents the diagnostics of this package.
var Codes = []diag.Code{
	{ID: "lint/baseline", Default: diag.Error, Summary: "the file of known findings cannot be used",
		Doc: "--baseline takes a file that --write-baseline wrote. Write it again."},
	{ID: "lint/beside-conditional", Default: diag.Note, Summary: "new text stands next to a conditional",
		Doc: "The line above or below the text that the overlay adds is %if, %else or %endif. When upstream moves the conditional by a line, the text ends up under the other condition, and nothing fails."},
	{ID: "lint/branches", Default: diag.Warning, Summary: "an expression matches in several branches of a conditional",
		Doc: "Only one of the branches is ever in force, and the others may be for other distributions. Say with `branch` which one is meant, or that all are."},
	{ID: "lint/evr-down", Default: diag.Error, Summary: "the rendered package has a lower EVR than upstream's",
		Doc: "By rpm's comparison, epoch included. A system that has upstream's package would not take the rendered one as an update."},
	{ID: "lint/link", Default: diag.Note, Summary: "an address in the metadata names no commit or issue",
		Doc: "`commits` wants addresses of commits or pull requests, `bugs` those of issues, so that a tool can ask whether they were merged or closed."},
	{ID: "lint/metadata", Default: diag.Note, Summary: "the metadata of an overlay is incomplete",
		Doc: "What is said to be upstream should name the commit, a temporary workaround the bug that it waits for, and a status that is not known should be found out: only then can it be seen when the overlay may go."},
	{ID: "lint/name", Default: diag.Warning, Summary: "two components have names that differ in case only",
		Doc: "Their rendered directories are one where case does not count, so the tree cannot be checked out there. `render/file-name` says the same of files."},
	{ID: "lint/no-description", Default: diag.Note, Summary: "an overlay has no description",
		Doc: "The description is what reviewers and `blame` show as the cause of a line."},
	{ID: "lint/old-pin", Default: diag.Warning, Summary: "a pin is older than the distribution's snapshot",
		Doc: "`upstream-commit` holds the component at a commit that has successors before the snapshot of the distribution, so it misses updates that all others have."},
	{ID: "lint/overlap", Default: diag.Note, Summary: "a later overlay changes text that this one wrote",
		Doc: "The later one depends on the text of the first: a change to one breaks the other."},
	{ID: "lint/typed", Default: diag.Note, Summary: "an overlay with a name for what it changes gives the same bytes",
		Doc: "The expression is literal text, or does what a typed overlay does. The message has the overlay, ready to paste; it was applied and gives the same spec, byte for byte. Typed overlays go on working when upstream changes the text around."},
	{ID: "lint/unanchored", Default: diag.Note, Summary: "an expression is not anchored",
		Doc: "Without ^, $ or \\b it matches inside of longer words and lines as well, also in those that upstream adds later."},
	{ID: "lint/undone", Default: diag.Warning, Summary: "all that an overlay writes is undone by a later one",
		Doc: "The overlay has no effect on the rendered spec."},
	{ID: "lint/unscoped", Default: diag.Note, Summary: "an expression looks at the whole spec",
		Doc: "Confine it with `section` and `package`: it will not match what upstream adds elsewhere, and the reader knows where to look."},
	{ID: "lint/unused-source", Default: diag.Warning, Summary: "no Source of the spec is called like a source-files entry",
		Doc: "The file is downloaded for nothing. Often the spec's own name of the archive changed."},
	{ID: "lint/unused-template", Default: diag.Note, Summary: "no component uses a template",
		Doc: "The file in the project's template directory is not used by any component."},
}
