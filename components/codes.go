package components

import (
	"slices"

	"specgraft/overlay/diag"
)

// Codes are the diagnostic codes of the package.
var Codes = slices.Concat(configCodes, lockCodes)

var configCodes = []diag.Code{
	{ID: "config/archive", Summary: "archive overlays and source files do not fit",
		Doc: "An overlay with archive changes a source archive from inside. The archive then needs a source-files entry of origin type \"overlay\", every such entry needs an overlay, and no overlay on loose files may match the archive's name."},
	{ID: "config/azldev", Default: diag.Warning, Summary: "azldev rejects this or does something else",
		Doc: "Reported by 'config check --strict-azldev' only: the configuration is fine here, but the reference tool refuses it, ignores part of it or takes an arbitrary choice."},
	{ID: "config/bad-name", Summary: "name cannot be used",
		Doc: "Names of components and test suites become file names, names of repositories stand in repository files. Use letters, digits, - and _."},
	{ID: "config/bad-pattern", Summary: "pattern on the command line is not valid",
		Doc: "Component patterns are shell patterns with *, ? and [...]; a bracket must be closed."},
	{ID: "config/bad-value", Summary: "value is not allowed here",
		Doc: "The key takes one of a list of values or a value of a certain form; the message says which."},
	{ID: "config/conflict", Summary: "keys exclude each other",
		Doc: "A key is given together with another one, or with a value of another one, that it makes no sense with. Remove one of the two, or change the value that the message names."},
	{ID: "config/duplicate", Summary: "something is defined twice",
		Doc: "Components, groups, images, package groups and test suites are defined once in the whole project; names in lists that must be unique appear once. The first definition is shown as related place."},
	{ID: "config/duplicate-key", Summary: "key or table is defined twice in one file",
		Doc: "TOML allows each key and each table header once. Put what belongs to one table below one header."},
	{ID: "config/extension", Summary: "azldev does not know this key or value",
		Doc: "Reported by 'config check --strict-azldev' only. The key or value is an extension of specgraft."},
	{ID: "config/include-cycle", Summary: "file includes itself",
		Doc: "A file names itself, or a file that includes it, in includes. A file that is reached in two ways without a cycle is read once."},
	{ID: "config/include-not-found", Summary: "included file does not exist",
		Doc: "An entry of includes without *, ? and [ names one file, which must exist. Paths are relative to the directory of the including file."},
	{ID: "config/missing-key", Summary: "required key is missing",
		Doc: "A table lacks a key that it needs, always or because of another key in it. The position is that of the key that makes it necessary, else that of the table."},
	{ID: "config/no-distro", Summary: "no distribution or version is selected",
		Doc: "project.default-distro names the distribution that is built, spec.upstream-distro the one that packaging is taken from. A reference without version needs a default-version in the distribution."},
	{ID: "config/no-project", Summary: "no project found",
		Doc: "A project is a directory with a file azldev.toml. It is looked for in the working directory, or the one that -C names, and all above it."},
	{ID: "config/no-spec", Summary: "spec file cannot be read",
		Doc: "The path given with -s, or spec.path of a local component, is not a readable spec file."},
	{ID: "config/no-upstream", Summary: "component has no upstream",
		Doc: "Only components with spec.type = \"upstream\" take their packaging from a distribution."},
	{ID: "config/outside", Summary: "path leads outside the project",
		Doc: "Paths in a configuration stay inside the git repository of the project, or inside its directory where there is none, also through symbolic links: a pull request must not be able to copy other files into the rendered tree. Files named on the command line and the user's own configuration are not confined."},
	{ID: "config/overlay-file", Summary: "overlay file cannot be used",
		Doc: "An entry of overlay-files without *, ? and [ names one file, relative to the file that defines the component; each file holds at least one [[overlays]] table."},
	{ID: "config/read", Summary: "file cannot be read",
		Doc: "The file is missing, not a regular file or not readable."},
	{ID: "config/replaced", Default: diag.Warning, Summary: "a later table replaces an earlier one with more keys",
		Doc: "Reported by 'config check'. Versions of distributions, repositories and the packages of a component are replaced as a whole when a later file or layer names them again: keys that only the earlier one has are lost. Repeat them in the later one."},
	{ID: "config/syntax", Summary: "file is not valid TOML",
		Doc: "The file cannot be parsed from this place on. See https://toml.io for the format; the most frequent cause is text without quotes."},
	{ID: "config/unknown-component", Summary: "component does not exist",
		Doc: "The name is not in [components] and no spec glob of a group finds it. 'specgraft list' prints all names."},
	{ID: "config/unknown-group", Summary: "component group does not exist",
		Doc: "The name is not in [component-groups]."},
	{ID: "config/unknown-key", Summary: "key is not known",
		Doc: "The table has no such key. The nearest key is proposed; --permissive-config ignores unknown keys."},
	{ID: "config/unknown-reference", Summary: "name is not defined",
		Doc: "The value names a distribution, version, component, repository or test suite that no file defines."},
	{ID: "config/wrong-type", Summary: "value has the wrong type",
		Doc: "The key takes another type of value: text stands in quotes, lists in brackets, true and false without quotes."},
}
