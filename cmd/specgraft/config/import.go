package config

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components/edit"
	"specgraft/components/foreign"
	"specgraft/overlay/diag"
)

func ImportCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Turn other distributions' changes to packaging into overlays",
		Args:  cobra.ArbitraryArgs,
		RunE:  cli.Group,
	}
	cmd.AddCommand(importAutopatchCmd(g), importSrpmprocCmd(g))
	return cmd
}

// An importing is one run of an import command.
type importing struct {
	*cli.Globals
	name, output string
}

func (m *importing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.name, "name", "", "the component's `NAME` (default: that of the directory)")
	f.StringVarP(&m.output, "output", "o", "", "write the component to `FILE`, and the files that its overlays add beside it")
	_ = cmd.MarkFlagFilename("output", "toml")
}

const importHelp = `

The result is a component with overlays, as TOML. What no overlay can say is an
error, what is said only nearly a warning, each at its place in the file; the rest
is written all the same. The exit code is 1 when something could not be said.`

func importAutopatchCmd(g *cli.Globals) *cobra.Command {
	m := &importing{Globals: g}
	cmd := &cobra.Command{
		Use:   "autopatch DIR|FILE",
		Short: "Read a config.yaml of AlmaLinux's autopatch",
		Long: `Autopatch reads the actions of a config.yaml: replace, delete_line,
modify_release, changelog_entry, add_files, delete_files, add_line. Files that are
added lie in files/ beside it.` + importHelp,
		Example: `  specgraft import autopatch autopatch/bash
  specgraft import autopatch autopatch/bash/config.yaml -o components/bash.comp.toml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := args[0]
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				file = filepath.Join(file, "config.yaml")
				others, _ := filepath.Glob(filepath.Join(args[0], "config?*.yaml"))
				for _, o := range others {
					m.Say("%s is for a branch of its own; import it by its name", o)
				}
			}
			data, err := cli.ReadInput("import/input", file, 16<<20)
			if err != nil {
				return err
			}
			c, err := foreign.Autopatch(file, data)
			if err != nil {
				return err
			}
			dir := filepath.Dir(file)
			return m.write(c, dir, nameOf(dir))
		},
	}
	m.flags(cmd)
	return cmd
}

func importSrpmprocCmd(g *cli.Globals) *cobra.Command {
	m := &importing{Globals: g}
	cmd := &cobra.Command{
		Use:   "srpmproc FILE",
		Short: "Read a .cfg file of Rocky's srpmproc",
		Long: `Srpmproc reads the directives of a .cfg file in the text form of protocol
buffers: replace, delete, add, patch, and spec_change with file, append,
new_field, search_and_replace and changelog. Files that it refers to lie below
the top of the patch repository, which is the directory that holds ROCKY/.` + importHelp,
		Example: `  specgraft import srpmproc patch/anaconda/ROCKY/CFG/anaconda.cfg
  specgraft import srpmproc patch/anaconda/ROCKY/CFG/anaconda.cfg --name anaconda -o anaconda.comp.toml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := cli.ReadInput("import/input", args[0], 16<<20)
			if err != nil {
				return err
			}
			dir := patchTop(args[0])
			c, err := foreign.Srpmproc(args[0], data, func(p string) ([]byte, error) { return readBelow(dir, p) })
			if err != nil {
				return err
			}
			return m.write(c, dir, nameOf(dir))
		},
	}
	m.flags(cmd)
	return cmd
}

// nameOf returns the name of a directory.
func nameOf(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(dir)
}

// patchTop returns the top of a patch repository: the directory above ROCKY,
// or that of the file.
func patchTop(file string) string {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if filepath.Base(dir) == "ROCKY" {
			return filepath.Dir(dir)
		}
		if dir == filepath.Dir(dir) {
			return filepath.Dir(file)
		}
	}
}

// readBelow reads a file below a directory, not through links that lead out.
func readBelow(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(filepath.FromSlash(name))
}

// write prints the component or writes it with the files of its overlays.
func (m *importing) write(c *foreign.Config, dir, name string) error {
	format, err := m.FormatOf("text", "json")
	if err != nil {
		return err
	}
	if m.name != "" {
		name = m.name
	}
	files := map[string][]byte{}
	var order []string
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Source == "" {
			continue
		}
		data := op.Data
		if data == nil {
			if data, err = readBelow(dir, op.Source); err != nil {
				d := c.Remarks.Add(token.Position{}, "import/input", "%s: %v", filepath.Join(dir, op.Source), causeOf(err))
				d.Hint = "the overlay names it; put it beside the TOML file"
			}
		}
		base := filepath.Base(op.Source)
		switch {
		case m.output != "":
			// The file goes beside the TOML file.
			if old, ok := files[base]; ok && !bytes.Equal(old, data) {
				return &diag.Diagnostic{Code: "import/input", Message: fmt.Sprintf("two files are called %s", base)}
			}
			if data != nil {
				if _, ok := files[base]; !ok {
					order = append(order, base)
				}
				files[base] = data
			}
			op.Source = base
		case op.Data == nil:
			op.Source = filepath.ToSlash(filepath.Join(dir, op.Source))
		}
	}
	path := []string{"components", name, "overlays"}
	text := "[components." + cli.TomlKey(name) + "]\n"
	for i := range c.Overlays {
		text += "\n" + edit.OverlayText(path, &c.Overlays[i])
	}
	c.Remarks.Sort()
	m.Report(c.Remarks)
	if m.output != "" {
		for _, f := range order {
			p := filepath.Join(filepath.Dir(m.output), f)
			if old, err := os.ReadFile(p); err == nil && !bytes.Equal(old, files[f]) {
				return &diag.Diagnostic{Code: "import/input", Message: p + " exists with other content", Hint: "move it away, or write to another directory"}
			}
			if err := edit.WriteFile(p, files[f]); err != nil {
				return cli.FileProblem("import/input", p, err)
			}
		}
		if err := edit.WriteFile(m.output, []byte(text)); err != nil {
			return cli.FileProblem("import/input", m.output, err)
		}
	}
	switch {
	case format == "json":
		type remark struct {
			Line     int    `json:"line"`
			Severity string `json:"severity"`
			Code     string `json:"code"`
			Message  string `json:"message"`
		}
		remarks := []remark{}
		for _, d := range c.Remarks {
			remarks = append(remarks, remark{d.Pos.Line, d.Severity.String(), d.Code, d.Message})
		}
		err = cli.WriteJSON(m.Stdout, struct {
			Component string   `json:"component"`
			TOML      string   `json:"toml"`
			Overlays  int      `json:"overlays"`
			Remarks   []remark `json:"remarks"`
		}{name, text, len(c.Overlays), remarks})
	case m.output == "":
		_, err = m.Stdout.Write([]byte(text))
	}
	if err != nil {
		return fmt.Errorf("cannot print the results: %w", err)
	}
	unsaid := 0
	for _, d := range c.Remarks {
		if d.Severity == diag.Error {
			unsaid++
		}
	}
	m.Note("%d overlay%s; %d thing%s could not be said", len(c.Overlays), cli.Plural(len(c.Overlays)), unsaid, cli.Plural(unsaid))
	if unsaid > 0 {
		return cli.ExitError(cli.ExitProblems)
	}
	return nil
}

// causeOf takes the path off an error about a file.
func causeOf(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}
