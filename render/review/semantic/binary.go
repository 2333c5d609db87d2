package semantic

import (
	"bytes"
	"cmp"
	"path"
	"strings"
)

// binary compares packagings of which one has a spec that is no text, and
// reports whether that is so. What such bytes mean is nobody's guess: the spec is
// compared as a file is.
func (c *comparison) binary() bool {
	// A NUL among the first bytes is what git goes by.
	isBinary := func(s *side) bool {
		return bytes.IndexByte(s.p.Spec[:min(len(s.p.Spec), 8000)], 0) >= 0
	}
	old, new := isBinary(c.old), isBinary(c.new)
	if !old && !new {
		return false
	}
	name := path.Base(cmp.Or(c.new.p.Name, c.old.p.Name))
	c.opaque, c.name = true, strings.TrimSuffix(name, ".spec")
	c.files()
	if !bytes.Equal(c.old.p.Spec, c.new.p.Spec) {
		ch := Change{Class: File, Op: Changed, Package: c.name, What: name, Arch: append([]string{}, c.archs...)}
		ch.Old, ch.New = digestOf(c.old), digestOf(c.new)
		switch {
		case ch.Old == nil:
			ch.Op = Added
		case ch.New == nil:
			ch.Op = Removed
		}
		c.diff.Changes = append(c.diff.Changes, ch)
	}
	where := "both"
	switch {
	case !new:
		where = "old"
	case !old:
		where = "new"
	}
	c.diff.Unknown = append(c.diff.Unknown, Unknown{Side: where, What: "spec", Why: "the spec is a binary file, so what it means is not known", Line: 1, Arch: append([]string{}, c.archs...)})
	c.finish()
	return true
}

// digestOf returns the digest of a side's spec, nil when there is none.
func digestOf(s *side) *string {
	if s.p.Spec == nil {
		return nil
	}
	d := Digest(s.p.Spec)
	return &d
}
