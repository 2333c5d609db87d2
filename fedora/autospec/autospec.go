// Package autospec computes releases and changelogs of RPM packages from the
// git history of their packaging: what "rpmautospec process-distgit" writes into
// a spec, byte for byte, without running rpm, a shell or the spec itself.
//
// A package that uses it has "Release: %autorelease" and "%changelog" followed by
// "%autochangelog". The release number is the count of commits since the last
// change of version, the changelog has one entry per commit. Both need Epoch and
// Version of many commits, which package macro finds without executing anything.
//
//	res, err := autospec.Process(autospec.Input{
//		Name: "bash", Spec: text, Graph: autospec.Upstream(log, head),
//		Evaluator: autospec.NewEvaluator(macro.Config{}),
//	})
//	out := res.Apply(text)
//
// The package refuses to guess: where a version cannot be known, the result is
// an error that names the commit and the reason.
package autospec

import (
	"io/fs"
	"time"

	"specgraft/overlay/diag"
)

// DefaultToolVersion is the rpmautospec version that headers name unless the
// caller says otherwise.
const DefaultToolVersion = "0.8.3"

// Codes documents the diagnostics of this package.
var Codes = []diag.Code{
	{ID: "autospec/shallow", Summary: "the history of a spec is cut off",
		Doc: "The repository is a shallow clone. %autorelease counts commits and %autochangelog lists them, so that both would be wrong. git fetch --unshallow gets the rest; --allow-shallow goes on with what there is."},
	{ID: "autospec/no-spec", Default: diag.Error, Summary: "there is no spec at the given path",
		Doc: "Name a file that ends in .spec, or a directory that holds a spec of its own name."},
	{ID: "autospec/no-date", Default: diag.Error, Summary: "an entry for uncommitted changes has no date",
		Doc: "Output never depends on the clock. Changes in a git checkout are dated like its newest commit; a spec outside of git needs --now."},
	{ID: "autospec/spec-missing", Default: diag.Error, Summary: "the spec is not in the commit that counts as HEAD",
		Doc: "rpmautospec refuses to work on a spec that HEAD does not have. Commit the spec, or pass --no-error-on-unparseable-spec."},
	{ID: "autospec/spec-rejected", Default: diag.Error, Summary: "rpm would not accept the spec at HEAD or in the work tree",
		Doc: "Older commits may be broken, the newest may not. Repair the spec at the position given, or pass --no-error-on-unparseable-spec."},
	{ID: "autospec/unknown-version", Default: diag.Error, Summary: "the version or release of a commit cannot be known without executing the spec",
		Doc: "The release number depends on whether the version changed in that commit. The message names commit, macro and reason. Write the version without a command whose output only a build machine knows, in an overlay if need be. \"specgraft autospec\" takes values of macros with --define."},
	{ID: "autospec/merge-drops-changelog", Default: diag.Error, Summary: "a merge commit removes the changelog file and equals none of its parents",
		Doc: "rpmautospec crashes on such a merge. Remove the file in an ordinary commit."},
	{ID: "autospec/changelog-not-a-file", Default: diag.Error, Summary: "the entry named changelog is not a file",
		Doc: "rpmautospec reads the entry called changelog at the top of a commit. A directory or submodule of that name makes it crash."},
	{ID: "autospec/bad-commit", Default: diag.Error, Summary: "a commit cannot be read or shown",
		Doc: "Raised for a malformed author line, a date no calendar has, or a message that is not in the encoding which the commit declares."},
	{ID: "autospec/bad-bump", Default: diag.Error, Summary: "a release number is too large",
		Doc: "A commit message asks for a release number that no package can have."},
	{ID: "autospec/history", Default: diag.Error, Summary: "the history of the package does not contain what its lock names",
		Doc: "The upstream commit of a lock, or the import commit, is not among the first-parent ancestors of the branch. Run \"specgraft fetch\" or \"specgraft update\" for the component."},
	{ID: "autospec/unknown-upstream", Default: diag.Warning, Summary: "a change refers to an upstream commit that the history does not contain",
		Doc: "The change does not appear in the changelog of the component, though it counts for static releases. Changes from before the lock was removed, of a component that was dropped and came back, are expected to be so and not reported."},
	{ID: "autospec/release-form", Default: diag.Error, Summary: "the Release tag has no number that can be bumped",
		Doc: "Give the tag a number, or set release.calculation to \"smart\" or \"manual\" for the component."},
	{ID: "autospec/release-missing", Default: diag.Error, Summary: "the spec has no Release tag",
		Doc: "The release of every locked component is raised by its number of changes; there is nothing to raise."},
	{ID: "autospec/release-autorelease", Default: diag.Error, Summary: "release.calculation is \"static\" but the spec uses %autorelease",
		Doc: "Set release.calculation to \"autorelease\" or \"auto\"."},
	{ID: "autospec/evr-went-down", Default: diag.Error, Summary: "the new release sorts before the previous one",
		Doc: "Package managers do not install an older release over a newer one. Raise the number that the message names."},
}

