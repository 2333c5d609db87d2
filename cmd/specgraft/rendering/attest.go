package rendering

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/attest"
	"specgraft/render/revision"
)

func AttestCmd(g *cli.Globals) *cobra.Command {
	var out, sign, spdx, packages string
	cmd := &cobra.Command{
		Use:   "attest [-a | NAME...] -o FILE",
		Short: "Say where rendered specs come from, for others to check",
		Long: `Attest writes an in-toto statement with a SLSA provenance about the rendered
directories of components, and about source packages with --srpms. It names the
commit of the project, upstream's commits, the files of configuration and overlays,
the sources with their digests, the macro set and the version of specgraft. The
components are rendered in memory first: a directory that is not what would be
rendered, or a change that is not committed, is an error.

The digest of a directory is the SHA-256 over a line for each file, sorted by path:
mode (0644 or 0755), SHA-256 and path, with a blank between them. Nothing in the
statement depends on the machine or the time, so two machines write the same bytes.

With --sign it is signed as DSSE, by an ed25519 key in PEM or a key of SSH. With
--spdx an SPDX 2.3 document of each component is written, too.`,
		Example: `  specgraft attest -a -o provenance.json
  specgraft attest bash --srpms srpms --sign ~/.ssh/id_ed25519 -o bash.dsse.json
  specgraft attest -a --spdx sbom -o provenance.json`,
	}
	sel := g.SelectFlags(cmd)
	sel.LockFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&out, "output-file", "o", "", "write to `FILE` (required); - is stdout")
	f.StringVar(&sign, "sign", "", "sign with the private key in `FILE`")
	f.StringVar(&spdx, "spdx", "", "write NAME.spdx.json of each component to `DIR`")
	f.StringVar(&packages, "srpms", "", "make the source packages in `DIR` subjects, too")
	_ = cmd.MarkFlagDirname("spdx")
	_ = cmd.MarkFlagDirname("srpms")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if out == "" {
			return cli.Usagef("-o FILE is missing: where to write to")
		}
		var key *attest.Key
		if sign != "" {
			var err error
			if key, err = attest.ReadKey(sign); err != nil {
				return err
			}
		}
		p, names, err := g.LoadSelected(sel, args)
		if err != nil {
			return err
		}
		h, err := g.OpenHistory(cmd.Context(), p)
		if err != nil {
			return err
		}
		head, err := cli.Resolve(h, "HEAD")
		if err != nil {
			return err
		}
		r, err := g.Renderer(p)
		if err != nil {
			return err
		}
		r.SkipLockValidation = sel.SkipLocks
		if err := r.Prepare(cmd.Context(), names, sel.All).Err(); err != nil {
			return err
		}
		if err := p.CheckRenderedDir(); err != nil {
			return err
		}
		tree, err := render.OpenOutput(p.RenderedDir, render.OutputOptions{ReadOnly: true, Protect: []string{p.Dir, p.Root, p.LockDir}})
		if err != nil {
			return err
		}
		g.Closers = append(g.Closers, tree.Close)
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return cli.ExpectedFailure(p, n) })
		c := &attest.Collector{Renderer: r, Output: tree, Commit: head.ID(), Version: cli.Version(), All: sel.All, Committed: committed(h, head)}
		if packages != "" {
			list, err := fs.Glob(os.DirFS(packages), "*.rpm")
			for _, name := range list {
				c.Packages = append(c.Packages, filepath.Join(packages, name))
			}
			if err != nil || len(list) == 0 {
				return &diag.Diagnostic{Code: "attest/bad", Message: fmt.Sprintf("there is no source package in %s", packages),
					Hint: "write some with 'specgraft srpm build'"}
			}
		}
		statement, subjects, problems := c.Collect(cmd.Context(), names)
		problems.Sort()
		if err := problems.Err(); err != nil {
			return err
		}
		data, err := statement.Encode()
		if err == nil && key != nil {
			data, err = key.Sign(data)
		}
		if err != nil {
			return err
		}
		if spdx != "" {
			if err := writeSPDX(g, r, head, subjects, spdx); err != nil {
				return err
			}
		}
		if out == "-" {
			_, err = g.Stdout.Write(data)
			return err
		}
		if err := cli.ReplaceFile(out, data, 0o644); err != nil {
			return attestWrite(out, err)
		}
		signed := ""
		if key != nil {
			signed = ", signed by " + key.ID()
		}
		g.Note("%s attests %d directories and %d source packages at commit %.12s%s", cli.Relative(out), len(subjects), len(c.Packages), head.ID(), signed)
		return nil
	}
	return cmd
}

