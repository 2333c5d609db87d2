package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/schema"
)

func InitCmd(g *cli.Globals) *cobra.Command {
	var name, release string
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Start a new project",
		Long: `Write an azldev.toml for a new project into DIR, the working directory when it
is absent: a distribution of your own whose components come from Fedora. Files
that exist are never overwritten.

With --without-lockfile the project has no lock files: 'specgraft update -a' keeps the
upstream commit of each component in a generated file below base/upstream-commits.`,
		Example: `  specgraft init mydistro
  specgraft init --fedora 44
  specgraft init --without-lockfile mydistro`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := g.ProjectDir
			if len(args) == 1 {
				dir = filepath.Join(dir, args[0])
				if filepath.IsAbs(args[0]) {
					dir = args[0]
				}
			}
			dir, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			if strings.Trim(release, "0123456789") != "" || release == "" {
				return cli.Usagef("--fedora is a release number such as 43, not %q", release)
			}
			if name == "" {
				name = filepath.Base(dir)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			o := g.LoadOptions()
			pins := o.WithoutLocks != nil && *o.WithoutLocks || o.Profile == schema.ProfilePins
			path := filepath.Join(dir, components.FileName)
			err = cli.CreateFile(path, []byte(components.Scaffold(name, release, pins)))
			if errors.Is(err, fs.ErrExist) {
				return cli.Usagef("%s exists already; 'specgraft add NAME' adds a component", path)
			}
			if err != nil {
				return err
			}
			if pins {
				list := filepath.Join(dir, filepath.FromSlash(components.ComponentScaffold))
				if err := os.MkdirAll(filepath.Dir(list), 0o755); err != nil {
					return err
				}
				if err := cli.CreateFile(list, []byte(components.ComponentScaffoldText)); err != nil && !errors.Is(err, fs.ErrExist) {
					return err
				}
				g.Note("wrote %s; 'specgraft add NAME' adds a component, 'specgraft update -a' pins all", path)
				return nil
			}
			g.Note("wrote %s; 'specgraft add NAME' adds a component", path)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "name of the distribution (default: that of the directory)")
	f.StringVar(&release, "fedora", "43", "take packaging from Fedora `RELEASE`")
	return cmd
}