// Input is what Process needs to know.
type Input struct {
	Name string // file name of the spec without ".spec"; need not be the Name tag
	Spec []byte // text of the spec in the work tree

	// Files holds the files beside the spec in the work tree; the evaluation
	// of a work tree that differs from HEAD reads them. Nil means none.
	Files fs.FS

	Graph *Graph // history up to HEAD; nil means that the spec is not in git

	// Dirty says that the work tree differs from HEAD in tracked files, which
	// gives an entry of its own on top. ChangelogRemoved says that this
	// difference includes the removal of the changelog file.
	Dirty            bool
	ChangelogRemoved bool
	User             User      // author of that entry
	Now              time.Time // its time

	ToolVersion string // version in the header, DefaultToolVersion when empty
	Evaluator   Evaluator

	// NoErrorOnUnparseable goes on when rpm would reject the newest spec.
	NoErrorOnUnparseable bool
}

// A User is a name and a mail address.
type User struct{ Name, Email string }

// Authors of the entry for uncommitted changes when nobody is configured: in a
// git checkout, and outside of one.
var (
	UnknownUser  = User{"Unknown User", "please-configure-git-user@example.com"}
	PackagerUser = User{"John Doe", "packager@example.com"}
)

// A Result says how the spec changes, as edits of its lines, and why.
type Result struct {
	// Changed is false when there is nothing to do: the spec was processed
	// already or uses none of the features.
	Changed  bool
	Features []string // "autorelease", "autochangelog"

	Header []string // lines to put on top of the spec, the last one empty
	Keep   int      // number of lines of the spec that stay; all behind them goes
	Append []string // lines to put behind them

	Release int64 // release number: what %autorelease counts from

	// Commits holds the facts about the commits that were looked at, newest
	// first. The entry for a dirty work tree comes first and has no ID.
	Commits []CommitFacts
}

// CommitFacts is what was found out about one commit.
type CommitFacts struct {
	ID           string `json:"commit,omitempty"`
	EpochVersion string `json:"epoch-version,omitempty"` // "1:2.0"; empty when rpm rejects the spec
	Release      int64  `json:"release-number"`
	Complete     string `json:"release-complete"`
	Flags        *Flags `json:"flags,omitempty"`
	Error        string `json:"error,omitempty"`             // "specfile-missing" or "specfile-parse-error"
	Reason       string `json:"reason,omitempty"`            // why, for people
	Entries      *int   `json:"changelog-entries,omitempty"` // nil when no changelog was asked for
}

// Process computes the edits that turn the spec into what rpmautospec makes of
// it. The error, if any, is a *diag.Diagnostic without a position where the
// problem lies in the history.
func Process(in Input) (*Result, error) {
	return process(&in)
}
