package components

import (
	"fmt"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
)

// Describe returns what is known of a key, as Markdown: its type and default,
// what it means, and its values.
func Describe(k *schema.Key) string {
	var b strings.Builder
	note := schema.TypeNote(k)
	if k.Required {
		note += ", required"
	}
	if k.Default != "" {
		note += ", default " + k.Default
	}
	switch {
	case k.Ext:
		note += ", extension of specgraft"
	case k.Since != "" && k.Since != "later":
		note += ", since azldev " + k.Since
	}
	if k.Until != "" {
		note += ", gone in azldev " + k.Until
	}
	if k.Name != "" {
		fmt.Fprintf(&b, "**%s** ", k.Name)
	}
	fmt.Fprintf(&b, "_(%s)_\n\n%s\n", note, k.Help)
	for _, c := range k.Enum {
		if c.Value != "" {
			fmt.Fprintf(&b, "\n- `%s`", c.Value)
			if c.Help != "" {
				b.WriteString(": " + c.Help)
			}
		}
	}
	if k.Format != nil {
		fmt.Fprintf(&b, "\nMust be %s.\n", k.Format.What)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// A LayerValue is what one layer of the configuration says.
type LayerValue struct {
	Origin
	Value string
}

// Layers returns what each layer of a component says about the scalar value at
// a path of keys, weakest first; the last one counts.
func (c *Component) Layers(path string) []LayerValue {
	var list []LayerValue
	for _, l := range c.layers {
		scalars(l.tab, "", func(p string, v *toml.Value) {
			if p == path {
				list = append(list, LayerValue{Origin{Layer: l.name, Pos: v.Pos()}, v.Str})
			}
		})
	}
	return list
}

// JoinPath writes a path of keys, in which elements of lists stand as "[0]", as
// Origin takes it.
func JoinPath(path []string) string {
	var b strings.Builder
	for i, p := range path {
		switch {
		case strings.HasPrefix(p, "["):
			b.WriteString(p)
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(toml.QuoteKey(p))
	}
	return b.String()
}
