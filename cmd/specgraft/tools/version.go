package tools

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
)

func VersionCmd(g *cli.Globals) *cobra.Command {
	var project bool
	cmd := &cobra.Command{
		Use:     "version",
		Aliases: []string{"ver"},
		Short:   "Print the version of this build",
		Long: `Print the version of this build: that of the module, or the commit it was built
from. --json gives the commit, whether files differed from it, and the version
of Go, for a report or a log. With --project also name the profile of the project:
the state of azldev's format that it keeps to, and what that was found by.`,
		Example: `  specgraft version
  specgraft version --project
  specgraft version --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if project && len(args) == 1 { // --project DIR
				return nil
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := g.FormatOf("text", "table", "json")
			if err != nil {
				return err
			}
			if len(args) == 1 {
				g.ProjectDir = args[0]
			}
			var found *projectProfile
			if project {
				p, err := g.Load()
				if err != nil {
					return err
				}
				found = &projectProfile{p.Profile, p.ProfileReason, p.Display(p.File), p.WithoutLocks}
			}
			if format == "json" {
				build := struct {
					Version  string `json:"version"`
					Commit   string `json:"commit,omitempty"`
					Modified bool   `json:"modified"` // the files were not as in the commit
					Go       string `json:"go"`

					Project *projectProfile `json:"project,omitempty"`
				}{Version: cli.Version(), Go: runtime.Version(), Project: found}
				if info, ok := debug.ReadBuildInfo(); ok {
					build.Commit, build.Modified = cli.Commit(info)
				}
				return cli.WriteJSON(g.Stdout, build)
			}
			fmt.Fprintln(g.Stdout, "specgraft", cli.Version())
			if found != nil {
				_, err = fmt.Fprintf(g.Stdout, "%s: profile %s (%s)\n", found.File, found.Profile, found.Reason)
			}
			return err
		},
	}
	// The global flag of that name takes a directory; here it need not.
	f := cmd.Flags()
	f.VarPF(&projectFlag{&g.ProjectDir, &project}, "project", "C", "also print the profile of the project, found from `DIR` or the working directory").NoOptDefVal = "."
	return cmd
}

// A projectFlag is a directory that is optional.
type projectFlag struct {
	dir   *string
	given *bool
}

func (p *projectFlag) Set(dir string) error {
	*p.dir, *p.given = dir, true
	return nil
}

func (p *projectFlag) String() string { return "" }

func (p *projectFlag) Type() string { return "string" }

// projectProfile is what version says of the project.
type projectProfile struct {
	Profile         string `json:"profile"`
	Reason          string `json:"reason"`
	File            string `json:"file"`
	WithoutLockfile bool   `json:"withoutLockfile"`
}
