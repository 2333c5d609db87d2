package components

import (
	"go/token"

	"specgraft/overlay"
)

// decodeOp turns an overlay's table into an operation. Values of a wrong type
// are left out; the checker has reported them.
func decodeOp(t *value) overlay.Op {
	op := overlay.Op{Pos: t.pos(), KeyPos: make(map[string]token.Position, len(t.keys))}
	for i := range t.keys {
		e := &t.keys[i]
		v := e.val
		op.KeyPos[e.name] = v.pos()
		switch v.kind {
		case kindString:
			if field := op.Field(e.name); field != nil {
				*field = v.str
			}
			if e.name == "source" {
				op.Source = v.path()
			}
		case kindInt:
			switch n, ok := v.integer(); {
			case e.name == "expect" && ok:
				op.Expect = &n
			case e.name == "branch":
				op.Branch = v.str
			}
		case kindBool:
			switch e.name {
			case "replacement-groups":
				op.ReplacementGroups = v.str == "true"
			case "multiline":
				op.Multiline = v.str == "true"
			}
		case kindList:
			if e.name == "lines" {
				op.Lines = v.strings()
			}
		case kindTable:
			if e.name == "metadata" {
				op.Metadata = decodeMetadata(v)
			}
		}
	}
	return op
}

func decodeMetadata(t *value) *overlay.Metadata {
	if t == nil || t.kind != kindTable {
		return nil
	}
	links := func(v *value) []overlay.Link {
		if v == nil || v.kind != kindList {
			return nil
		}
		var out []overlay.Link
		for _, l := range v.list {
			if u := l.get("url"); u != nil {
				out = append(out, overlay.Link{URL: u.str, Pos: u.pos()})
			}
		}
		return out
	}
	var retire *overlay.Retire
	if r := t.get("specgraft"); r != nil && r.kind == kindTable {
		retire = &overlay.Retire{
			Commit: r.text("retire-commit"), Version: r.text("retire-version"), Date: r.text("retire-date"),
			With: r.text("retire-with", "component"), WithVersion: r.text("retire-with", "version"),
			Link: r.text("retire-link"), Pos: r.pos(),
		}
	}
	return &overlay.Metadata{
		Retire:   retire,
		Category: t.text("category"), UpstreamStatus: t.text("upstream-status"),
		Commits: links(t.get("commits")), Bugs: links(t.get("bugs")), Pos: t.pos(),
	}
}
