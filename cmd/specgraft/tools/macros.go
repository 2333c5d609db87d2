package tools

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"go/token"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sassoftware/go-rpmutils"
	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

func MacrosCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "macros",
		Short: "Work with the macro sets that specs are evaluated with",
		Long: `A macro set is the collection of macros that is there before a spec is read.
The built-in one stands for Fedora 43. "macros import" makes one from the macro
files of another distribution, pinned by a hash of its content.`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.Group,
	}
	cmd.AddCommand(macrosImportCmd(g), macrosShowCmd(g))
	return cmd
}

func macrosImportCmd(g *cli.Globals) *cobra.Command {
	var output, name, forRPM string
	var builtin bool
	cmd := &cobra.Command{
		Use:   "import DIR-OR-RPM...",
		Short: "Make a macro set from macro files or the RPMs that carry them",
		Long: `Import reads macro files (macros, macros.*, *.macros) from directories and RPM
packages and writes them as one macro set, sorted, with a hash of its content.
Of a macro that is defined more than once the last definition counts: within one
argument the files are read in the order of their names, the arguments in the
order given. The packages are read, nothing in them is run.

The version of rpm is a part of a set, as its macro %rpmversion: with a set of
rpm 4.18, %patch1 is a macro, and %preuntrans is none of the sections. It is
taken from --rpm, or told by rpm's own macros where they are imported; without
one, specs are read as the newest rpm reads them.`,
		Example: `  specgraft macros import /usr/lib/rpm -o f43.macros
  specgraft macros import redhat-rpm-config-*.rpm *-srpm-macros-*.rpm -o f43.macros
  specgraft query --spec bash.spec --macros f43.macros`,
		Args: cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", "", "write the set to `FILE` instead of stdout")
	f.StringVar(&name, "name", "imported", "`NAME` of the set")
	f.BoolVar(&builtin, "builtin", false, "add to the built-in set instead of starting from nothing")
	f.StringVar(&forRPM, "rpm", "", "`VERSION` of the rpm that the macros belong to (default: what rpm's own macros among them tell)")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if forRPM != "" && !rpmVersion().MatchString(forRPM) {
			return cli.Usagef("--rpm takes a version of rpm such as 4.18, not %q", forRPM)
		}
		var set *macro.Set
		if builtin {
			set = macro.Builtin()
		}
		for _, arg := range args {
			var err error
			if set, err = importMacros(name, arg, set); err != nil {
				if _, ok := errors.AsType[*diag.Diagnostic](err); ok {
					return err
				}
				return &diag.Diagnostic{Pos: token.Position{Filename: arg}, Code: "macros/file", Message: err.Error()}
			}
		}
		if forRPM == "" {
			forRPM = set.GuessRPM()
		}
		if forRPM != "" && forRPM != set.RPMVersion() {
			set = set.WithRPM(forRPM)
		}
		if output == "" {
			_, err := g.Stdout.Write(set.File())
			return err
		}
		if err := cli.ReplaceFile(output, set.File(), 0o644); err != nil {
			return cli.FileProblem("macros/file", output, err)
		}
		g.Note("%s: %d macros, %s", output, set.Len(), set.Hash())
		return nil
	}
	return cmd
}

// newestRPM is the version of rpm that the evaluator follows.
const newestRPM = "6.0"

var rpmVersion = regex.Once(`^[0-9]+(\.[0-9]+)*$`)

func macrosShowCmd(g *cli.Globals) *cobra.Command {
	var srpm bool
	var file, forRPM string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print a macro set",
		Long: `Show prints the built-in macro set in the syntax of macro files. Macros that
specgraft computes itself, such as %gometa, have no body and are left out.

With --rpm the set comes with the settings of Fedora 43 on x86_64 and with
stand-ins for all that specgraft computes itself, so that rpmspec -P expands a
spec with it to what "specgraft query --expand" prints. What is unknown there
because it depends on the machine or the day, such as %autochangelog, rpm looks
up. An rpm before 4.19 lacks functions on strings, such as %sub: --rpm=4.18 adds
them, which a later one would refuse. --macros reads such a file, too, as a set
with that version of rpm. An rpm since 4.20 has a build directory for
each package and quotes around the archives that %setup unpacks.`,
		Example: `  specgraft macros show
  specgraft macros show --srpm
  specgraft macros show --rpm > macros && rpmspec --load macros -P any.spec
  specgraft macros show --rpm=4.18 > macros`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&srpm, "srpm", false, "print the set that the file filter sees: redhat-rpm-config and the srpm-macros")
	cmd.Flags().StringVar(&file, "macros", "", "print the set in `FILE`")
	cmd.Flags().StringVar(&forRPM, "rpm", "", "print the set as rpm `VERSION` can load it")
	cmd.Flags().Lookup("rpm").NoOptDefVal = newestRPM
	cmd.RunE = func(*cobra.Command, []string) error {
		set := macro.Builtin()
		switch {
		case srpm && file != "":
			return cli.Usagef("--srpm and --macros exclude each other")
		case srpm:
			set = macro.SRPM()
		case file != "":
			var err error
			if set, err = cli.ReadMacroSet(file); err != nil {
				return err
			}
		}
		if cmd.Flags().Changed("rpm") {
			if !rpmVersion().MatchString(forRPM) {
				return cli.Usagef("--rpm takes a version of rpm such as 4.18, not %q", forRPM)
			}
			_, err := io.WriteString(g.Stdout, set.RPM(forRPM))
			return err
		}
		_, err := g.Stdout.Write(set.File())
		return err
	}
	return cmd
}

