package cli

import (
	"fmt"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/components/foreign"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/fedora/autospec"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/macro"
	"specgraft/fedora/repodata"
	"specgraft/fedora/srpm"
	"specgraft/fedora/srpm/reader"
	"specgraft/overlay"
	"specgraft/overlay/absorb"
	"specgraft/overlay/archive"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/attest"
	"specgraft/render/editor"
	"specgraft/render/facts"
	"specgraft/render/plan"
	"specgraft/render/prepare"
	"specgraft/render/rebase"
	"specgraft/render/review"
	"specgraft/render/review/lint"
	"specgraft/render/review/report"
	"specgraft/render/revision"
	"specgraft/render/template"
)

// absorbCodes are the diagnostics of the absorb command about files.
var absorbCodes = []diag.Code{
	{
		ID: "absorb/input", Summary: "a spec or directory to absorb cannot be read or written",
		Doc: "A file given with --specs, the directory given with --fork, or the file of -o.",
	},
}

// applyCodes are the diagnostics of the apply command.
var applyCodes = []diag.Code{
	{
		ID: "apply/no-directory", Summary: "overlays that change files need a directory to work in",
		Doc: "The overlay file given to `specgraft apply` has patch or file overlays. Name the directory with the sources with --dir; their results are written there.",
	},
}

// lspCodes are the diagnostics of the lsp command itself.
var lspCodes = []diag.Code{
	{ID: "lsp/connection", Summary: "the connection to the editor broke",
		Doc: "The language server ends when the editor closes its end. An editor that ends in order says shutdown and exit before."},
}

// AllCodes joins the codes of all packages, sorted.
func AllCodes() []diag.Code {
	codes := slices.Concat(
		review.Codes, lint.Codes, report.Codes, reviewCodes, mergeCodes,

		components.Codes, lock.Codes, overlay.Codes, archive.Codes, render.Codes, template.Codes, revision.Codes,
		editor.Codes, lspCodes, rebase.Codes, absorb.Codes, absorbCodes, foreign.Codes,
		fedora.Codes, lookaside.SourcesCodes, lookaside.Codes, reader.Codes, prepare.Codes, autospec.Codes, macro.Codes, applyCodes, inputCodes,
		srpm.WriteCodes, facts.Codes, plan.Codes, repodata.Codes, attest.Codes,
	)
	slices.SortFunc(codes, func(a, b diag.Code) int { return strings.Compare(a.ID, b.ID) })
	return codes
}

// KnownCodes refuses codes and groups of codes that nothing reports.
func KnownCodes(codes []string) error {
	known := []string{"all"}
	for _, c := range AllCodes() {
		known = append(known, c.ID, c.ID[:strings.IndexByte(c.ID, '/')+1])
	}
	for _, c := range codes {
		if slices.Contains(known, c) {
			continue
		}
		err := fmt.Errorf("no diagnostic code %q; 'specgraft help codes' explains them", c)
		if n := diag.Nearest(c, known); n != "" {
			err = fmt.Errorf("no diagnostic code %q; did you mean %q?", c, n)
		}
		return AsUsage(err)
	}
	return nil
}

// inputCodes are the diagnostics about files that are named on the command
// line, a code for each command that reads some.
var inputCodes = []diag.Code{
	{
		ID: "apply/file", Summary: "a file that was named on the command line cannot be read or written",
		Doc: "The spec, the overlay file, the directory of the sources or the output file of `specgraft apply`. When writing fails, nothing has been changed.",
	},
	{
		ID: "query/file", Summary: "a file to evaluate cannot be read",
		Doc: "The spec given with --spec, or the directory of its other files given with --sources.",
	},
	{
		ID: "macros/file", Summary: "a macro file, a package or a macro set cannot be read or written",
		Doc: "--macros of a command names a file that `specgraft macros import` wrote. `specgraft macros import` takes directories of macro files, macro files by their names (macros, macros.NAME, NAME.macros), and RPM packages that carry some in /usr/lib/rpm or /etc/rpm.",
	},
	{
		ID: "plan/file", Summary: "a file of build times or repository metadata cannot be read",
		Doc: "The file given with --times, or the directory given with --repodata.",
	},
	{
		ID: "srpm/file", Summary: "a source package that was named on the command line cannot be read",
		Doc: "The file is missing, a directory, or not accessible.",
	},
}

// mergeCodes are the diagnostics of merge-driver.
var mergeCodes = []diag.Code{{ID: "merge/left", Default: diag.Error, Summary: "a rendered file could not be merged and is left for after",
	Doc: "The configuration of the two branches is in conflict, does not render, or needs an upstream that the cache does not have. The file is as it is on the present branch, without conflict markers, and git reports it as unmerged. Merge the configuration, render the component and add the result."}}

// reviewCodes are the diagnostics of the command itself.
var reviewCodes = []diag.Code{{ID: "review/output", Default: diag.Error, Summary: "the report cannot be written",
	Doc: "-o names a directory, which is made when it is not there."}}
