package facts

import "specgraft/overlay/diag"

// Codes are the diagnostics about rendered specs that are evaluated.
var Codes = []diag.Code{
	{ID: "plan/read", Default: diag.Error, Summary: "a rendered spec cannot be read",
		Doc: "The message says what went wrong in the environment."},
	{ID: "plan/no-tree", Default: diag.Error, Summary: "the project has no rendered tree",
		Doc: "query -a lists what the specs in project.rendered-specs-dir build. Render the tree first."},
	{ID: "plan/not-in-tree", Default: diag.Error, Summary: "a component is not in the rendered tree",
		Doc: "What the other components build is listed all the same. Render the component first."},
	{ID: "plan/rejected", Default: diag.Error, Summary: "rpm would not accept a rendered spec",
		Doc: "What it builds is not known then. specgraft query NAME has all of its problems."},
	{ID: "plan/failed", Default: diag.Warning, Summary: "a component failed to render and is left out",
		Doc: "Its directory in the rendered tree has nothing but RENDER_FAILED."},
}
