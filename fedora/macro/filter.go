package macro

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
// Nothing is dropped when a listed entry contains "%{" or is not known.
func Filter(specName string, spec []byte, entries []string, cfg Config) []Entry {
	return nil
}
