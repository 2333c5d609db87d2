// Package fedora reads upstream packaging: dist-git repositories through a
// local mirror, source RPMs, and the lookaside cache of big files.
//
// All work on git repositories is done by the git program, the only child
// process there is, started in a way that no configuration file, hook,
// attribute or remote helper of a repository can make it run something else.
// Nothing that upstream ships is executed, and no name that upstream chose
// becomes a path outside of where it belongs.
package fedora

import (
	"specgraft/overlay/diag"
)

// Codes documents the diagnostics of this package about repositories.
var Codes = []diag.Code{
	{ID: "fedora/bad-url", Summary: "a repository address that is not allowed",
		Doc: "Addresses of dist-git repositories begin with https://, ssh:// or file://; http:// needs --allow-http. " +
			"Remote helpers (ext::), addresses that look like options and control characters are refused, because an address comes from configuration that a pull request can change."},
	{ID: "fedora/not-empty", Summary: "the directory for a new repository is not empty",
		Doc: "A history is exported to a new or empty directory, so that nothing is overwritten. Name another one."},
	{ID: "fedora/bad-ref", Summary: "a branch or commit name that git does not allow",
		Doc: "A branch must be a valid git branch name and must not begin with a dash; a commit is 7 to 40 (or 64) hexadecimal digits."},
	{ID: "fedora/no-git", Summary: "the git program is missing or too old",
		Doc: "Reading and fetching repositories needs git 2.32 or later in PATH. A run for which everything is in the cache does not need it."},
	{ID: "fedora/no-repository", Summary: "the upstream repository does not exist",
		Doc: "Neither the distribution's dist-git nor a mirror has a repository at this address. Check spec.upstream-name: it is the component's name where it is not set."},
	{ID: "fedora/no-branch", Summary: "the upstream repository has no such branch",
		Doc: "The dist-git-branch of the distribution version does not exist in the repository. The package may not be in that release; pin a commit with spec.upstream-commit or choose another version with spec.upstream-distro."},
	{ID: "fedora/missing-commit", Summary: "a locked or pinned commit is not upstream",
		Doc: "The commit is neither in the mirror nor on the server. Upstream has rewritten its history or the commit belongs to another repository. Where a commit with the same files exists the nearest one is named, and `specgraft update --accept-rewritten` takes it; otherwise update the lock or the pin."},
	{ID: "fedora/ambiguous-commit", Summary: "an abbreviated commit name fits several commits",
		Doc: "Write more digits of spec.upstream-commit."},
	{ID: "fedora/no-snapshot", Summary: "the branch has no commit at or before the snapshot time",
		Doc: "Every first-parent commit of the branch is younger than the snapshot. Choose a later snapshot, or pin a commit."},
	{ID: "fedora/offline", Summary: "something is missing locally and the network must not be used",
		Doc: "With --offline nothing is fetched. Run the command in the hint once with network access; afterwards the same render works offline."},
	{ID: "fedora/stale", Summary: "the mirror is older than the snapshot",
		Doc: "The branch was last fetched before the snapshot time, so what was pushed in between is not known. It is fetched again, or with --offline reported."},
	{ID: "fedora/network", Summary: "fetching from upstream did not work",
		Doc: "All attempts failed; the message holds git's own words. --network-retries sets the number of attempts, mirror-base-uri puts a mirror in front."},
	{ID: "fedora/refused", Summary: "the server refused access",
		Doc: "The server asked for credentials or denied access. Configure a git credential helper or an ssh key; nobody is prompted."},
	{ID: "fedora/unreadable-repository", Summary: "a repository is damaged or cannot be read",
		Doc: "Git cannot read objects of the repository. For one in the mirror, `specgraft cache verify --repair` removes what is damaged, and the next fetch brings it back."},
	{ID: "fedora/bad-tree", Summary: "a commit holds file names that must not be written",
		Doc: "A name such as \"..\" or \".git\", an empty or over-long name, or the same name twice. Git itself does not create such trees."},
	{ID: "fedora/bad-symlink", Summary: "a symbolic link upstream leads nowhere or out of the commit",
		Doc: "Links are replaced by what they lead to inside the commit. Absolute links, links that leave the commit, links to missing files and loops have nothing to be replaced by."},
	{ID: "fedora/too-large", Summary: "a commit, file or object is larger than what is accepted",
		Doc: "Bounds: 256 MiB for one file, 1 GiB and 100,000 files for one commit, 64 levels of directories."},
	{ID: "fedora/cache", Summary: "the cache directory cannot be used",
		Doc: "The cache (--cache-dir) cannot be created, read or written: a full disk, or missing permissions."},
}
