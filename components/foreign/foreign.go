// Package foreign reads how other distributions describe their changes to
// upstream packaging, and says the same in overlays.
//
// It knows the configuration files of AlmaLinux's autopatch and of Rocky's
// srpmproc, by their public documentation. What no overlay can say, or says only
// nearly, is listed: nothing is dropped in silence.
//
//	c, err := foreign.Autopatch("config.yaml", data)
//	for _, op := range c.Overlays { ... }
//	for _, r := range c.Remarks { ... }
package foreign

import (
	"go/token"
	"path"
	"regexp"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// A Config is a configuration as overlays.
type Config struct {
	// Overlays do the same, in order. Their Source is the path of a file as
	// the configuration names it, unless Data has the content.
	Overlays []overlay.Op
	// Remarks are what could not be said, as errors, and what is said only
	// nearly, as warnings, each at its place.
	Remarks diag.List
}

// Codes are the diagnostics of this package.
var Codes = []diag.Code{
	{
		ID: "import/syntax", Default: diag.Error, Summary: "the file is not what its system expects",
		Doc: "The file is no YAML, or no text form of a protocol buffer, or has another shape than the documentation of its system describes.",
	},
	{
		ID: "import/not-said", Default: diag.Error, Summary: "no overlay can say this",
		Doc: "The action runs a program, takes a file from a lookaside cache, or is not known. The overlays that were written do not do it: say it in another way, such as with source-files.",
	},
	{
		ID: "import/nearly", Default: diag.Warning, Summary: "the overlay does nearly, not exactly, the same",
		Doc: "Where the other system looks only at a part of a file, stops after some matches, or writes a line of its own, the overlay may match more or write less. Look at the result with `specgraft diff`.",
	},
	{
		ID: "import/input", Default: diag.Error, Summary: "a configuration of another system cannot be read",
		Doc: "The file or directory given to `specgraft import`, or a file that it refers to.",
	},
}

// A reader collects what it finds in one file.
type reader struct {
	name string
	out  *Config
}

func (r *reader) pos(line int) token.Position {
	return token.Position{Filename: r.name, Line: line, Column: 1}
}

func (r *reader) unsaid(line int, format string, args ...any) {
	r.out.Remarks.Add(r.pos(line), "import/not-said", format, args...)
}

func (r *reader) nearly(line int, format string, args ...any) {
	r.out.Remarks.Warn(r.pos(line), "import/nearly", format, args...)
}

func (r *reader) add(ops ...overlay.Op) { r.out.Overlays = append(r.out.Overlays, ops...) }

// describe gives the overlays that have no description one.
func (c *Config) describe(text string) {
	for i := range c.Overlays {
		if c.Overlays[i].Description == "" {
			c.Overlays[i].Description = text
		}
	}
}

// quoteLine writes text as an expression on one line.
func quoteLine(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), "\n", `\n`)
}

// removal is an expression that takes whole lines out.
func removal(text string) string { return "(?m)^" + quoteLine(text) + `\n` }

// withoutDir takes the directories off that packages of other systems have.
func withoutDir(name string) string {
	for _, dir := range []string{"SOURCES/", "SPECS/"} {
		name = strings.TrimPrefix(name, dir)
	}
	return path.Clean(name)
}

// appended is the overlay that appends to the value of a tag.
func appended(field, value string) overlay.Op {
	return overlay.Op{Type: overlay.SearchReplace, Section: overlay.PreambleSection,
		Regex:       "^((?i:" + regexp.QuoteMeta(field) + `)\s*:.*?)\s*$`,
		Replacement: "${1}" + strings.ReplaceAll(value, "$", "$$"), ReplacementGroups: true}
}
