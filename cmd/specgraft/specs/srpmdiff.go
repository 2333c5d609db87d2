package specs

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/fedora/srpm/reader"
	"specgraft/overlay/diag"
	"specgraft/render/review/semantic"
)

// packageDiff is what two source packages differ in.
type packageDiff struct {
	Old     string         `json:"old"` // name-[epoch:]version-release
	New     string         `json:"new"`
	Headers []headerChange `json:"headers"`
	Files   []fileChange   `json:"files"`
	Spec    *semantic.Diff `json:"spec"`
}

// headerChange is a difference in one entry of the header, or in one value of an
// entry that has many.
type headerChange struct {
	Tag string  `json:"tag"`
	Op  string  `json:"op"` // added, removed, changed
	Old *string `json:"old"`
	New *string `json:"new"`
}

// fileChange is a file that only one has, or that differs.
type fileChange struct {
	Name string       `json:"name"`
	Op   string       `json:"op"`
	Old  *reader.File `json:"old"`
	New  *reader.File `json:"new"`
}

func (d *packageDiff) same() bool {
	return len(d.Headers)+len(d.Files)+len(d.Spec.Changes)+len(d.Spec.Unknown)+d.Spec.Noise.Total() == 0
}

func srpmDiffCmd(g *cli.Globals) *cobra.Command {
	var archs []string
	var check bool
	var set cli.QuerySettings
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two source packages",
		Long: `Diff verifies two source packages and prints what they differ in: the entries of
their headers, with dependencies and the changelog one by one; the files, by digest,
size and mode; and what the specs mean, as 'specgraft diff --specs' compares it. Build
time, build host and cookie are compared like everything else. Signatures, and how
the files are packed, are not.`,
		Example: `  specgraft srpm diff bash-5.3.0-1.fc43.src.rpm bash-5.3.0-2.fc43.src.rpm
  specgraft srpm diff --json a.src.rpm b.src.rpm
  specgraft srpm diff --check a.src.rpm b.src.rpm`,
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	cli.ListVar(f, &archs, "arch", "", "evaluate the specs for the architecture `ARCH`; may be repeated (default x86_64 and aarch64)")
	f.BoolVar(&check, "check", false, "exit with 2 when they differ")
	set.MacrosFlag(cmd)
	_ = cmd.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(macro.Archs(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		format, err := g.FormatOf("text", "table", "json")
		if err != nil {
			return err
		}
		for _, a := range archs {
			if err := g.CheckArch(a); err != nil {
				return err
			}
		}
		cfg, err := set.Config()
		if err != nil {
			return err
		}
		var sides [2]*packageSide
		for i, file := range args {
			if sides[i], err = openSide(file); err != nil {
				return err
			}
		}
		d := comparePackages(sides[0], sides[1], semantic.Options{Archs: archs, Config: cfg})
		if format == "json" {
			err = cli.WriteJSON(g.Stdout, d)
		} else {
			err = d.writeText(g.Stdout)
		}
		switch {
		case err != nil:
			return fmt.Errorf("cannot print the results: %w", err)
		case d.same():
			g.Note("the packages have the same headers, files and spec")
		case check:
			return cli.ExitError(cli.ExitDrift)
		}
		return nil
	}
	return cmd
}

// packageSide is one of the packages, with the spec and what it may include.
type packageSide struct {
	*reader.Package
	tree semantic.Tree
	spec []byte
}

// Bounds on the files that are kept for the evaluation of a spec: what a spec
// includes is small.
const (
	maxIncluded  = 1 << 20
	maxTogether  = 64 << 20
	maxSpecBytes = 64 << 20
)

// openSide reads a package, and verifies it.
func openSide(path string) (*packageSide, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.FileProblem("srpm/file", path, err)
	}
	defer f.Close()
	s := &packageSide{tree: semantic.Tree{}}
	content := map[string][]byte{}
	left := int64(maxTogether)
	s.Package, err = reader.Read(f, func(f *reader.File, r io.Reader) error {
		limit := int64(maxIncluded)
		if strings.HasSuffix(f.Name, ".spec") {
			limit = maxSpecBytes
		}
		if f.Size > min(limit, left) {
			return nil
		}
		data, err := io.ReadAll(io.LimitReader(r, f.Size))
		left -= int64(len(data))
		content[f.Name] = data
		return err
	})
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		d.Pos = token.Position{Filename: path}
		return nil, d
	}
	if err != nil {
		return nil, err
	}
	for name, data := range content {
		s.tree[name] = func() ([]byte, error) { return data, nil }
	}
	var there bool
	if s.spec, there = content[s.Spec]; !there {
		return nil, &diag.Diagnostic{Pos: token.Position{Filename: path}, Code: "srpm/bad", Message: fmt.Sprintf("the spec %s is too large to be compared", s.Spec)}
	}
	return s, nil
}

func comparePackages(before, after *packageSide, opt semantic.Options) *packageDiff {
	d := &packageDiff{Old: before.NEVR(), New: after.NEVR(), Headers: compareTags(before.Tags, after.Tags), Files: compareFiles(before.Files, after.Files)}
	d.Spec = semantic.Compare(semantic.Packaging{Name: before.Spec, Spec: before.spec, FS: fs.FS(before.tree)},
		semantic.Packaging{Name: after.Spec, Spec: after.spec, FS: fs.FS(after.tree)}, opt)
	return d
}

