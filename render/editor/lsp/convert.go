package lsp

import (
	"fmt"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
)

// point converts a position of the client.
func (s *Server) point(text *buffer.Text, p position) buffer.Point {
	if p.Line >= text.Lines() {
		return text.Point(len(text.S))
	}
	if s.utf8 {
		return text.FromUTF8(p.Line, p.Character)
	}
	return text.FromUTF16(p.Line, p.Character)
}

func (s *Server) span(text *buffer.Text, r lspRange) buffer.Span {
	return buffer.Span{Start: s.point(text, r.Start), End: s.point(text, r.End)}
}

// position converts a point to what the client counts in.
func (s *Server) position(text *buffer.Text, p buffer.Point) position {
	if text == nil {
		return position{p.Line, p.Col}
	}
	if s.utf8 {
		return position{p.Line, min(p.Col, len(text.Line(p.Line)))}
	}
	return position{p.Line, text.UTF16(p)}
}

func (s *Server) rangeOf(text *buffer.Text, span buffer.Span) lspRange {
	return lspRange{s.position(text, span.Start), s.position(text, span.End)}
}

// location converts a place in any file.
func (s *Server) location(snap *editor.Snapshot, p buffer.Place) location {
	uri := pathURI(p.Path)
	if d := s.of(uri); d != nil {
		uri = d.uri
	}
	return location{uri, s.rangeOf(snap.TextOf(p.Path), p.Span)}
}

func (s *Server) locations(snap *editor.Snapshot, places []buffer.Place) []location {
	out := make([]location, 0, len(places))
	for _, p := range places {
		out = append(out, s.location(snap, p))
	}
	return out
}

// The severities of the protocol.
const (
	severityError       = 1
	severityWarning     = 2
	severityInformation = 3
	severityHint        = 4
)

// diagnostic converts a diagnostic. Its text is that of the command line: the
// message, and what to do next on a line of its own.
func (s *Server) diagnostic(snap *editor.Snapshot, text *buffer.Text, d *diag.Diagnostic) diagnostic {
	out := diagnostic{Code: d.Code, Source: "specgraft", Message: d.Message, Severity: severityError,
		Range: s.rangeOf(text, snap.Range(text, d.Pos, d.End))}
	switch {
	case editor.IsHint(d):
		out.Severity = severityHint
	case d.Severity == diag.Warning:
		out.Severity = severityWarning
	case d.Severity == diag.Note:
		out.Severity = severityInformation
	}
	if d.Code == editor.Inactive {
		out.Tags = []int{1} // unnecessary: shown faded
	}
	if d.Hint != "" {
		out.Message += "\n" + d.Hint
	}
	for _, r := range d.Related {
		place, ok := snap.Place(r.Pos)
		if ok && s.client.Capabilities.TextDocument.PublishDiagnostics.RelatedInformation {
			out.Related = append(out.Related, relatedInformation{s.location(snap, place), r.Message})
			continue
		}
		if at := diag.Position(r.Pos); at != "" {
			out.Message += fmt.Sprintf("\n%s: %s", at, r.Message)
		} else {
			out.Message += "\n" + r.Message
		}
	}
	out.Message = strings.ToValidUTF8(out.Message, "\uFFFD")
	return out
}
