package report

import (
	"encoding/json"
	"reflect"
	"strings"

	"specgraft/overlay/diag"
)

// JSONSchema returns the JSON schema of a report's JSON, made from the types
// that write it.
func JSONSchema() ([]byte, error) {
	g := schemaMaker{defs: map[string]any{}}
	root := g.object(reflect.TypeFor[Report]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "specgraft review"
	root["description"] = "What a change of a project means for what it renders. Keys may be added; \"schema\" is raised when one changes its meaning or goes."
	root["properties"].(map[string]any)["schema"] = map[string]any{"const": Schema, "description": "The version of this format."}
	root["$defs"] = g.defs
	b, err := json.MarshalIndent(root, "", "  ")
	return append(b, '\n'), err
}

type schemaMaker struct{ defs map[string]any }

// keyDocs says what keys mean whose names do not say enough.
var keyDocs = map[string]string{
	"Report.from": "The commit compared from.", "Report.to": "The commit compared to, empty for the working tree.",
	"Report.components":  "What the change touches, most important first.",
	"Report.affected":    "What other components need of what goes.",
	"Report.notes":       "What was not looked at, and why.",
	"Verdict.rendered":   "Whether the mirror had what is needed to render, so that drift and lint are known.",
	"Verdict.unrendered": "Components whose configuration changed while what is checked in did not, where nothing was rendered to tell why.",
	"Verdict.lint":       "New findings about overlays.",
	"Component.kind":     "What matters most: failing, down, drift, unrendered, meaning or noise.",
	"Component.status":   "Of what is checked in: added, changed, removed, or same when the configuration alone differs.", "Component.spec": "Path of the spec in the repository.",
	"Component.inputs":   "What differs in the configuration.",
	"Component.overlays": "Health of the overlays that the change touches.",
	"Component.findings": "Findings about overlays that were not there before.",
	"Component.files":    "The raw diff; empty for components that changed in noise only.",
	"Component.patch":    "The patch that fixes the drift.",
	"Change.class":       "version, release, package, dependency, tag, option, source, patch, section, scriptlet, files, macro, condition, description, changelog, build or file.",
	"Change.op":          "added, removed or changed.", "Change.what": "The tag in lower case, the file, the section.",
	"Change.old": "Null when there was none.", "Change.new": "Null when there is none.",
	"Change.order":    "Of the EVR by rpm's comparison: up, same or down.",
	"Change.arch":     "Where the change is seen; empty for text under a condition that holds on none of the architectures.",
	"Change.old_line": "Line of the old spec, 0 for none.", "Change.new_line": "Line of the new spec, 0 for none.",
	"Change.cause": "The overlay, the upstream commits or the key that caused it; empty when nobody knows.",
}

func (g *schemaMaker) schema(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		s := g.schema(t.Elem())
		if k, ok := s["type"].(string); ok {
			s["type"] = []string{k, "null"}
			return s
		}
		return map[string]any{"anyOf": []any{s, map[string]any{"type": "null"}}}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.schema(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Struct:
		name := t.Name()
		if _, ok := g.defs[name]; !ok {
			g.defs[name] = nil // ends recursion
			if t == reflect.TypeFor[diag.Diagnostic]() {
				g.defs[name] = diagnosticSchema()
			} else {
				g.defs[name] = g.object(t)
			}
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	}
	return map[string]any{"type": "integer"}
}

func (g *schemaMaker) object(t reflect.Type) map[string]any {
	props, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || name == "" {
			continue
		}
		s := g.schema(f.Type)
		if doc := keyDocs[t.Name()+"."+name]; doc != "" {
			s["description"] = doc
		}
		props[name] = s
		if !strings.Contains(opts, "omitempty") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": props, "required": required}
}

// diagnosticSchema is the schema of what a diagnostic writes by itself.
func diagnosticSchema() map[string]any {
	place := map[string]any{"file": map[string]any{"type": "string"}, "line": map[string]any{"type": "integer"}, "column": map[string]any{"type": "integer"},
		"message": map[string]any{"type": "string"}}
	props := map[string]any{"related": map[string]any{"type": "array", "items": map[string]any{"type": "object", "properties": place}},
		"environment": map[string]any{"type": "boolean"}}
	for _, k := range []string{"file", "severity", "code", "component", "message", "hint"} {
		props[k] = map[string]any{"type": "string"}
	}
	for _, k := range []string{"line", "column", "endLine", "endColumn"} {
		props[k] = map[string]any{"type": "integer"}
	}
	return map[string]any{"type": "object", "properties": props, "required": []string{"severity", "code", "message"}}
}
