package schema

import (
	"fmt"
	"strings"

	"specgraft/overlay"
)

// obj is a JSON object; encoding/json writes its keys sorted.
type obj = map[string]any

// Schema returns the JSON Schema (2020-12) of configuration files, or with
// document that of overlay documents. It is made from the tables that validate
// and takes every file that the loader takes; rules across files and the form
// of regular expressions are the loader's alone.
func Schema(document bool) obj {
	g := &schemaGen{defs: obj{}}
	root, title := &RootKey, "Project configuration"
	if document {
		root, title = &DocumentKey, "Overlay document"
	}
	s := g.schema(root)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = title
	s["$defs"] = g.defs
	return s
}

type schemaGen struct{ defs obj }

// shared tables become definitions, because they stand in several places.
func (g *schemaGen) ref(name string, k *Key) obj {
	if _, ok := g.defs[name]; !ok {
		g.defs[name] = obj{} // reserves the name
		g.defs[name] = g.body(k)
	}
	s := obj{"$ref": "#/$defs/" + name}
	if k.Help != "" {
		s["description"] = describe(k)
	}
	return s
}

func (g *schemaGen) schema(k *Key) obj {
	switch {
	case k.ops:
		if _, ok := g.defs["overlay"]; !ok {
			g.defs["overlay"] = g.overlay(k)
		}
		return obj{"$ref": "#/$defs/overlay", "description": describe(k)}
	case len(k.Keys) > 0 && &k.Keys[0] == &componentKeys[0]:
		return g.ref("component", k)
	case len(k.Keys) > 0 && &k.Keys[0] == &metadataKeys[0]:
		return g.ref("metadata", k)
	case len(k.Keys) > 0 && &k.Keys[0] == &distroRefKeys[0]:
		return g.ref("distro-reference", k)
	case len(k.Keys) > 0 && &k.Keys[0] == &packageKeys[0]:
		return g.ref("package", k)
	}
	s := g.body(k)
	if k.Help != "" {
		s["description"] = describe(k)
	}
	if k.Default != "" {
		switch k.Type {
		case Bool:
			s["default"] = k.Default == "true"
		case String:
			s["default"] = k.Default
		}
	}
	return s
}

// describe is the text that editors show.
func describe(k *Key) string {
	var b strings.Builder
	b.WriteString(k.Help)
	for _, c := range k.Enum {
		if c.Help != "" {
			fmt.Fprintf(&b, "\n- %s: %s", c.Value, c.Help)
			if c.Ext && !k.Ext {
				b.WriteString(" Extension of specgraft.")
			}
		}
	}
	if k.Path {
		b.WriteString("\nRelative to the directory of this file.")
	}
	if k.Ext {
		b.WriteString("\nExtension of specgraft.")
	}
	switch {
	case k.Since == "later":
		b.WriteString("\nNot in azldev 1.0, but in later states of it.")
	case k.Since != "":
		b.WriteString("\nSince azldev " + k.Since + ".")
	}
	if k.Until != "" {
		b.WriteString("\nGone in azldev " + k.Until + ".")
	}
	return strings.TrimPrefix(b.String(), "\n")
}

func (g *schemaGen) body(k *Key) obj {
	switch k.Type {
	case String:
		s := obj{"type": "string"}
		g.text(s, k)
		return s
	case Bool:
		return obj{"type": "boolean"}
	case Int:
		return obj{"type": "integer"}
	case Branch:
		return obj{"type": []string{"string", "integer"}}
	case List:
		s := obj{"type": "array", "items": g.schema(k.Elem)}
		if k.Required || k.Filled {
			s["minItems"] = 1
		}
		return s
	case Map:
		s := obj{"type": "object", "additionalProperties": g.schema(k.Elem)}
		if k.NameRule != nil {
			names := obj{"pattern": k.NameRule.Pattern}
			if k.NameRule.Except != nil {
				names["not"] = obj{"enum": k.NameRule.Except}
			}
			s["propertyNames"] = names
		}
		return s
	case Table:
		return g.table(k)
	}
	return obj{}
}

func (g *schemaGen) text(s obj, k *Key) {
	if len(k.Enum) > 0 {
		var values []string
		for _, c := range k.Enum {
			values = append(values, c.Value)
		}
		s["enum"] = values
		return
	}
	filled := k.Required || k.Filled
	if k.Format != nil {
		s["pattern"] = k.Format.Pattern
		if k.Format.Except != nil {
			s["not"] = obj{"enum": k.Format.Except}
		}
		if !filled {
			s["pattern"] = "^$|" + k.Format.Pattern
		}
		return
	}
	if filled {
		s["pattern"] = `\S`
	}
}

