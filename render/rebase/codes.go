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
	{
		ID: "rebase/no-upstream", Default: diag.Error, Summary: "the component has no upstream that could move",
		Doc: "Local and templated components, and those made from source packages, have no dist-git history. `specgraft rebase --specs OLD NEW OVERLAYS.toml` compares any two specs.",
	},
	{
		ID: "rebase/shared", Default: diag.Error, Summary: "the overlay comes from a group or from defaults",
		Doc: "Other components inherit the overlay, too. A rebase changes only overlays that belong to one component.",
	},
	{
		ID: "rebase/changed", Default: diag.Error, Summary: "a configuration file has changed on disk meanwhile",
		Doc: "Somebody edited the file after it was loaded, or after an interrupted rebase had written it. No file was touched.",
	},
	{
		ID: "rebase/interrupted", Default: diag.Error, Summary: "an earlier rebase was interrupted while it wrote",
		Doc: "Each configuration file is as it was or as it was to become. `specgraft rebase --continue` writes the rest, `specgraft rebase --abort` puts all back.",
	},
	{
		ID: "rebase/not-interrupted", Default: diag.Error, Summary: "there is no interrupted rebase to continue or abort",
		Doc: "--continue and --abort are for a rebase, retirement or absorption that was killed while it wrote configuration files.",
	},
	{
		ID: "rebase/write", Default: diag.Error, Summary: "a configuration file cannot be read or written",
		Doc: "What is under way stands in .specgraft-rebase.json until it is done: `specgraft rebase --continue` tries again, `specgraft rebase --abort` takes it back.",
	},
	{
		ID: "retire/entangled", Default: diag.Error, Summary: "another overlay builds on one that is due",
		Doc: "Without the overlay that is due, another one would do something else than it does now, so that the result would not be what upstream gives. Look at both with `specgraft step`, and remove them together or by hand.",
	},
}
