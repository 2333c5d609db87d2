package macro

import (
	"errors"
	"slices"
	"strings"
)

var errBadDefinition = errors.New("the macro definition cannot be read")

// A target holds what rpm derives from the target architecture.
type target struct {
	cpu  string // %_target_cpu, %_arch
	lib  string // %_lib
	isa  string // %__isa, what %_isa puts in parentheses
	bits string
}

// targets are the architectures Fedora and Azure Linux build for, and the
// secondary ones specs ask about.
var targets = []target{
	{"x86_64", "lib64", "x86-64", "64"},
	{"aarch64", "lib64", "aarch-64", "64"},
	{"i686", "lib", "x86-32", "32"},
	{"i386", "lib", "x86-32", "32"},
	{"ppc64le", "lib64", "ppc-64", "64"},
	{"s390x", "lib64", "s390-64", "64"},
	{"riscv64", "lib64", "riscv-64", "64"},
	{"armv7hl", "lib", "armv7hl-32", "32"},
	{"noarch", "lib64", "", ""},
}

// Archs returns the names of the architectures whose macros are known. Another
// name is taken for one with 64 bits.
func Archs() []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.cpu
	}
	return names
}

// arch is the target architecture.
func (e *Evaluator) arch() string {
	if e.target != "" {
		return e.target
	}
	if e.cfg.Arch == "" {
		return "x86_64"
	}
	return e.cfg.Arch
}

// validArch reports whether an architecture has a name that macros can hold.
func validArch(arch string) bool {
	return strings.Trim(arch, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// targetMacros are the macros whose body is that of the target architecture,
// but for _target_cpu, which a BuildArch changes.
var targetMacros = [...]string{"_arch", "_build_arch", "_host_cpu", "_lib", "__isa_name", "__isa_bits", "__isa"}

// targetBodies returns the bodies of targetMacros for an architecture; one that
// is empty is not defined.
func targetBodies(arch string) (bodies [len(targetMacros)]string) {
	i := slices.IndexFunc(targets, func(t target) bool { return t.cpu == arch })
	t := target{cpu: arch, lib: "lib64", isa: arch + "-64", bits: "64"}
	if i >= 0 {
		t = targets[i]
	}
	base := t.cpu
	if base == "i686" {
		base = "i386"
	}
	bodies = [...]string{base, base, t.cpu, t.lib, "", "", ""}
	if t.bits != "" {
		name, _, _ := strings.Cut(t.isa, "-")
		if strings.Count(t.isa, "-") == 2 {
			name = t.isa[:strings.LastIndexByte(t.isa, '-')]
		}
		bodies[4], bodies[5], bodies[6] = name, t.bits, t.isa
	}
	return bodies
}

// setTarget defines the macros of the target architecture.
func (e *Evaluator) setTarget() {
	arch := e.arch()
	if !validArch(arch) {
		e.warn("macro/bad-value", "%q is not an architecture", excerpt(arch))
		return
	}
	e.table.push(&def{name: "_target_cpu", native: func(e *Evaluator, _ *call) string {
		if e.target == "" {
			e.table.read |= readCPU
		}
		return e.arch()
	}})
	for i, body := range targetBodies(arch) {
		if body != "" {
			e.table.push(&def{name: targetMacros[i], body: body, reads: 1 << i})
		}
	}
}

// readCPU is the bit of _target_cpu beside those of targetMacros.
const readCPU = 1 << len(targetMacros)

// readsOf says what an evaluation asked about its architecture.
type readsOf struct {
	arch   string
	macros uint16   // bits of targetMacros, and readCPU
	asked  []string // what %ifarch and the like compared with it
}

// SameFor reports whether the spec would be the same for another architecture:
// the evaluation asked for nothing that is different there. The path that
// %{buildroot} stands for does not count, although it ends in the architecture.
// The answer may be no where the difference makes none.
func (s *Spec) SameFor(arch string) bool {
	r := &s.reads
	if r.arch == arch {
		return true
	}
	if r.arch == "" || !validArch(r.arch) || !validArch(arch) || r.macros&readCPU != 0 {
		return false
	}
	here, there := targetBodies(r.arch), targetBodies(arch)
	for i := range here {
		// A macro that only one of them has could be missed without a trace.
		if here[i] != there[i] && (r.macros&(1<<i) != 0 || here[i] == "" || there[i] == "") {
			return false
		}
	}
	return !slices.ContainsFunc(r.asked, func(names string) bool { return names == "" || matchesArch(names, r.arch) != matchesArch(names, arch) })
}

// archMatches reports whether one of the blank-separated names is the target
// architecture.
func (e *Evaluator) archMatches(names string) bool {
	if e.target == "" && e.spec != nil && !slices.Contains(e.asked, names) {
		const limit = 1000
		switch n := len(e.asked); {
		case n < limit:
			e.asked = append(e.asked, names)
		case n == limit:
			e.asked = append(e.asked, "") // see SameFor
		}
	}
	return matchesArch(names, e.arch())
}

func matchesArch(names, arch string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(names, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }),
		func(n string) bool { return strings.EqualFold(n, arch) })
}
