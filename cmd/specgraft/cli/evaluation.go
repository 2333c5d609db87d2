package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"specgraft/fedora/macro"
)

// ReadMacroSet reads a file written by "macros import" and checks its hash.
func ReadMacroSet(file string) (*macro.Set, error) {
	b, err := ReadInput("macros/file", file, MaxSpec)
	if err != nil {
		return nil, err
	}
	return macro.ParseSet(file, b)
}

// QuerySettings is what a spec is evaluated with, as given on the command line.
type QuerySettings struct {
	arch                              string
	defines, with, without, undefines []string
	WhatIf                            []string
	macros, Sources                   string
}

// Flags adds the flags of the settings to a command.
func (s *QuerySettings) Flags(cmd *cobra.Command) {
	s.EvaluationFlags(cmd)
	ListVar(cmd.Flags(), &s.WhatIf, "what-if", "", "print what `SETTING` would change; may be repeated")
}

// EvaluationFlags adds the flags that say what specs are evaluated with.
func (s *QuerySettings) EvaluationFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.arch, "arch", "x86_64", "evaluate for the architecture `ARCH`")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
	s.SettingFlags(cmd)
}

// SettingFlags adds those of EvaluationFlags but for the architecture.
func (s *QuerySettings) SettingFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	ListVar(f, &s.defines, "define", "D", "define the macro `'NAME VALUE'`; may be repeated")
	ListVar(f, &s.with, "with", "", "switch the build conditional `NAME` on; may be repeated")
	ListVar(f, &s.without, "without", "", "switch the build conditional `NAME` off; may be repeated")
	ListVar(f, &s.undefines, "undefine", "", "remove the macro `NAME`; may be repeated")
	f.Var(f.Lookup("undefine").Value, "undefined", "")
	_ = f.MarkHidden("undefined") // another spelling of --undefine
	s.MacrosFlag(cmd)
}

// MacrosFlag adds the flag that names a macro set, without the other settings.
func (s *QuerySettings) MacrosFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.macros, "macros", "", "evaluate with the macro set in `FILE`, made by 'specgraft macros import'")
}

// Config returns the evaluation that the flags ask for.
func (s *QuerySettings) Config() (macro.Config, error) {
	cfg := macro.Config{Arch: s.arch, With: s.with, Without: s.without, Undefines: s.undefines}
	for _, d := range s.defines {
		m, err := ParseDefine(d)
		if err != nil {
			return cfg, err
		}
		cfg.Defines = append(cfg.Defines, m)
	}
	if s.macros != "" {
		set, err := ReadMacroSet(s.macros)
		if err != nil {
			return cfg, err
		}
		cfg.Set = set
	}
	return cfg, nil
}

// CheckArch refuses names that rpm has another word for, and says so when one
// is not known: it may be a new one, or misspelt.
func (g *Globals) CheckArch(arch string) error {
	if ours, ok := otherArchs[arch]; ok {
		return Usagef("rpm calls the architecture %s %s", arch, ours)
	}
	if known := macro.Archs(); !slices.Contains(known, arch) {
		g.Note("the architecture %q is not known, its macros are guessed%s", arch, DidYouMean(arch, known))
	}
	return nil
}

// ParseDefine reads what stands behind --define.
func ParseDefine(s string) (macro.Define, error) {
	name, body, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		return macro.Define{}, Usagef("--define %q: want a name, a blank and a value", s)
	}
	return macro.Define{Name: strings.TrimPrefix(name, "%"), Body: strings.TrimSpace(body)}, nil
}

// ParseTime reads a moment as RFC 3339 or as @ and seconds since 1970.
func ParseTime(s string) (time.Time, error) {
	if unix, ok := strings.CutPrefix(s, "@"); ok {
		sec, err := strconv.ParseInt(unix, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q is not a number of seconds", unix)
		}
		return time.Unix(sec, 0).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither RFC 3339 (2026-02-24T00:00:00Z) nor @UNIX", s)
	}
	return t, nil
}

// otherArchs maps what others call an architecture to rpm's name for it.
var otherArchs = map[string]string{"amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7hl", "ppc64el": "ppc64le", "x86": "i686"}