// importMacros adds the macro files in a directory, an RPM package or one file
// to a set.
func importMacros(name, arg string, set *macro.Set) (*macro.Set, error) {
	st, err := os.Stat(arg)
	if err != nil {
		return nil, cli.FileProblem("macros/file", arg, err)
	}
	if st.IsDir() {
		root, err := os.OpenRoot(arg)
		if err != nil {
			return nil, cli.FileProblem("macros/file", arg, err)
		}
		defer root.Close()
		return macro.LoadFS(name, root.FS(), set)
	}
	texts := []string{}
	if strings.HasSuffix(arg, ".rpm") {
		if texts, err = rpmMacroFiles(arg); err != nil {
			return nil, err
		}
	} else {
		if !macro.IsMacroFile(filepath.Base(arg)) {
			return nil, errors.New("the name is not one of a macro file: macros, macros.NAME or NAME.macros")
		}
		b, err := cli.ReadInput("macros/file", arg, cli.MaxSpec)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(b))
	}
	for _, text := range texts {
		set = macro.Load(name, text, set)
	}
	return set, nil
}

const (
	maxRPM       = 256 << 20
	maxRPMHeader = 64 << 20

	tagRPMFormat = 5114 // RPMTAG_RPMFORMAT, since rpm 4.20
)

// rpmMacroFiles reads the macro files out of an RPM package, in the order of
// their names.
func rpmMacroFiles(file string) (texts []string, err error) {
	defer func() {
		// The library indexes headers as they claim to be.
		if r := recover(); r != nil {
			texts, err = nil, errDamagedRPM
		}
	}()
	b, err := cli.ReadInput("macros/file", file, maxRPM)
	if err != nil {
		return nil, err
	}
	if err := checkRPMHeader(b); err != nil {
		return nil, err
	}
	pkg, err := rpmutils.ReadRpm(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("not a readable package: %w", err)
	}
	if format, err := pkg.Header.GetUint64s(tagRPMFormat); err == nil && len(format) > 0 && format[0] >= 6 {
		return nil, fmt.Errorf("the package is of format %d, which is read for source packages only; import the macro files themselves", format[0])
	}
	payload, err := pkg.PayloadReaderExtended()
	if err != nil {
		return nil, fmt.Errorf("the payload cannot be read: %w", err)
	}
	files := map[string]string{}
	for {
		info, err := payload.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the payload cannot be read: %w", err)
		}
		name := path.Clean("/" + info.Name())
		if !macro.IsMacroFile(name) || payload.IsLink() || info.Size() > cli.MaxSpec ||
			!strings.HasPrefix(name, "/usr/lib/rpm/") && !strings.HasPrefix(name, "/etc/rpm/") {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(payload, cli.MaxSpec))
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, err)
		}
		files[name] = string(data)
	}
	if len(files) == 0 {
		return nil, errors.New("the package has no macro files")
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		texts = append(texts, files[name])
	}
	return texts, nil
}

var errDamagedRPM = errors.New("not an RPM package, or a damaged one")

// checkRPMHeader refuses packages whose headers claim to hold more than they
// do: the library would allocate what they claim.
func checkRPMHeader(b []byte) error {
	const lead, intro, entry = 96, 16, 16
	if len(b) < lead+intro || !bytes.Equal(b[:4], []byte{0xed, 0xab, 0xee, 0xdb}) {
		return errDamagedRPM
	}
	off := int64(lead)
	for range 2 {
		if int64(len(b)) < off+intro || !bytes.Equal(b[off:off+3], []byte{0x8e, 0xad, 0xe8}) {
			return errDamagedRPM
		}
		n, size := int64(binary.BigEndian.Uint32(b[off+8:])), int64(binary.BigEndian.Uint32(b[off+12:]))
		total := n*entry + size
		if total > maxRPMHeader || off+intro+total > int64(len(b)) {
			return errDamagedRPM
		}
		for i := range n {
			e := b[off+intro+i*entry:]
			kind, at, count := binary.BigEndian.Uint32(e[4:]), int64(int32(binary.BigEndian.Uint32(e[8:]))), int64(binary.BigEndian.Uint32(e[12:]))
			width := int64(1) // a string has at least its terminator
			switch kind {
			case 3:
				width = 2
			case 4:
				width = 4
			case 5:
				width = 8
			}
			if at < 0 || at+count*width > size {
				return errDamagedRPM
			}
		}
		off += intro + total
		off += (8 - off%8) % 8
	}
	return nil
}
