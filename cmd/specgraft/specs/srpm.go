package specs

import (
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/srpm/reader"
	"specgraft/overlay/diag"
)

func SrpmCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "srpm",
		Short: "Write source packages, and look at them",
		Long: `A component with spec.source = "srpm" is made from a source RPM instead of a
dist-git commit: the one that spec.srpm names, a path or an address, or
repo://NAME-VERSION-RELEASE for a certain one in the distribution's repos; without
it the newest there. The lock holds the checksum of the package.

These commands look at such packages, and write those of the distribution.`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.Group,
	}
	cmd.AddCommand(srpmBuildCmd(g), srpmDiffCmd(g), srpmShowCmd(g))
	return cmd
}

func srpmShowCmd(g *cli.Globals) *cobra.Command {
	var spec bool
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Print what is in a source package, and verify it",
		Long: `Show prints the header and the files of a source package after verifying every
digest in it. Signatures are not checked. With --spec it prints the spec instead.`,
		Example: `  specgraft srpm show bash-5.3.0-2.fc43.src.rpm
  specgraft srpm show --spec bash-5.3.0-2.fc43.src.rpm
  specgraft srpm show --json bash-5.3.0-2.fc43.src.rpm`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&spec, "spec", false, "print the spec")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		f, err := os.Open(args[0])
		if err != nil {
			return cli.FileProblem("srpm/file", args[0], err)
		}
		defer f.Close()
		var text []byte
		p, err := reader.Read(f, func(f *reader.File, r io.Reader) error {
			if !spec || !f.Spec {
				return nil
			}
			var err error
			text, err = io.ReadAll(io.LimitReader(r, 64<<20))
			return err
		})
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			d.Pos = token.Position{Filename: args[0]}
			return d
		}
		switch {
		case err != nil:
			return err
		case spec:
			_, err = g.Stdout.Write(text)
			return err
		case format == "json":
			return cli.WriteJSON(g.Stdout, p)
		}
		return printSRPM(g.Stdout, p)
	}
	return cmd
}

// printSRPM prints a package for people.
func printSRPM(w io.Writer, p *reader.Package) error {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", key, strings.ReplaceAll(value, "\n", " "))
		}
	}
	line("name", p.Name)
	line("version", p.EVR().String())
	line("summary", p.Summary)
	line("license", p.License)
	line("url", p.URL)
	line("vendor", p.Vendor)
	line("vcs", p.VCS)
	line("build host", p.BuildHost)
	if p.BuildTime != 0 {
		line("build time", time.Unix(p.BuildTime, 0).UTC().Format(time.RFC3339))
	}
	line("spec", p.Spec)
	line("compression", p.Compression)
	line("verified", strings.Join(p.Verified, ", "))
	for _, f := range p.Files {
		digest := f.DigestType + " " + f.Digest
		if f.Absent {
			digest = "left out of the package (NoSource or NoPatch)"
		}
		fmt.Fprintf(&b, "\n%s  %12d  %s\n    %s", f.Mode, f.Size, f.Name, digest)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}
