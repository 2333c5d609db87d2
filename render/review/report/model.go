// Package report tells what a change of a project means for what it renders:
// one model, written as Markdown, HTML, SARIF or JSON.
//
// The rendered trees of two revisions are compared, read from the repository of
// the project. No upstream, no mirror and no checkout is needed; where there is a
// mirror, the caller says how to render, and the report has drift and the health
// of overlays, too.
//
//	r, err := report.Build(ctx, from, to, report.Options{})
//	err = r.WriteMarkdown(os.Stdout, report.CommentLimit)
package report

import (
	"specgraft/overlay/diag"
	"specgraft/render/review"
	"specgraft/render/review/lint"
	"specgraft/render/review/semantic"
)

// Schema is the version of the JSON. It is raised when a key changes its
// meaning or goes; a new key leaves it as it is.
const Schema = 1

// A Report is what a change means.
type Report struct {
	Schema     int         `json:"schema"`
	From       string      `json:"from"` // commit
	To         string      `json:"to"`   // commit, empty for the working tree
	Verdict    Verdict     `json:"verdict"`
	Components []Component `json:"components"` // what the change touches, most important first
	Affected   []Affected  `json:"affected"`   // what it makes other components do
	Notes      []string    `json:"notes"`      // what was not looked at, and why
}

// A Verdict counts what reviewers ask for first.
type Verdict struct {
	Components int  `json:"components"` // touched
	Meaning    int  `json:"meaning"`    // changed in meaning
	Noise      int  `json:"noise"`      // changed in noise only
	Failing    int  `json:"failing"`    // could not be rendered, or rpm refuses the spec
	Drift      int  `json:"drift"`      // the checked-in tree is not what the revision renders
	Unrendered int  `json:"unrendered"` // the configuration changed, what is checked in did not, and nothing was rendered to tell why
	EVRDown    int  `json:"evrDown"`
	Lint       int  `json:"lint"`     // new findings about overlays
	Rendered   bool `json:"rendered"` // whether there was a mirror, so that drift and findings are known
}

// What matters most about a component.
const (
	Failing    = "failing"
	Down       = "down"       // an EVR goes down
	Drift      = "drift"      // checked in is not what is rendered
	Unrendered = "unrendered" // the configuration changed, the rendered tree did not
	Meaning    = "meaning"
	Noise      = "noise"
)

// Kinds lists the kinds of components, most important first.
var Kinds = []string{Failing, Down, Drift, Unrendered, Meaning, Noise}

// A Component is one component that the change touches.
type Component struct {
	Name     string             `json:"name"`
	Group    string             `json:"group,omitempty"`
	Status   string             `json:"status"` // of what is checked in: added, changed, removed, same
	Kind     string             `json:"kind"`   // one of Kinds
	OldEVR   string             `json:"oldEvr,omitempty"`
	NewEVR   string             `json:"newEvr,omitempty"`
	Order    string             `json:"order,omitempty"` // up, same, down
	Spec     string             `json:"spec"`            // path of the spec in the repository
	Changes  []semantic.Change  `json:"changes"`
	Noise    semantic.Noise     `json:"noise"`
	Unknown  []semantic.Unknown `json:"unknown"`
	Inputs   []Input            `json:"inputs"`   // what differs in the configuration
	Overlays []lint.Health      `json:"overlays"` // health of the overlays, when rendered
	Findings diag.List          `json:"findings"` // new ones
	Added    int                `json:"addedLines"`
	Removed  int                `json:"removedLines"`
	Files    []review.FileDiff  `json:"files"`           // the raw diff; empty for noise
	Patch    string             `json:"patch,omitempty"` // what fixes the drift
	Problems []string           `json:"problems"`

	drift bool
}

// An Input is a difference in the configuration of a component.
type Input struct {
	Field string `json:"field"` // "overlays[3].value", "upstream-commit"
	Kind  string `json:"kind"`  // added, removed, changed
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
	Label string `json:"label"` // for people

	text string // of both sides, for finding what it caused
}

// An Affected component depends on something that goes.
type Affected struct {
	Component string `json:"component"` // that needs it
	Package   string `json:"package"`   // of that component
	Kind      string `json:"kind"`      // the tag in lower case
	Needs     string `json:"needs"`     // the dependency
	Lost      string `json:"lost"`      // what goes
	From      string `json:"from"`      // the component that had it
}
