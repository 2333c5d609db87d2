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

// setTarget defines the macros of the target architecture.
func (e *Evaluator) setTarget() {
	arch := e.arch()
	i := slices.IndexFunc(targets, func(t target) bool { return t.cpu == arch })
	t := target{cpu: arch, lib: "lib64", isa: arch + "-64", bits: "64"}
	if i >= 0 {
		t = targets[i]
	}
	if strings.Trim(arch, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		e.warn("macro/bad-value", "%q is not an architecture", excerpt(arch))
		return
	}
	base := t.cpu
	if base == "i686" {
		base = "i386"
	}
	e.table.push(&def{name: "_target_cpu", native: func(e *Evaluator, _ *call) string {
		return e.arch()
	}})
	e.predefine("_arch", base)
	e.predefine("_build_arch", base)
	e.predefine("_host_cpu", t.cpu)
	e.predefine("_lib", t.lib)
	if t.bits != "" {
		name, _, _ := strings.Cut(t.isa, "-")
		if strings.Count(t.isa, "-") == 2 {
			name = t.isa[:strings.LastIndexByte(t.isa, '-')]
		}
		e.predefine("__isa_name", name)
		e.predefine("__isa_bits", t.bits)
		e.predefine("__isa", t.isa)
	}
}

// archMatches reports whether one of the blank-separated names is the target
// architecture.
func (e *Evaluator) archMatches(names string) bool {
	arch := e.arch()
	return slices.ContainsFunc(strings.FieldsFunc(names, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }),
		func(n string) bool { return strings.EqualFold(n, arch) })
}
