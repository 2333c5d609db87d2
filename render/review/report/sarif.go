package report

import (
	"encoding/json"
	"fmt"
	"go/token"
	"io"
	"path/filepath"

	"specgraft/overlay/diag"
	"specgraft/render/review/semantic"
)

// Codes documents the diagnostics of a report.
var Codes = []diag.Code{
	{ID: "review/affected", Default: diag.Warning, Summary: "another component needs what goes",
		Doc: "A package or something that it provided is no longer there, and a spec of the project still asks for it."},
	{ID: "review/change", Default: diag.Note, Summary: "the meaning of a rendered spec changes",
		Doc: "What changes and why; see 'specgraft diff --semantic'."},
	{ID: "review/drift", Default: diag.Error, Summary: "the checked-in tree is not what the configuration renders",
		Doc: "Run 'specgraft render' and commit the result, or apply the patch of the report."},
	{ID: "review/failing", Default: diag.Error, Summary: "a component cannot be rendered, or rpm would refuse its spec"},
	{ID: "review/unrendered", Default: diag.Warning, Summary: "the configuration changed, and the checked-in tree did not",
		Doc: "Either the component was not rendered, or the change has no effect. Where the mirror has what is needed it is rendered and compared."},
}

// Diagnostics lists the report as diagnostics. top is the directory that paths
// in the repository begin at.
func (r *Report) Diagnostics(top string) diag.List {
	out := diag.List{}
	for i := range r.Components {
		c := &r.Components[i]
		at := func(line int) token.Position {
			p := token.Position{Filename: filepath.Join(top, filepath.FromSlash(c.Spec)), Line: max(line, 1)}
			if c.Status == "removed" {
				p = token.Position{} // the file is gone
			}
			return p
		}
		add := func(pos token.Position, severity diag.Severity, code, message, hint string) {
			out = append(out, diag.Diagnostic{Pos: pos, Severity: severity, Code: code, Component: c.Name, Message: semantic.Visible(message), Hint: semantic.Visible(hint)})
		}
		for _, p := range c.Problems {
			add(at(1), diag.Error, "review/failing", p, "")
		}
		if c.drift {
			add(at(1), diag.Error, "review/drift", "the checked-in tree is not what the configuration renders", "run specgraft render "+c.Name+" and commit the result")
		}
		if c.Kind == Unrendered {
			var pos token.Position
			if len(c.Inputs) > 0 && c.Inputs[0].File != "" {
				pos = token.Position{Filename: c.Inputs[0].File, Line: c.Inputs[0].Line}
			}
			add(pos, diag.Warning, "review/unrendered", "the configuration changed, and the checked-in tree did not", "run specgraft render "+c.Name)
		}
		for k := range c.Changes {
			ch := &c.Changes[k]
			switch {
			case ch.Order == "down":
				add(at(ch.NewLine), diag.Error, "review/evr-down", fmt.Sprintf("the EVR of %s goes down, from %s to %s", ch.Package, dash(c.OldEVR), dash(c.NewEVR)), ch.Cause)
			case !ch.Follows():
				add(at(ch.NewLine), diag.Note, "review/change", fmt.Sprintf("%s %s: %s", ch.Class, ch.Op, cut(ch.Summary(), 500)), ch.Cause)
			}
		}
		out = append(out, c.Findings...)
	}
	for _, a := range r.Affected {
		out = append(out, diag.Diagnostic{Severity: diag.Warning, Code: "review/affected", Component: a.Component,
			Message: semantic.Visible(fmt.Sprintf("%s needs %s (%s), which %s no longer provides", a.Package, a.Needs, a.Kind, a.From))})
	}
	return out
}

// WriteSARIF writes the report as SARIF 2.1.0, with positions in specs and in
// the configuration.
func (r *Report) WriteSARIF(w io.Writer, p *diag.Printer, top string, codes []diag.Code) error {
	return p.SARIF(w, r.Diagnostics(top), codes)
}

// WriteJSON writes the whole report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}
