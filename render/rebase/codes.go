package rebase

import "specgraft/overlay/diag"

// Codes are the diagnostics of this package.
var Codes = []diag.Code{
	{
		ID: "absorb/no-edit", Default: diag.Error, Summary: "there is no rendered spec to take edits from",
		Doc: "`specgraft absorb NAME` compares the rendered tree with what the configuration renders. Render the component, edit its files there, and run it again.",
	},
	{
		ID: "absorb/rendered-line", Default: diag.Error, Summary: "an edit is about what the renderer writes itself",
		Doc: "The header, the lines that load build macros, the release number, a generated changelog and the sources file come from the configuration or from git history. No overlay can change them behind the renderer.",
	},
}