func attestWrite(name string, err error) error {
	return &diag.Diagnostic{Code: "attest/write", Message: fmt.Sprintf("write %s: %v", name, diag.Reason(err)), Env: true,
		Hint: "check the space and permissions there"}
}

// committed reports whether a file is as a commit has it.
func committed(h *revision.History, head *revision.Revision) func(string) (bool, error) {
	return func(file string) (bool, error) {
		path, ok := h.Path(file)
		if !ok {
			return true, nil // not of this repository
		}
		e, err := h.Repo().Entry(head.ID(), path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		was, err := h.Repo().Blob(e.ID)
		if err != nil {
			return false, err
		}
		now, err := os.ReadFile(file)
		return string(was) == string(now), err
	}
}

// writeSPDX writes the SPDX documents of components.
func writeSPDX(g *cli.Globals, r *render.Renderer, head *revision.Revision, subjects []attest.Subject, dir string) error {
	commit, err := head.Commit()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return attestWrite(dir, err)
	}
	for i := range subjects {
		s := &subjects[i]
		cfg, err := r.Evaluation(s.Result.Config, macro.Config{})
		if err != nil {
			return err
		}
		data, err := s.SPDX(cli.Version(), commit.Committer.When, cfg)
		if err != nil {
			return err
		}
		name := filepath.Join(dir, s.Name+".spdx.json")
		if err := cli.ReplaceFile(name, data, 0o644); err != nil {
			return attestWrite(name, err)
		}
	}
	return nil
}

func VerifyCmd(g *cli.Globals) *cobra.Command {
	var key, packages string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check an attestation against the tree that is here",
		Long: `Verify checks that the project is at the commit of an attestation, and that its
rendered directories and the files of the project that they come from are what it
says, and source packages with --srpms. One of all components (attest -a) allows no
other file in the rendered tree. It names the first file that differs: one that was changed, added, removed
or renamed, or whose mode is another. With --key the signature must be one of that
key. Nothing is rendered, and no network is needed.`,
		Example: `  specgraft verify provenance.json
  specgraft verify bash.dsse.json --key farm.pub --srpms srpms
  specgraft verify provenance.json --json`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&key, "key", "", "demand a signature of the public key in `FILE`: PEM, or a line of SSH's authorized_keys")
	f.StringVar(&packages, "srpms", "", "look for the source packages in `DIR`")
	_ = cmd.MarkFlagDirname("srpms")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		data, err := cli.ReadInput("attest/bad", args[0], attest.MaxStatement)
		if err != nil {
			return err
		}
		var keys []attest.PublicKey
		if key != "" {
			if keys, err = attest.ReadPublicKeys(key); err != nil {
				return err
			}
		}
		p, err := g.Load()
		if err != nil {
			return err
		}
		h, err := g.OpenHistory(cmd.Context(), p)
		if err != nil {
			return err
		}
		head, err := cli.Resolve(h, "HEAD")
		if err != nil {
			return err
		}
		root := p.Root
		if root == "" {
			root = p.Dir
		}
		v, err := attest.Verify(data, keys, attest.Place{Root: root, Rendered: p.RenderedDir, Commit: head.ID(), Packages: packages})
		if err != nil {
			return err
		}
		if format == "json" {
			return cli.WriteJSON(g.Stdout, v)
		}
		by := "not signed by a key that was given"
		if v.Signer != "" {
			by = "signed by " + v.Signer
		}
		if len(v.Unseen) > 0 {
			g.Note("%d source packages were not looked at: name their directory with --srpms", len(v.Unseen))
		}
		_, err = fmt.Fprintf(g.Stdout, "%s: %d directories with %d files and %d source packages are as attested at commit %.12s; %s\n",
			strings.TrimSpace(args[0]), v.Directories, v.Files, v.Packages, v.Commit, by)
		return err
	}
	return cmd
}
