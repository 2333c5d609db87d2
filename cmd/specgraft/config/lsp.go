package config

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/fedora"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/editor"
	"specgraft/render/editor/lsp"
)

func LspCmd(g *cli.Globals) *cobra.Command {
	var arch string
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor while configuration and specs are written",
		Long: `Lsp is a language server: an editor starts it and talks to it over standard
input and output, in the Language Server Protocol 3.17. It shows what config
check, the overlays and lint say while the text is being typed, at the same
places as the command line; completes keys, values, tags, sections and macros;
shows what an overlay matches and changes, where a value comes from and which
overlay is the cause of a rendered line; renames components; and offers edits.

TOML files of a project and .spec files are served. The project is found from
the file or folder that the editor has open; several are served at once. The
packaging upstream is read from the mirror, never from the network: what is not
there is said, with the command that fetches it. No file is written: what is to
change the editor does itself. The README says how to set up VS Code, Neovim,
Helix and Emacs.

It ends when the editor says so, with 0, or when the editor is gone, with 3.`,
		Example: `  specgraft lsp --help
  specgraft lsp --arch aarch64 < /dev/null`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&arch, "arch", "", "evaluate specs for the architecture `ARCH` (default x86_64); the editor can choose another")
	cmd.Flags().Bool("stdio", true, "talk over standard input and output, which is the only way; some editors ask for it")
	_ = cmd.Flags().MarkHidden("stdio")
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if arch != "" {
			if err := g.CheckArch(arch); err != nil {
				return err
			}
		}
		cache, err := g.WorkCache()
		if err != nil {
			return err
		}
		store, err := fedora.Open(fedora.Options{CacheDir: cache, Offline: true, AllowHTTP: g.AllowHTTP})
		if err != nil {
			return err
		}
		g.Closers = append(g.Closers, store.Close)
		opt := lsp.Options{Version: cli.Version(), Editor: editor.Options{
			Load:  g.LoadOptions(),
			Arch:  arch,
			Codes: cli.AllCodes(),
			Check: checkLint,
			Renderer: func(p *components.Project) (*render.Renderer, error) {
				r := &render.Renderer{Project: p, Store: store, CacheDir: cache, Build: cli.BuildID(), AllowOutside: g.Outside}
				if p.Settings.DirtyClock == "now" {
					r.Now = time.Now()
				}
				return r, nil
			},
		}}
		if g.Verbose {
			opt.Log = func(line string) { g.Note("%s", strings.TrimSpace(line)) }
		}
		in, out := g.Stdin, writeCloser{g.Stdout}
		if err := lsp.Serve(cmd.Context(), in, out, opt); err != nil {
			return &diag.Diagnostic{Code: "lsp/connection", Message: err.Error(), Env: true,
				Hint: "an editor starts this command; see 'specgraft lsp --help'"}
		}
		return nil
	}
	return cmd
}

// A writeCloser ends the program's output when the server is done with it.
type writeCloser struct{ io.Writer }

func (w writeCloser) Close() error {
	if f, ok := w.Writer.(*os.File); ok {
		return f.Close()
	}
	return nil
}
