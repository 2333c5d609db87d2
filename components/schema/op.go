package schema

import (
	"go/token"

	"specgraft/components/toml"
	"specgraft/overlay"
)

// Overlay turns an overlay's table into an operation. Values of a wrong type
// are left out; the checker has reported them.
func Overlay(t *toml.Value) overlay.Op {
	op := overlay.Op{Pos: t.Pos(), KeyPos: make(map[string]token.Position, len(t.Keys))}
	for i := range t.Keys {
		e := &t.Keys[i]
		v := e.Val
		op.KeyPos[e.Name] = v.Pos()
		switch v.Kind {
		case toml.KindString:
			if field := op.Field(e.Name); field != nil {
				*field = v.Str
			}
			if e.Name == "source" {
				op.Source = v.Path()
			}
		case toml.KindInt:
			switch n, ok := v.Integer(); {
			case e.Name == "expect" && ok:
				op.Expect = &n
			case e.Name == "branch":
				op.Branch = v.Str
			}
		case toml.KindBool:
			switch e.Name {
			case "replacement-groups":
				op.ReplacementGroups = v.Str == "true"
			case "multiline":
				op.Multiline = v.Str == "true"
			}
		case toml.KindList:
			if e.Name == "lines" {
				op.Lines = v.Strings()
			}
		case toml.KindTable:
			if e.Name == "metadata" {
				op.Metadata = Metadata(v)
			}
		}
	}
	return op
}

func Metadata(t *toml.Value) *overlay.Metadata {
	if t == nil || t.Kind != toml.KindTable {
		return nil
	}
	links := func(v *toml.Value) []overlay.Link {
		if v == nil || v.Kind != toml.KindList {
			return nil
		}
		var out []overlay.Link
		for _, l := range v.List {
			if u := l.Get("url"); u != nil {
				out = append(out, overlay.Link{URL: u.Str, Pos: u.Pos()})
			}
		}
		return out
	}
	var retire *overlay.Retire
	if r := t.Get("specgraft"); r != nil && r.Kind == toml.KindTable {
		retire = &overlay.Retire{
			Commit: r.Text("retire-commit"), Version: r.Text("retire-version"), Date: r.Text("retire-date"),
			With: r.Text("retire-with", "component"), WithVersion: r.Text("retire-with", "version"),
			Link: r.Text("retire-link"), Pos: r.Pos(),
		}
	}
	return &overlay.Metadata{
		Retire:   retire,
		Category: t.Text("category"), UpstreamStatus: t.Text("upstream-status"),
		Commits: links(t.Get("commits")), Bugs: links(t.Get("bugs")), Pos: t.Pos(),
	}
}
