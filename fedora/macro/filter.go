package macro

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// An Entry is the verdict over one top-level entry of a component's directory.
type Entry struct {
	Name   string
	Keep   bool
	Reason string // one line: why
}

// Filter decides which top-level entries of a rendered component the reference
// tool keeps: the spec, the `sources` file, and the first path element of each
// Source and Patch that the spec lists. entries are the names of the top-level
// entries; the result has the same order. spec is the rendered text; cfg.FS is
// its directory, and a nil cfg.Set means SRPM().
//
// Sources under a condition that is false are not listed and hence dropped, as
// are those of other architectures. Nothing is dropped when a listed entry
// contains "%{" (the whole entry counts, not only its base name), when one is
// not known, or when rpm would not accept the spec.
func Filter(specName string, spec []byte, entries []string, cfg Config) []Entry {
	if cfg.Set == nil {
		cfg.Set = SRPM()
	}
	return FilterSpec(specName, Eval(specName, spec, cfg), entries)
}

// FilterSpec is Filter on a spec that was evaluated before.
func FilterSpec(specName string, s *Spec, entries []string) []Entry {
	out := make([]Entry, len(entries))
	all, listed := listing(s)
	for i, name := range entries {
		e := Entry{Name: name, Keep: true}
		switch why, ok := listed[name]; {
		case name == specName:
			e.Reason = "the spec"
		case name == "sources":
			e.Reason = "the sources file"
		case ok:
			e.Reason = why
		case all != "":
			e.Reason = all
		default:
			e.Keep = false
			e.Reason = "not listed by any Source or Patch"
		}
		out[i] = e
	}
	return out
}

// listing returns the top-level entries that the spec lists, each with the tag
// that does, and a reason when nothing can be dropped.
func listing(s *Spec) (all string, listed map[string]string) {
	listed = map[string]string{}
	keepAll := func(format string, args ...any) {
		if all == "" {
			all = "nothing is dropped: " + fmt.Sprintf(format, args...)
		}
	}
	if d := s.Rejected(); d != nil {
		keepAll("rpm would not accept the spec: %s", d.Message)
	}
	for _, o := range s.Open {
		if o.Field == openSection {
			continue // a script or list of files, as good as always
		}
		keepAll("the spec may list more files: %s", o.Reason)
	}
	for _, l := range []struct {
		tag  string
		list []Source
	}{{"Source", s.Sources}, {"Patch", s.Patches}} {
		for i := range l.list {
			src := &l.list[i]
			tag := fmt.Sprintf("%s%d", l.tag, src.Number)
			switch {
			case hasUnknown(src.raw):
				keepAll("%s is not known: %s", tag, src.Value.Reason)
				continue
			case strings.Contains(src.raw, "%{"):
				keepAll("%s has a macro that is not defined: %s", tag, excerpt(src.raw))
			}
			if name := listedName(src.raw); name != "" {
				if _, ok := listed[name]; !ok {
					listed[name] = "listed as " + tag
					if src.Maybe {
						listed[name] += " under a condition that is not known"
					}
				}
			}
		}
	}
	return all, listed
}

// listedName returns the top-level entry that a Source or Patch means, or "".
func listedName(value string) string {
	name := value
	if u, err := url.Parse(value); err == nil && u.Scheme != "" && u.Host != "" {
		name = path.Base(u.Path)
		if strings.HasPrefix(u.Fragment, "/") || strings.HasPrefix(u.Fragment, "./") {
			name = path.Base(u.Fragment)
		}
		if name == "." || name == "/" {
			return ""
		}
		return name
	}
	name = path.Clean(name)
	if name == "." || name == ".." || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "../") {
		return ""
	}
	first, _, _ := strings.Cut(name, "/")
	return first
}
