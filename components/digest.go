package components

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"

	"specgraft/components/toml"
)

// projectDigest is computed once.
type projectDigest struct {
	once sync.Once
	sum  []byte
}

// Digest returns a digest of everything that a component's configuration
// follows from: the texts of all of the project's files as they were loaded but
// for those of package groups alone, and those of the component's overlay
// documents. What the configuration refers to by name, such as the sources of
// overlays, is not part of it.
func (p *Project) Digest(c *Component) []byte {
	p.digest.once.Do(func() {
		h := sha256.New()
		fmt.Fprintf(h, "%q %q %q %+v\n", p.Dir, p.Root, p.LockDir, p.Settings)
		for _, doc := range p.documents {
			if !doc.packages {
				addSource(h, doc.src)
			}
		}
		p.digest.sum = h.Sum(nil)
	})
	h := sha256.New()
	h.Write(p.digest.sum)
	fmt.Fprintf(h, "%q\n", c.Name)
	seen := map[*toml.Source]bool{}
	for _, op := range c.ops {
		op.EachSource(func(s *toml.Source) {
			if !seen[s] {
				seen[s] = true
				addSource(h, s)
			}
		})
	}
	return h.Sum(nil)
}

func addSource(h hash.Hash, s *toml.Source) {
	fmt.Fprintf(h, "%q %d\n", s.Path, len(s.Text))
	var part [4096]byte // the text itself would be copied as a whole
	for text := s.Text; text != ""; {
		n := copy(part[:], text)
		h.Write(part[:n])
		text = text[n:]
	}
}
