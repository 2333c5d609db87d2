package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// An addition is one thing that somebody adds to the program, as edits of the
// files that the page for maintainers names.
type addition struct {
	kind  string // as the page has it
	most  int    // files, at most
	edits []edit
}

// An edit puts text behind the first place of a file that reads like after, or
// makes the file when after is empty. The page writes the path with PACKAGE or
// NAME in it when page is set.
type edit struct {
	path, page string
	after      string
	text       string
}

// additions adds one of each kind. They work together: the overlay raises the
// diagnostic, and the command prints the configuration key.
var additions = []addition{
	{"An overlay type", 3, []edit{
		{path: "overlay/op.go", after: "// The operations.\nconst (\n", text: "\tStamp Type = \"spec-stamp\"\n"},
		{path: "overlay/table.go", after: "var Ops = []OpInfo{\n", text: `	{
		Type: Stamp, Counts: "file", apply: (*run).stamp,
		Help: "put a comment that names the vendor on top of the spec",
		Keys: []Key{helped(keyValue, "the vendor")},
	},
`},
		{path: "overlay/stamp.go", page: "overlay/NAME.go", text: `package overlay

import "specgraft/overlay/diag"

// stamp puts a comment on top of the spec.
func (r *run) stamp() *diag.Diagnostic {
	if r.op.Value == "nobody" {
		return &diag.Diagnostic{Pos: r.op.At("value"), Code: "overlay/stamped-by-nobody", Message: "nobody is no vendor", Hint: "name one"}
	}
	r.spec.InsertAt([]int{0}, r.origin, "# from "+r.op.Value)
	r.rep.Places = 1
	return nil
}
`},
	}},
	{"A configuration key", 3, []edit{
		{path: "components/schema/table.go", after: "var settingKeys = []Key{\n", text: `	{Name: "motto", Type: String, Ext: true, Help: "What the distribution stands for."},
`},
		{path: "components/project.go", after: "type Settings struct {\n", text: "\t// Motto is what the distribution stands for.\n\tMotto string\n"},
		{path: "components/decode.go", after: "p.Settings = Settings{\n", text: "\t\tMotto: set.Text(\"motto\"),\n"},
	}},
	{"A diagnostic", 1, []edit{
		{path: "overlay/codes.go", page: "PACKAGE/codes.go", after: "var applyCodes = []diag.Code{\n", text: `	{
		ID: "overlay/stamped-by-nobody", Summary: "the stamp names nobody",
		Doc: "A stamp says who the vendor is.",
	},
`},
	}},
	{"A command", 2, []edit{
		{path: "cmd/specgraft/tools/motto.go", page: "cmd/specgraft/GROUP/NAME.go", text: `package tools

import (
	"fmt"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
)

// MottoCmd is the command motto.
func MottoCmd(g *cli.Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "motto",
		Short: "Print what the distribution stands for",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := g.Load()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(g.Stdout, p.Settings.Motto)
			return err
		},
	}
}
`},
		{path: "cmd/specgraft/root.go", after: "{toolsGroup, []command{\n", text: "\t\t{\"motto\", tools.MottoCmd},\n"},
	}},
	{"A template of specs", 1, []edit{
		{path: "render/template/builtin/buoyage.tmpl", page: "render/template/builtin/NAME.tmpl",
			text: "{{- /* Packages that mark a channel. */ -}}\n{{define \"install\"}}{{end}}\n"},
	}},
	{"A macro that is computed in Go", 2, []edit{
		{path: "fedora/macro/native.go", after: "var natives = []*def{\n",
			text: "\t{name: \"shout\", param: true, native: func(_ *Evaluator, c *call) string { return strings.ToUpper(argument(c, 0)) }},\n"},
		{path: "fedora/macro/data/native.macros", after: "# Macros of rpm itself that are built in here.\n",
			text: "%shout() %{lua:print(string.upper(rpm.expand(\"%1\")))}\n"},
	}},
	{"A tool of the shell subset", 2, []edit{
		{path: "fedora/macro/shell/tool.go", after: "var tools = map[string]tool{\n", text: "\t\"yell\": toolYell,\n"},
		{path: "fedora/macro/shell/yell.go", page: "fedora/macro/shell/NAME.go", text: `package shell

import "strings"

// toolYell is an echo in upper case.
func toolYell(_ *shell, args []string, _ *stream, out *output) (int, error) {
	out.WriteString(strings.ToUpper(strings.Join(args, " ")) + "!\n")
	return 0, nil
}
`},
	}},
}