// compareTags compares headers. Entries that have one value on both sides are
// changed; of others, values come and go.
func compareTags(before, after []reader.Tag) []headerChange {
	out := []headerChange{}
	find := func(list []reader.Tag, name string) []string {
		for i := range list {
			if list[i].Name == name {
				return list[i].Values
			}
		}
		return nil
	}
	names := []string{}
	for _, t := range slices.Concat(before, after) {
		if !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	for _, name := range names {
		a, b := find(before, name), find(after, name)
		if len(a) == 1 && len(b) == 1 && a[0] != b[0] {
			out = append(out, headerChange{name, semantic.Changed, &a[0], &b[0]})
			continue
		}
		count := map[string]int{}
		for _, v := range b {
			count[v]++
		}
		var left []string
		for _, v := range a {
			if count[v]--; count[v] < 0 {
				out = append(out, headerChange{name, semantic.Removed, &v, nil})
			} else {
				left = append(left, v)
			}
		}
		var added []headerChange
		for i := len(b) - 1; i >= 0; i-- { // of equal ones the last are new
			if v := b[i]; count[v] > 0 {
				count[v]--
				added = append(added, headerChange{name, semantic.Added, nil, &b[i]})
			}
		}
		slices.Reverse(added)
		out = append(out, added...)
		if len(added) == 0 && len(left) == len(a) && len(a) == len(b) && !slices.Equal(a, b) {
			x, y := strings.Join(a, ", "), strings.Join(b, ", ")
			out = append(out, headerChange{name, semantic.Changed, &x, &y}) // another order
		}
	}
	return out
}

func compareFiles(before, after []reader.File) []fileChange {
	out := []fileChange{}
	i, k := 0, 0
	for i < len(before) || k < len(after) {
		order := 0
		switch {
		case i == len(before):
			order = 1
		case k == len(after):
			order = -1
		default:
			order = cmp.Compare(before[i].Name, after[k].Name)
		}
		switch {
		case order < 0:
			out = append(out, fileChange{before[i].Name, semantic.Removed, &before[i], nil})
			i++
		case order > 0:
			out = append(out, fileChange{after[k].Name, semantic.Added, nil, &after[k]})
			k++
		default:
			a, b := &before[i], &after[k]
			if a.Size != b.Size || a.Mode != b.Mode || a.DigestType != b.DigestType || a.Digest != b.Digest || a.Absent != b.Absent {
				out = append(out, fileChange{a.Name, semantic.Changed, a, b})
			}
			i, k = i+1, k+1
		}
	}
	return out
}

// writeText prints a comparison for people.
func (d *packageDiff) writeText(w io.Writer) error {
	if d.same() {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s -> %s\n", semantic.Visible(d.Old), semantic.Visible(d.New))
	if len(d.Headers) > 0 {
		b.WriteString("header\n")
	}
	for _, c := range d.Headers {
		switch c.Op {
		case semantic.Changed:
			fmt.Fprintf(&b, "  ~ %s: %s -> %s\n", semantic.Visible(c.Tag), oneLine(*c.Old), oneLine(*c.New))
		case semantic.Removed:
			fmt.Fprintf(&b, "  - %s: %s\n", semantic.Visible(c.Tag), oneLine(*c.Old))
		case semantic.Added:
			fmt.Fprintf(&b, "  + %s: %s\n", semantic.Visible(c.Tag), oneLine(*c.New))
		}
	}
	if len(d.Files) > 0 {
		b.WriteString("files\n")
	}
	for _, c := range d.Files {
		switch {
		case c.Old == nil:
			fmt.Fprintf(&b, "  + %s (%s)\n", semantic.Visible(c.Name), cli.ByteCount(c.New.Size))
		case c.New == nil:
			fmt.Fprintf(&b, "  - %s (%s)\n", semantic.Visible(c.Name), cli.ByteCount(c.Old.Size))
		default:
			fmt.Fprintf(&b, "  ~ %s (%s)\n", semantic.Visible(c.Name), strings.Join(c.what(), ", "))
		}
	}
	if len(d.Spec.Changes)+len(d.Spec.Unknown)+d.Spec.Noise.Total() > 0 {
		b.WriteString("spec\n")
		if err := d.Spec.WriteText(&b); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// what says how a file changed.
func (c *fileChange) what() []string {
	var out []string
	if a, b := c.Old.Size, c.New.Size; a != b {
		out = append(out, fmt.Sprintf("%d -> %d bytes", a, b))
	} else if c.Old.Digest != c.New.Digest {
		out = append(out, "content")
	}
	if c.Old.Mode != c.New.Mode {
		out = append(out, fmt.Sprintf("mode %04o -> %04o", c.Old.Mode.Perm(), c.New.Mode.Perm()))
	}
	if c.Old.Absent != c.New.Absent {
		out = append(out, map[bool]string{true: "no longer in the package", false: "now in the package"}[c.New.Absent])
	}
	if len(out) == 0 {
		out = append(out, "another kind of digest")
	}
	return out
}

// oneLine shows a value of a header in one line.
func oneLine(s string) string {
	const limit = 160
	s = semantic.Visible(strings.Join(strings.Fields(s), " "))
	if s == "" {
		return `""`
	}
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
