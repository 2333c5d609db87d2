package review

import "specgraft/overlay/diag"

// Codes documents the diagnostics of this package.
var Codes = []diag.Code{
	{ID: "diff/specs", Default: diag.Error, Summary: "a spec or directory to compare cannot be read",
		Doc: "--specs takes two spec files, or two directories with one spec each."},
	{ID: "review/evr-down", Default: diag.Error, Summary: "the EVR of a package goes down",
		Doc: "By rpm's comparison, epoch included, the new version and release sort before the old ones, so that installed systems would not be updated. Raise the release or the epoch."},
}
