package macro

import (
	"go/token"

	"specgraft/fedora/macro/fuel"
	"specgraft/overlay/diag"
)

// An Evaluator expands texts one after another in one macro context.
type Evaluator struct {
	cfg      Config
	budget   Budget
	table    *table
	builtins map[string]*builtin

	frame *call // the parametric macro under way
	level int   // its nesting
	depth int   // of expansions
	pos   token.Position

	causes   []cause
	causeIDs map[cause]int
	problems diag.List
	failed   string // why the expansion under way failed
	spent    bool   // the budget is used up
	tank     *fuel.Tank
	rpm      string // the version of rpm whose language this is, "" for the newest
	steps    int
	inLine   int // steps since the line began
	written  int
	total    int

	maybe     int      // nesting of branches under unknown conditions
	maybes    []string // and the reasons
	asked     []string // the architectures that conditions compared with that of the target
	target    string   // the target architecture once BuildArch has set it
	recording bool
	probing   bool
	defs      []Definition
	bconds    []Bcond

	spec *specState // the spec being evaluated, nil outside of Eval
	lua  *luaState  // once Lua code was met

	heads map[string][]byte // first bytes of files by name, nil where there is none
}

// New returns an Evaluator whose macros are those of cfg.
func New(cfg Config) *Evaluator {
	set := cfg.Set
	if set == nil {
		set = Builtin()
	}
	e := &Evaluator{
		cfg:      cfg,
		budget:   cfg.Budget.withDefaults(),
		table:    newTable(set.macros),
		builtins: builtins,
		tank:     fuel.New(cfg.Stop),
		causeIDs: map[cause]int{},
	}
	e.setTarget()
	d := cfg.Distro
	if d == (Distro{}) && set.macros["fedora"] == nil && set.macros["rhel"] == nil && set.macros["dist"] == nil {
		d = Distro{Fedora: "43", Dist: ".fc43"}
	}
	e.predefine("fedora", d.Fedora)
	e.predefine("rhel", d.RHEL)
	e.predefine("dist", d.Dist)
	if d.Fedora != "" {
		e.predefine("fc"+d.Fedora, "1")
	}
	if d.RHEL != "" && d.Fedora == "" {
		e.table.put("fedora", nil)
		e.predefine("el"+d.RHEL, "1")
	}
	e.predefine("_topdir", topDir)
	if cfg.AutoreleaseProbe {
		e.table.push(&def{name: "autorelease", param: true, opts: "e:s:pb:n",
			body: "E%{?-e*}_S%{?-s*}_P%{?-p:1}%{!?-p:0}_B%{?-b*}"})
		e.table.push(&def{name: "autochangelog", body: "%{nil}"})
		e.probing = true
	}
	for _, w := range cfg.With {
		if validName("_" + w) {
			e.predefine("_with_"+w, "--with-"+w)
		}
	}
	for _, w := range cfg.Without {
		if validName("_" + w) {
			e.predefine("_without_"+w, "--without-"+w)
		}
	}
	for _, u := range cfg.Undefines {
		e.table.put(u, nil)
	}
	for _, m := range cfg.Defines {
		if d, ok := parseDefinition(m.Name + " " + m.Body); ok {
			e.table.push(d)
		} else if d, ok := parseDefinition(m.Name + " %{nil}"); ok && m.Body == "" {
			e.table.push(d)
		} else {
			e.warn("macro/syntax", "the definition of %q cannot be read", excerpt(m.Name))
		}
	}
	e.rpm = rpmVersionOf(e.table.lookup("rpmversion"))
	return e
}

func (e *Evaluator) predefine(name, body string) {
	if body != "" {
		e.table.push(&def{name: name, body: body})
	}
}

// Expand expands text. What it defines stays defined. The position is that of
// the text's first byte, for messages.
func (e *Evaluator) Expand(pos token.Position, text string) Value {
	e.pos = pos
	return e.value(e.top(clean(text)), pos)
}

// Define defines a macro as a %define outside of all macros does.
func (e *Evaluator) Define(name, body string) error {
	d, ok := parseDefinition(name + " " + body)
	if !ok {
		return errBadDefinition
	}
	e.table.push(d)
	return nil
}

// Defined reports whether there is a macro of that name.
func (e *Evaluator) Defined(name string) bool {
	return e.table.lookup(name) != nil || e.builtins[name] != nil
}

// Problems returns what was wrong with the texts expanded so far.
func (e *Evaluator) Problems() diag.List { return e.problems }
