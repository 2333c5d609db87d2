package autospec

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// Errors that a commit can have, in rpmautospec's words.
const (
	ErrMissing = "specfile-missing"
	ErrParse   = "specfile-parse-error"

	errStopped = "stopped" // nothing was found out; never kept
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

// complete returns the release as changelogs show it.
func (f Flags) complete(number int64) string {
	var b strings.Builder
	if f.Prerelease {
		b.WriteString("0.")
	}
	b.WriteString(strconv.FormatInt(number+f.Base-1, 10))
	if f.Extraver != "" {
		b.WriteString("." + f.Extraver)
	}
	if f.Snapinfo != "" {
		b.WriteString("." + f.Snapinfo)
	}
	return b.String()
}

// An Evaluator finds the facts of a spec.
type Evaluator struct {
	// Key names everything that the answer depends on beside the text: macro
	// set, distribution, version of the code. Cached facts carry it. It
	// must not contain blanks.
	Key string
	// Eval evaluates the text of the spec file with the given name, beside the
	// given files.
	Eval func(spec string, text []byte, files fs.FS) Facts
}

// factsVersion changes when the same spec gives other facts than before.
const factsVersion = "1"

// NewEvaluator returns the evaluator on top of package macro. cfg.FS and
// cfg.AutoreleaseProbe are set by the evaluator itself. Without a set, macros are
// those of the root where source packages are made, in which rpmautospec runs:
// it has none of what a spec requires for its build.
func NewEvaluator(cfg macro.Config) Evaluator {
	if cfg.Set == nil {
		cfg.Set = macro.SRPM()
	}
	cfg.AutoreleaseProbe = true
	cfg.Lines = false
	return Evaluator{
		Key: evaluatorKey(cfg),
		Eval: func(spec string, text []byte, files fs.FS) Facts {
			cfg := cfg
			cfg.FS = files
			return factsFrom(macro.Probe(spec, text, cfg))
		},
	}
}

// evaluatorKey spells out a configuration without its files.
func evaluatorKey(cfg macro.Config) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s/%s/%s/%q/%q/%q/%q/%q/%d", factsVersion, cfg.Set.Hash(), cfg.Arch,
		cfg.Defines, cfg.With, cfg.Without, cfg.Undefines, cfg.Distro, cfg.Budget.Steps)), "_")
}

// probedRelease is what %autorelease becomes in a probe: its flags spelled out.
// Anything around it in the Release tag hides them.
var probedRelease = regex.Once(`^E([^_]*)_S([^_]*)_P([01])_B(\d*)$`)

func factsFrom(s *macro.Spec) Facts {
	if s.Stopped {
		return Facts{Error: errStopped, Reason: "the evaluation was told to stop"}
	}
	if d := s.Rejected(); d != nil {
		return Facts{Error: ErrParse, Reason: reason(d)}
	}
	if !s.Version.Set || !s.Release.Set {
		return Facts{Error: ErrParse, Reason: "the spec has no Version or no Release"}
	}
	f := Facts{EpochVersion: s.Version.Text, Flags: Flags{Base: 1}}
	if s.Epoch.Set {
		f.EpochVersion = s.Epoch.Text + ":" + s.Version.Text
	}
	for _, v := range [...]struct {
		name  string
		value macro.Value
	}{{"Epoch", s.Epoch}, {"Version", s.Version}, {"Release", s.Release}} {
		if v.value.Set && !v.value.Known {
			f.Unknown = true
			f.Reason = v.name + " is not known: " + v.value.Reason
			if at := diag.Position(v.value.Pos); at != "" {
				f.Reason = at + ": " + f.Reason
			}
			return f
		}
	}
	if m := probedRelease().FindStringSubmatch(s.Release.Text); m != nil {
		f.Flags = Flags{Extraver: m[1], Snapinfo: m[2], Prerelease: m[3] == "1", Base: 1}
		if m[4] != "" {
			n, err := strconv.ParseInt(m[4], 10, 64)
			if err != nil || n > maxRelease {
				return Facts{Error: ErrParse, Reason: fmt.Sprintf("%%autorelease is told to start at %s, which is more than %d", m[4], int64(maxRelease))}
			}
			f.Flags.Base = n
		}
	}
	return f
}

// reason is a diagnostic as part of another message.
func reason(d *diag.Diagnostic) string {
	if at := diag.Position(d.Pos); at != "" {
		return at + ": " + d.Message
	}
	return d.Message
}
