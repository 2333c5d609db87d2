package macro

import "go/token"

// A def is one definition of a macro. Definitions of one name form a stack:
// %undefine and the end of a parametric macro uncover the one below.
type def struct {
	name  string
	opts  string // getopt string; "-" switches option processing off
	body  string
	param bool
	level int // nesting of parametric macros in which it was made, 0 global
	prev  *def
	pos   token.Position
	// maybe is an unknown mark for a macro that only some branch of a condition
	// that is not known defines: whether it is defined is not known.
	maybe string
	// reads is the bit of one of targetMacros, 0 for any other macro.
	reads uint16
	// native computes the macro in Go instead of from a body.
	native func(e *Evaluator, c *call) string
}

// A table is a cheap layer of definitions over an immutable set. A nil entry
// says that the name is not defined although the set below has it.
type table struct {
	base  map[string]*def
	layer map[string]*def
	read  uint16 // bits of the macros of the target architecture that were looked up
	// journal, when not nil, records what the layer held before each change.
	journal *journal
}

// A journal undoes changes of a table: one branch of a condition that is
// unknown must not see what the other one defined.
type journal struct {
	outer *journal
	names []string
	had   map[string]slot
}

type slot struct {
	def *def
	ok  bool
}

func newTable(base map[string]*def) *table {
	return &table{base: base, layer: make(map[string]*def, 64)}
}

// lookup returns the definition in force, or nil.
func (t *table) lookup(name string) *def {
	if d, ok := t.layer[name]; ok {
		if d != nil {
			t.read |= d.reads
		}
		return d
	}
	return t.base[name]
}

func (t *table) put(name string, d *def) {
	if j := t.journal; j != nil {
		if _, ok := j.had[name]; !ok {
			old, had := t.layer[name]
			j.had[name] = slot{old, had}
			j.names = append(j.names, name)
		}
	}
	t.layer[name] = d
}

// push defines a macro on top of what is there.
func (t *table) push(d *def) {
	d.prev = t.lookup(d.name)
	t.put(d.name, d)
}

// pop removes the topmost definition of a name.
func (t *table) pop(name string) {
	if d := t.lookup(name); d != nil {
		t.put(name, d.prev)
	}
}

// begin starts a journal.
func (t *table) begin() {
	t.journal = &journal{outer: t.journal, had: map[string]slot{}}
}

// rollback ends the journal and restores the state at its begin. It returns
// the names that had changed, in the order of their first change.
func (t *table) rollback() []string {
	j := t.journal
	t.journal = nil // the undoing itself is seen by the outer journal only
	for _, n := range j.names {
		s := j.had[n]
		if s.ok {
			t.layer[n] = s.def
		} else {
			delete(t.layer, n)
		}
	}
	t.journal = j.outer
	return j.names
}
