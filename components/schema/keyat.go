package schema

import (
	"strings"
)

// KeyAt returns the key of the project format that a path leads to, nil for
// one that is not known. document is set for overlay documents.
func KeyAt(path []string, document bool) *Key {
	k := &RootKey
	if document {
		k = &DocumentKey
	}
	for _, name := range path {
		switch {
		case k == nil:
			return nil
		case k.Type == List && strings.HasPrefix(name, "["), k.Type == Map:
			k = k.Elem
		case k.Type == Table:
			k = k.Find(name)
		default:
			return nil
		}
	}
	return k
}
