package diag

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Formats are the names that Print knows, the default first.
var Formats = []string{"text", "json", "sarif", "github"}

// Print writes the list in one of Formats. The codes document the rules of the
// SARIF format.
func (p *Printer) Print(w io.Writer, format string, l List, codes []Code) error {
	switch format {
	case "json":
		return p.JSON(w, l)
	case "sarif":
		return p.SARIF(w, l, codes)
	case "github":
		return p.GitHub(w, l)
	case "text", "":
		return p.Text(w, l)
	}
	return fmt.Errorf("unknown format %q", format)
}

type jsonPlace struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message,omitempty"`
}

type jsonDiagnostic struct {
	File        string      `json:"file,omitempty"`
	Line        int         `json:"line,omitempty"`
	Column      int         `json:"column,omitempty"`
	EndLine     int         `json:"endLine,omitempty"`
	EndColumn   int         `json:"endColumn,omitempty"`
	Severity    string      `json:"severity"`
	Code        string      `json:"code"`
	Component   string      `json:"component,omitempty"`
	Message     string      `json:"message"`
	Hint        string      `json:"hint,omitempty"`
	Related     []jsonPlace `json:"related,omitempty"`
	Environment bool        `json:"environment,omitempty"`
}

// MarshalJSON writes a diagnostic with its position in flat keys: file, line
// and column count from 1, columns in bytes; what is not known is left out.
func (d Diagnostic) MarshalJSON() ([]byte, error) {
	j := jsonDiagnostic{
		File: d.Pos.Filename, Line: d.Pos.Line, Column: d.Pos.Column, EndLine: d.End.Line, EndColumn: d.End.Column,
		Severity: d.Severity.String(), Code: d.Code, Component: d.Component, Message: d.Message, Hint: d.Hint, Environment: d.Env,
	}
	for _, r := range d.Related {
		j.Related = append(j.Related, jsonPlace{r.Pos.Filename, r.Pos.Line, r.Pos.Column, r.Message})
	}
	return json.Marshal(j)
}

