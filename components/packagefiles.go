package components

import (
	"slices"

	"specgraft/components/toml"
)

// This file leaves out what no component follows from: lists of binary packages,
// which are most of the text of a distribution.

// packagesOnly reports whether a configuration file holds package groups and
// nothing else.
func packagesOnly(root *toml.Value) bool {
	return len(root.Keys) > 0 && !slices.ContainsFunc(root.Keys, func(e toml.Entry) bool { return e.Name != packageGroups })
}

const packageGroups = "package-groups"

// PackageFiles returns the absolute paths of the files, however small, that hold
// nothing but package groups, for Options.Known of later loads.
func (p *Project) PackageFiles() []string {
	var files []string
	for _, doc := range p.documents {
		if doc.packages && doc.src.Path != "" {
			files = append(files, doc.src.Path)
		}
	}
	return files
}
