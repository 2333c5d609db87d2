package autospec

import (
	"io/fs"

	"specgraft/fedora/macro"
)

// Errors that a commit can have, in rpmautospec's words.
const (
	ErrMissing = "specfile-missing"
	ErrParse   = "specfile-parse-error"
)

// Facts is what a spec says about itself. They are cached, so they hold what
// was found out and nothing that was made from it.
type Facts struct {
	EpochVersion string // "EPOCH:VERSION", or the version alone without an Epoch tag
	Flags        Flags
	Error        string // ErrMissing, ErrParse or empty
	Reason       string // why there is an error, or why a value is unknown
	Unknown      bool   // EpochVersion or Flags cannot be known
}

// Flags is what a spec gives to %autorelease.
type Flags struct {
	Extraver   string `json:"extraver,omitempty"`
	Snapinfo   string `json:"snapinfo,omitempty"`
	Prerelease bool   `json:"prerelease,omitempty"`
	Base       int64  `json:"base"`
}

// An Evaluator finds the facts of a spec.
type Evaluator struct {
	// Key names everything that the answer depends on beside the text: macro
	// set, distribution, version of the code. Cached facts carry it.
	Key string
	// Eval evaluates a text. files is nil in the first attempt, and the tree
	// of the commit in the second, which is made when the first fails.
	Eval func(name string, text []byte, files fs.FS) Facts
}

// NewEvaluator returns the evaluator on top of package macro. cfg.FS and
// cfg.AutoreleaseProbe are set by the evaluator itself.
func NewEvaluator(cfg macro.Config) Evaluator {
	return Evaluator{}
}
