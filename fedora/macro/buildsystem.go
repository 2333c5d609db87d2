package macro

import (
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// A buildStep is a section that a build system fills in when the spec has none
// of its own.
type buildStep struct {
	name     string
	required bool // every build system must have a macro for it
}

// buildSteps follows "Declarative builds" in the manual of rpm 4.20, in the
// order in which rpm adds the sections behind the spec.
var buildSteps = []buildStep{
	{"prep", false}, {"conf", true}, {"generate_buildrequires", false}, {"build", true},
	{"install", true}, {"check", false}, {"clean", false},
}

// buildSystem adds the sections that the tag BuildSystem stands for: each is
// what %buildsystem_NAME_SECTION, or else %buildsystem_default_SECTION, makes of
// the BuildOption lines for it.
func (st *specState) buildSystem() {
	e := st.e
	options := st.buildOptions()
	tags := st.spec.Packages[0].Tags
	i := slices.IndexFunc(tags, func(t Tag) bool { return t.Name == "BuildSystem" })
	if i < 0 || tags[i].Maybe || hasUnknown(tags[i].raw) || e.spent {
		return
	}
	system := tags[i]
	e.pos = system.Pos
	macro := func(step buildStep) string { return "buildsystem_" + system.raw + "_" + step.name }
	var missing, required []string
	for _, step := range buildSteps {
		if step.required {
			required = append(required, "%"+macro(step))
			if d := e.table.lookup(macro(step)); d == nil || !d.param && d.maybe == "" {
				missing = append(missing, "%"+macro(step))
			}
		}
	}
	switch len(missing) {
	case 0:
	case len(required):
		// The package with the macros may be one that the set does not have.
		e.warn("macro/build-system", "the macro set knows no build system %q: the sections it adds are not known", excerpt(system.raw))
		return
	default:
		e.problem("macro/build-system", "the build system %q lacks the macro %s with arguments", excerpt(system.raw), strings.Join(missing, ", "))
		return
	}
	for _, step := range buildSteps {
		if slices.ContainsFunc(st.spec.Sections, func(s Section) bool { return s.Name == step.name && !partOfSection(s.Args) }) {
			continue
		}
		d := e.table.lookup(macro(step))
		if d == nil {
			d = e.table.lookup("buildsystem_default_" + step.name)
		}
		if d == nil {
			continue
		}
		st.r.give("%" + step.name)
		st.line("%" + step.name)
		// The options were expanded at their lines and are no options of the macro.
		words := e.words(options[step.name])
		c := &call{name: d.name, raw: words, args: words, taint: taintOf(words...)}
		st.r.pending, st.r.havePnd = d.maybe+"\n", true
		if d.maybe == "" {
			st.r.pending = e.outermost(func() []byte { return e.run(nil, d, c) }) + "\n"
		}
		for line, ok := st.r.next(); ok; line, ok = st.r.next() {
			st.line(line)
		}
	}
}

// buildOptions returns the BuildOption lines by section, "conf" where none is
// named.
func (st *specState) buildOptions() map[string]string {
	options := map[string][]string{}
	names := make([]string, len(buildSteps))
	for i, step := range buildSteps {
		names[i] = step.name
	}
	for _, t := range st.spec.Packages[0].Tags {
		if t.Name != "BuildOption" {
			continue
		}
		section := t.Arg
		if section == "" {
			section = "conf"
		}
		if !slices.Contains(names, section) && !t.Maybe {
			d := st.e.problem("macro/bad-value", "BuildOption: %q is no section that a build system fills in", excerpt(section))
			d.Pos = t.Pos
			d.Hint = "there are " + strings.Join(names, ", ")
			if near := diag.Nearest(section, names); near != "" {
				d.Hint = "did you mean " + near + "?"
			}
		}
		options[section] = append(options[section], t.raw+t.cond)
	}
	joined := make(map[string]string, len(options))
	for section, list := range options {
		joined[section] = strings.Join(list, " ")
	}
	return joined
}

// partOfSection reports whether the arguments of a section's header say that it
// is added to another one (rpm 4.20).
func partOfSection(args string) bool {
	return strings.HasPrefix(args, "-a") || strings.HasPrefix(args, "-p")
}
