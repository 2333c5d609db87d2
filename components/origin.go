package components

import (
	"go/token"
	"strconv"
	"strings"

	"specgraft/components/toml"
)

// originMap names the layer of every value that the layers hold.
func (c *Component) originMap() map[*toml.Value]string {
	m := map[*toml.Value]string{}
	for _, l := range c.layers {
		markLayer(m, l.tab, l.name)
	}
	return m
}

func markLayer(m map[*toml.Value]string, v *toml.Value, name string) {
	m[v] = name
	for _, el := range v.List {
		markLayer(m, el, name)
	}
	for i := range v.Keys {
		markLayer(m, v.Keys[i].Val, name)
	}
}

// Origin returns where the effective value at path came from. The path names
// keys as TOML does, list elements by their index from 0:
//
//	build.check.skip    overlays[3].value    source-files[0].origin.uri
//
// Overlays of overlay files are counted after the others. It returns false
// when no layer gives the value.
func (c *Component) Origin(path string) (Origin, bool) {
	v := c.merged
	layer := ""
	for _, part := range splitPath(path) {
		name, index, isIndex := part.name, part.index, part.isIndex
		switch {
		case !isIndex:
			v = v.Get(name)
		case v == nil && layer == "":
			return Origin{}, false
		case v != nil && v == c.merged.Get("overlays") || path[:min(len(path), 8)] == "overlays" && layer == "":
			if index >= len(c.ops) {
				return Origin{}, false
			}
			v, layer = c.ops[index], c.opLayers[index]
		case v.Kind == toml.KindList && index < len(v.List):
			v = v.List[index]
		default:
			return Origin{}, false
		}
		if v == nil && !(name == "overlays" && len(c.ops) > 0) {
			return Origin{}, false
		}
	}
	if v == nil || v.Src == nil {
		return Origin{}, false
	}
	if layer == "" {
		layer = c.origins()[v]
	}
	if layer == "" {
		layer = "merged"
	}
	return Origin{Layer: layer, Pos: v.Pos()}, true
}

type pathPart struct {
	name    string
	index   int
	isIndex bool
}

// splitPath reads a dotted path; parts may be quoted as in TOML.
func splitPath(path string) []pathPart {
	var parts []pathPart
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return append(parts, pathPart{name: path})
			}
			n, err := strconv.Atoi(path[1:end])
			if err != nil || n < 0 {
				return append(parts, pathPart{name: path})
			}
			parts = append(parts, pathPart{index: n, isIndex: true})
			path = path[end+1:]
		case '"':
			prefix, err := strconv.QuotedPrefix(path)
			if err != nil {
				return append(parts, pathPart{name: path})
			}
			name, _ := strconv.Unquote(prefix)
			parts = append(parts, pathPart{name: name})
			path = path[len(prefix):]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			parts = append(parts, pathPart{name: path[:end]})
			path = path[end:]
		}
	}
	return parts
}

// Pos returns the position of the key at a path of the merged configuration,
// and the zero position when no file gives it.
func (p *Project) Pos(path ...string) token.Position {
	if len(path) == 0 {
		return toml.NoPos
	}
	if e := p.root.Get(path[:len(path)-1]...).Entry(path[len(path)-1]); e != nil {
		return e.Pos()
	}
	return toml.NoPos
}