// TestPage adds one of each kind of thing to a copy of the program, in the files
// that the package comment names and in no others, and runs what comes out.
func TestPage(t *testing.T) {
	t.Parallel()
	page := readPage(t)
	for _, a := range additions {
		var files []string
		for _, e := range a.edits {
			path := e.path
			if e.page != "" {
				path = e.page
			}
			files = append(files, path)
		}
		if want := page[a.kind]; !slices.Equal(files, want) {
			t.Errorf("%s: the page names %q, and it takes %q", a.kind, want, files)
		}
		if len(files) > a.most {
			t.Errorf("%s takes %d files, more than %d", a.kind, len(files), a.most)
		}
		delete(page, a.kind)
	}
	for kind := range page {
		t.Errorf("the page tells how to add %q, and nothing here tries it", kind)
	}
	if testing.Short() {
		t.Skip("builds a copy of the program")
	}

	copied := t.TempDir()
	copySource(t, copied)
	for _, a := range additions {
		for _, e := range a.edits {
			e.make(t, copied)
		}
	}
	bin := filepath.Join(copied, "specgraft-more")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "./cmd/specgraft")
	build.Dir = copied
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	tryAdditions(t, bin)
}

// tryAdditions runs the program that has one thing more of each kind.
func tryAdditions(t *testing.T, bin string) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return p
	}
	spec := write("buoy.spec", "Name: buoy\nVersion: 1\nRelease: 1\nSummary: %shout quiet\nLicense: %(yell MIT)\n\n%description\nText.\n")
	stamp := write("stamp.toml", "[[overlays]]\ntype = \"spec-stamp\"\nvalue = \"Harbor\"\n")
	nobody := write("nobody.toml", "[[overlays]]\ntype = \"spec-stamp\"\nvalue = \"nobody\"\n")
	write("azldev.toml", "[project.specgraft]\nmotto = \"Dry feet\"\n")
	run := func(fails bool, args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		out, err := cmd.CombinedOutput()
		if (err != nil) != fails {
			t.Errorf("specgraft %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for _, c := range []struct {
		fails bool
		args  []string
		want  string
	}{
		{false, []string{"apply", spec, stamp}, "# from Harbor\nName: buoy\n"},
		{false, []string{"overlay", "help", "spec-stamp"}, "the vendor"},
		{true, []string{"apply", spec, nobody}, "nobody.toml:3:"},
		{false, []string{"help", "codes", "overlay/stamped-by-nobody"}, "A stamp says who the vendor is."},
		{false, []string{"motto"}, "Dry feet\n"},
		{false, []string{"--help"}, "Print what the distribution stands for"},
		{false, []string{"config", "schema"}, "What the distribution stands for."},
		{false, []string{"config", "schema"}, "spec-stamp"},
		{false, []string{"template", "list"}, "Packages that mark a channel."},
		{false, []string{"query", "--spec", spec}, "QUIET"},
		{false, []string{"query", "--spec", spec}, "MIT!"},
		{false, []string{"macros", "show", "--rpm"}, "%shout()"},
	} {
		if out := run(c.fails, c.args...); !strings.Contains(out, c.want) {
			t.Errorf("specgraft %s prints no %q:\n%s", strings.Join(c.args, " "), c.want, out)
		}
	}
}

// readPage reads from the package comment which files each kind of thing takes.
func readPage(t *testing.T) map[string][]string {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	heading, item := regexp.MustCompile(`^// ([A-Z].*):$`), regexp.MustCompile(`^//   - ([\w./]+): `)
	page, kind := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			kind = m[1]
		} else if m := item.FindStringSubmatch(line); m != nil {
			page[kind] = append(page[kind], m[1])
		}
	}
	if len(page) < 7 {
		t.Fatalf("the page tells how to add %d kinds of things only", len(page))
	}
	return page
}

// copySource copies what the program is built from.
func copySource(t *testing.T, to string) {
	root := filepath.Join("..", "..")
	err := fs.WalkDir(os.DirFS(root), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, p), 0o777)
		case strings.HasSuffix(p, "_test.go") || !d.Type().IsRegular() || strings.HasPrefix(p, "cmd/specgraft/specgraft"):
			return nil
		}
		data, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, p), data, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// make makes the edit in the copy at dir.
func (e edit) make(t *testing.T, dir string) {
	path, text := filepath.Join(dir, filepath.FromSlash(e.path)), e.text
	if e.after != "" {
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, found := strings.Cut(string(old), e.after)
		if !found {
			t.Fatalf("%s: no place reads %q", e.path, e.after)
		}
		text = before + e.after + e.text + rest
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