// JSON writes the list as an array, [] for an empty one.
func (p *Printer) JSON(w io.Writer, l List) error {
	if l == nil {
		l = List{}
	}
	return encode(w, l)
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// rooted returns a file name as code hosting services want it: relative to
// Root, with slashes.
func (p *Printer) rooted(name string) string {
	root := p.Root
	if root == "" {
		root = p.Dir
	}
	if name == "" || root == "" {
		return filepath.ToSlash(name)
	}
	if rel, err := filepath.Rel(root, p.path(name)); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(name)
}

// GitHub writes the list as workflow commands, which GitHub shows as
// annotations of the changed lines.
func (p *Printer) GitHub(w io.Writer, l List) error {
	b := bufio.NewWriter(w)
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for i := range l {
		d := &l[i]
		level := map[Severity]string{Error: "error", Warning: "warning", Note: "notice"}[d.Severity]
		var props []string
		if d.Pos.Filename != "" {
			props = append(props, "file="+property.Replace(p.rooted(d.Pos.Filename)))
		}
		if d.Pos.Line > 0 {
			props = append(props, fmt.Sprintf("line=%d", d.Pos.Line))
			if d.End.Line > 0 {
				props = append(props, fmt.Sprintf("endLine=%d", d.End.Line))
			}
			// GitHub ignores columns of ranges over several lines.
			if d.Pos.Column > 0 && (d.End.Line == 0 || d.End.Line == d.Pos.Line) {
				props = append(props, fmt.Sprintf("col=%d", d.Pos.Column))
				if d.End.Column > 0 {
					props = append(props, fmt.Sprintf("endColumn=%d", d.End.Column))
				}
			}
		}
		props = append(props, "title="+property.Replace(d.Code))
		msg := clean(d.Message)
		if d.Component != "" && d.Pos.Filename == "" {
			msg = clean(d.Component) + ": " + msg
		}
		for _, r := range d.Related {
			msg += "\n" + clean(r.Message)
			if at := Position(r.Pos); at != "" {
				msg += " (" + at + ")"
			}
		}
		if d.Hint != "" {
			msg += "\n" + clean(d.Hint)
		}
		fmt.Fprintf(b, "::%s %s::%s\n", level, strings.Join(props, ","), text.Replace(msg))
	}
	return b.Flush()
}

// The parts of SARIF 2.1.0 that code scanning services read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string      `json:"id"`
		Short   sarifText   `json:"shortDescription"`
		Full    *sarifText  `json:"fullDescription,omitempty"`
		Help    *sarifText  `json:"help,omitempty"`
		Default sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string            `json:"ruleId"`
		RuleIndex int               `json:"ruleIndex"`
		Level     string            `json:"level"`
		Message   sarifText         `json:"message"`
		Locations []sarifLocation   `json:"locations,omitempty"`
		Related   []sarifLocation   `json:"relatedLocations,omitempty"`
		Finger    map[string]string `json:"partialFingerprints,omitempty"`
	}
	sarifLocation struct {
		ID       int           `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// SARIF writes the list as a SARIF 2.1.0 log. Rules are the given codes that
// occur, in order. Columns are UTF-16 units where the line is known and left
// out elsewhere, because viewers do not count bytes.
func (p *Printer) SARIF(w io.Writer, l List, codes []Code) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "specgraft", Rules: []sarifRule{}}}, ColumnKind: "utf16CodeUnits", Results: []sarifResult{}}
	index := map[string]int{}
	for i := range l {
		index[l[i].Code] = -1
	}
	used := slices.DeleteFunc(slices.Clone(codes), func(c Code) bool { _, ok := index[c.ID]; return !ok })
	for id, at := range index {
		if at < 0 && !slices.ContainsFunc(used, func(c Code) bool { return c.ID == id }) {
			used = append(used, Code{ID: id, Summary: id})
		}
	}
	slices.SortFunc(used, func(a, b Code) int { return strings.Compare(a.ID, b.ID) })
	for _, c := range slices.CompactFunc(used, func(a, b Code) bool { return a.ID == b.ID }) {
		index[c.ID] = len(run.Tool.Driver.Rules)
		rule := sarifRule{ID: c.ID, Short: sarifText{c.Summary}, Default: sarifConfig{sarifLevel(c.Default)}}
		if c.Doc != "" {
			rule.Full, rule.Help = &sarifText{c.Doc}, &sarifText{c.Doc}
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for i := range l {
		d := &l[i]
		msg := d.Message
		if d.Component != "" && d.Pos.Filename == "" {
			msg = d.Component + ": " + msg
		}
		if d.Hint != "" {
			msg += "\n" + d.Hint
		}
		r := sarifResult{RuleID: d.Code, RuleIndex: index[d.Code], Level: sarifLevel(d.Severity), Message: sarifText{msg}}
		if d.Pos.Filename != "" {
			r.Locations = []sarifLocation{{Physical: p.physical(d.Pos, d.End)}}
		}
		for n, rel := range d.Related {
			if rel.Pos.Filename != "" {
				r.Related = append(r.Related, sarifLocation{ID: n + 1, Physical: p.physical(rel.Pos, token.Position{}), Message: &sarifText{rel.Message}})
			}
		}
		run.Results = append(run.Results, r)
	}
	return encode(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func sarifLevel(s Severity) string { return s.String() }

func (p *Printer) physical(pos, end token.Position) sarifPhysical {
	ph := sarifPhysical{Artifact: sarifArtifact{escapeURI(p.rooted(pos.Filename))}}
	if pos.Line < 1 {
		return ph
	}
	ph.Region = &sarifRegion{StartLine: pos.Line, StartColumn: p.utf16Column(pos)}
	if ph.Region.StartColumn > 0 && end.Line >= pos.Line {
		if col := p.utf16Column(end); col > 0 {
			ph.Region.EndLine, ph.Region.EndColumn = end.Line, col
		}
	}
	return ph
}

// utf16Column converts a byte column, or returns 0 when the line is not known.
func (p *Printer) utf16Column(pos token.Position) int {
	line, ok := p.line(pos)
	if !ok || pos.Column < 1 || pos.Column-1 > len(line) {
		return 0
	}
	n := 1
	for s := line[:pos.Column-1]; s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		n += utf16.RuneLen(r)
		s = s[size:]
	}
	return n
}

// escapeURI writes a path as a URI reference.
func escapeURI(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/+!$&'()*,;=@", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
