package components

import (
	"path"
	"strings"

	"specgraft/components/schema"
)

// templateSources returns the remote sources of a templated component that have a
// checksum, as entries of source-files: they are what goes into its sources
// file and what preparing it downloads.
func templateSources(c *Component) []SourceFile {
	t := c.Template
	values := map[string]string{"name": t.Text("name").Value, "version": t.Text("version").Value, "url": t.Text("url").Value}
	if values["name"] == "" {
		values["name"] = c.Name
	}
	var out []SourceFile
	for _, s := range t.Tables("sources") {
		uri := s.Text("url").Value
		for name, v := range values {
			uri = strings.ReplaceAll(uri, "%{"+name+"}", v)
		}
		hash := s.Text("hash")
		if uri == "" || strings.Contains(uri, "%{") || hash.Value == "" {
			continue
		}
		name := path.Base(uri)
		if before, frag, ok := strings.Cut(uri, "#/"); ok {
			name, uri = frag, before
		}
		if schema.PlainFileName(name) {
			out = append(out, SourceFile{Pos: hash.Pos, Filename: name, Hash: hash.Value, HashType: s.Text("hash-type").Value,
				Origin: SourceOrigin{Type: "download", URI: uri}})
		}
	}
	return out
}
