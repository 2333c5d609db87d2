package plan

import (
	"go/token"

	"specgraft/overlay/diag"
)

var noPos token.Position

// Codes are the diagnostics about plans.
var Codes = []diag.Code{
	{ID: "plan/name", Default: diag.Error, Summary: "a component has a name that cannot stand in a script",
		Doc: "Plans for build engines are scripts and configuration files. Only letters, digits and . _ + - are safe in all of them."},
	{ID: "plan/command", Default: diag.Error, Summary: "the command template has an unknown placeholder",
		Doc: "{name}, {srpm}, {evr}, {arch} and {wave} are replaced for each component; ${VARIABLE} is left to the shell."},
	{ID: "plan/times", Default: diag.Error, Summary: "the file of build times cannot be read",
		Doc: "Each line has a component, a comma and the seconds that its build takes. A first line with other words is taken for a heading."},
	{ID: "plan/unknown", Default: diag.Error, Summary: "nothing has the name that was asked about",
		Doc: "plan --what-needs takes a component, a package, or something that a package provides."},
	{ID: "plan/not-rendered", Default: diag.Error, Summary: "a commit has no rendered specs",
		Doc: "plan --from compares rendered directories of two commits. Render the tree and commit it, or name components to plan as the working tree has them."},
}
