package overlay

import (
	"slices"

	"specgraft/overlay/diag"
)

// Codes documents every diagnostic code of the package.
var Codes = slices.Concat(applyCodes, numberCodes, LintCodes)

// applyCodes are the codes of validation and application.
var applyCodes = []diag.Code{
	{
		ID: "overlay/unknown-type", Summary: "the overlay type does not exist",
		Doc: "The `type` of an overlay names one of the operations. The message names the nearest one.",
	},
	{
		ID: "overlay/missing-key", Summary: "the overlay lacks a key that its type needs",
		Doc: "Each operation needs some keys with a value that is not empty. Add the key, or choose the type that fits the keys that are there.",
	},
	{
		ID: "overlay/bad-value", Summary: "the value of an overlay key cannot be used",
		Doc: "Raised for keys that exclude each other, paths that are not relative, globs that do not parse, new names with directories, modes other than 0644 and 0755, counts below one, and group references that the expression does not have.",
	},
	{
		ID: "overlay/bad-regex", Summary: "the regular expression does not compile",
		Doc: "Expressions have the syntax of RE2: no look-around and no back references.",
	},
	{
		ID: "overlay/unused-key", Default: diag.Warning, Summary: "the overlay has a key that its type does not use",
		Doc: "The reference tool ignores such keys silently, and so does the rendered result. Often the overlay was meant to be narrower than it is: remove the key or change the type.",
	},
	{
		ID: "overlay/unknown-tag", Default: diag.Warning, Summary: "the overlay adds a tag that rpm does not know",
		Doc: "rpm refuses a spec with an unknown tag. Tag names are compared in any case; Source and Patch may have a number, and others a qualifier as in Requires(post).",
	},
	{
		ID: "overlay/no-match", Summary: "the overlay matches nothing",
		Doc: "No tag, line, patch or file matches, so the overlay would have no effect. Usually upstream changed: compare the nearest lines that the message shows, then adapt or remove the overlay.",
	},
	{
		ID: "overlay/budget", Summary: "the overlay would take or write too much",
		Doc: "What a search costs grows with the expression, repetitions written out, and with the text; a replacement may write 64 MiB. Both are bounded far above what real overlays need.",
	},
	{
		ID: "overlay/no-change", Summary: "the overlay matches but changes nothing",
		Doc: "Everything that the expression matches is replaced by the same text. The spec has the wanted text already: remove the overlay.",
	},
	{
		ID: "overlay/no-section", Summary: "the section or sub-package does not exist",
		Doc: "Section names are compared as written, with % and in the same case. A package is compared with the text in the section header: `%package devel` and `%package -n devel` are both \"devel\", and macros are not expanded.",
	},
	{
		ID: "overlay/expect", Summary: "the overlay changes another number of places than expected",
		Doc: "The overlay has `expect = N` and would change more or fewer places, so upstream changed around it. The related positions show the places.",
	},
	{
		ID: "overlay/branch", Summary: "the conditional branch that the overlay asks for does not exist",
		Doc: "Places that lie in the same branch of the same conditional form one group, and groups are numbered from 1 in file order. `branch` asks for a group that is not there.",
	},
	{
		ID: "overlay/conditional", Summary: "removing the section would tear a conditional apart",
		Doc: "An %if or %endif of the section belongs to one outside it, with more than comments and blank lines between, or the section holds an %else of a conditional that reaches beyond it. Remove the text with spec-search-replace instead.",
	},
	{
		ID: "overlay/unbalanced", Summary: "the spec has an %if without %endif or the reverse",
		Doc: "Sections are removed only from specs whose %if and %endif lines pair up as whole lines, prose and macro bodies included. Change the odd line with spec-search-replace first.",
	},
	{
		ID: "overlay/file-exists", Summary: "the file exists already",
		Doc: "file-add, patch-add and file-rename never overwrite. Remove the file first with file-remove, or choose another name.",
	},
	{
		ID: "overlay/file-path", Summary: "the file name leads where overlays may not write",
		Doc: "Overlays work below the component's directory, in directories that exist there, and never on spec files; those are for the spec overlays.",
	},
	{
		ID: "overlay/many-files", Summary: "the pattern matches several files where one is needed",
		Doc: "file-rename takes exactly one file. Narrow the pattern, or use one overlay for each file.",
	},
	{
		ID: "overlay/source", Summary: "the file that the overlay copies cannot be read",
		Doc: "`source` is relative to the TOML file that holds the overlay and must be a regular file inside the project.",
	},
	{
		ID: "overlay/file-content", Summary: "a file of the component cannot be read",
		Doc: "The content of an upstream file could not be loaded for an overlay that changes it.",
	},
	{
		ID: "overlay/archive-skipped", Default: diag.Warning, Summary: "an archive overlay is not applied during render",
		Doc: "Rendering has no source archives. The overlay takes effect when sources are prepared.",
	},
}