func (g *schemaGen) table(k *Key) obj {
	props := obj{}
	var required []string
	for i := range k.Keys {
		sub := &k.Keys[i]
		p := g.schema(sub)
		if sub.Ext {
			p["x-extension"] = true
		}
		props[sub.Name] = p
		if sub.Required {
			required = append(required, sub.Name)
		}
	}
	s := obj{"type": "object", "properties": props, "additionalProperties": k.Open}
	if required != nil {
		s["required"] = required
	}
	var all []obj
	for i := range k.Rules {
		r := &k.Rules[i]
		if k.Late && len(r.Need) > 0 {
			continue // another file may have what is needed
		}
		all = append(all, g.rules(k, r, k.Late)...)
	}
	if k.Name == "metadata" {
		all = append(all, obj{
			"if":   obj{"properties": obj{"category": obj{"const": "upstream-backport"}}, "required": []string{"category"}},
			"then": obj{"required": []string{"commits"}, "properties": obj{"commits": obj{"minItems": 1}, "upstream-status": obj{"enum": []string{"upstreamed", "upstreamable"}}}},
		})
	}
	if all != nil {
		s["allOf"] = all
	}
	return s
}

// zeros are the values that count as not given.
var zeros = []any{"", false, 0, []any{}, obj{}}

// rules expresses one rule as conditional schemas. A late rule does not speak of
// a table that lacks the key it looks at.
func (g *schemaGen) rules(k *Key, r *Rule, late bool) []obj {
	cond := obj{"required": []string{r.Key}}
	if r.Is == nil {
		cond["properties"] = obj{r.Key: obj{"not": obj{"enum": zeros}}}
	} else {
		var values []any
		for _, v := range r.Is {
			if sub := k.Find(r.Key); sub != nil && sub.Type == Bool {
				values = append(values, v == "true")
			} else {
				values = append(values, v)
			}
		}
		cond["properties"] = obj{r.Key: obj{"enum": values}}
	}
	if r.Not {
		cond = obj{"not": cond}
		if late {
			cond["required"] = []string{r.Key}
			cond["properties"] = obj{r.Key: obj{"not": obj{"enum": []any{""}}}}
		}
	}
	then := obj{}
	props := obj{}
	if r.Need != nil {
		then["required"] = r.Need
		for _, name := range r.Need {
			p := obj{"not": obj{"enum": zeros}}
			if sub := k.Find(name); sub != nil && sub.Type == String {
				p = obj{"pattern": `\S`}
			}
			props[name] = p
		}
	}
	for _, name := range r.Forbid {
		props[name] = obj{"enum": zeros}
	}
	then["properties"] = props
	return []obj{{"if": cond, "then": then}}
}

// overlay is the schema of one overlay: the type selects which keys are
// allowed and which are needed.
func (g *schemaGen) overlay(k *Key) obj {
	s := g.table(k)
	props := s["properties"].(obj)
	var types []string
	var all []obj
	var help strings.Builder
	for i := range overlay.Ops {
		op := &overlay.Ops[i]
		types = append(types, string(op.Type))
		fmt.Fprintf(&help, "\n- %s: %s", op.Type, op.Help)
		then := obj{}
		sub := obj{}
		var required, allowed []string
		for _, keys := range [][]overlay.Key{overlay.CommonKeys, op.Keys} {
			for _, ok := range keys {
				allowed = append(allowed, ok.Name)
				if keys[0].Name != "type" {
					sub[ok.Name] = obj{"description": ok.Help}
				}
				if ok.Required {
					required = append(required, ok.Name)
					p, _ := sub[ok.Name].(obj)
					if p == nil {
						p = obj{}
					}
					switch ok.Kind {
					case overlay.KeyStrings:
						p["minItems"] = 1
					case overlay.KeyString, overlay.KeyPath:
						p["minLength"] = 1
					}
					sub[ok.Name] = p
				}
			}
		}
		then["required"] = required
		then["properties"] = sub
		then["propertyNames"] = obj{"enum": allowed}
		all = append(all, obj{
			"if":   obj{"properties": obj{"type": obj{"const": string(op.Type)}}, "required": []string{"type"}},
			"then": then,
		})
	}
	props["type"] = obj{"type": "string", "enum": types, "description": "Operation." + help.String()}
	s["required"] = []string{"type"}
	s["allOf"] = all
	return s
}
