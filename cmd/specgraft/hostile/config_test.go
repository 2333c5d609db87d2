//go:build unix

package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// hostileConfig makes a case of one configuration file.
func hostileConfig(name, text string) hostile {
	return hostile{name: name, files: map[string]string{"azldev.toml": text}, args: []string{"config", "check", "--json", "-C", "@"}}
}

// hostileFiles makes a case of a project's files.
func hostileFiles(name string, files ...string) hostile {
	c := hostileConfig(name, "")
	for i := 0; i < len(files); i += 2 {
		c.files[files[i]] = files[i+1]
	}
	return c
}

// TestHostileTOML reads configuration that is no TOML, or too much of it.
func TestHostileTOML(t *testing.T) {
	const n = 200_000
	many := func(f func(b *strings.Builder, i int), n int) string {
		var b strings.Builder
		for i := range n {
			f(&b, i)
		}
		return b.String()
	}
	runHostile(t, []hostile{
		hostileConfig("arrays deep", "a = "+strings.Repeat("[", n)+strings.Repeat("]", n)+"\n"),
		hostileConfig("arrays deep, not closed", "a = "+strings.Repeat("[", n)),
		hostileConfig("inline tables deep", "a = "+strings.Repeat("{a=", n)+"1"+strings.Repeat("}", n)+"\n"),
		hostileConfig("inline tables deep, not closed", "a = "+strings.Repeat("{a=", n)),
		hostileConfig("arrays and tables deep", "a = "+strings.Repeat("[{a=", n)+"1"+strings.Repeat("}]", n)+"\n"),
		hostileConfig("dotted key", strings.Repeat("a.", n)+"a = 1\n"),
		hostileConfig("dotted header", "["+strings.Repeat("a.", n)+"a]\n"),
		hostileConfig("dotted array header", "[["+strings.Repeat("a.", n)+"a]]\n"),
		hostileConfig("deep in a component", "[components.a]\nspec = "+strings.Repeat("{spec=", 5000)+"1"+strings.Repeat("}", 5000)+"\n"),
		hostileConfig("headers ever deeper", many(func(b *strings.Builder, i int) { fmt.Fprintf(b, "[%sx]\n", strings.Repeat("a.", i)) }, 1500)),
		hostileConfig("headers that branch", many(func(b *strings.Builder, i int) { fmt.Fprintf(b, "[[a]]\n[a.b%d.c]\n", i) }, 20_000)),
		hostileConfig("a long string", "a = \""+strings.Repeat("x", 30<<20)+"\"\n"),
		hostileConfig("a long key", strings.Repeat("x", 5<<20)+" = 1\n"),
		hostileConfig("a long comment", "#"+strings.Repeat("x", 20<<20)),
		hostileConfig("a string without an end", "a = \"\"\""+strings.Repeat("\"\"x", 1<<20)),
		hostileConfig("quotes", "a = "+strings.Repeat("\"", 1<<20)),
		hostileConfig("escapes", "a = \""+strings.Repeat(`\U0010FFFF`, 1<<18)+"\"\n"),
		hostileConfig("bad escapes", "a = \""+strings.Repeat(`\u`, 1<<18)+"\"\n"),
		hostileConfig("numbers", "a = "+strings.Repeat("9", 1<<20)+"\nb = 1e"+strings.Repeat("9", 1<<20)+"\nc = 0x"+strings.Repeat("f", 1<<20)+"\n"),
		hostileConfig("a number for a count", "[components.a.release]\nmanual-bump = 99999999999999999999\n"),
		hostileConfig("dates", "a = 9999-99-99T99:99:99.999999999999999999999999+99:99\n"),
		hostileConfig("not UTF-8", "a = \"\xff\xfe\xc0\x80\"\n\xed\xa0\x80 = 1\n"),
		hostileConfig("NUL", "a = 1\x00\n[com\x00ponents.a]\n"),
		hostileConfig("control characters", "a = \"\x1b[2J\x07\x1b]0;owned\x07\"\n\x1b[31m = 1\n"),
		hostileConfig("text that turns", "[components.\"a\u202eb\u2066\"]\nspec = { type = \"\u202elocal\" }\n"),
		hostileConfig("carriage returns", strings.Repeat("\r", 1<<20)+"a = 1\r[b]\r\r\n"),
		hostileConfig("the same key", strings.Repeat("a = 1\n", 100_000)),
		hostileConfig("errors on every line", strings.Repeat("= \"\n", 200_000)),
		hostileConfig("unknown keys", many(func(b *strings.Builder, i int) { fmt.Fprintf(b, "k%d = 1\n", i) }, 50_000)),
		hostileConfig("components", many(func(b *strings.Builder, i int) { fmt.Fprintf(b, "[components.c%d]\n", i) }, 50_000)),
		hostileConfig("mistaken components", many(func(b *strings.Builder, i int) { fmt.Fprintf(b, "[components.c%d]\nspce = 1\n", i) }, 20_000)),
		hostileConfig("overlays", hostileProject("a")+strings.Repeat("[[components.a.overlays]]\ntype = \"spec-add-tag\"\ntag = \"X\"\nvalue = \"y\"\n", 20_000)),
		hostileConfig("types for types", "project = [1]\ncomponents = 1\ndistros = \"x\"\nincludes = { a = 1 }\n[[component-groups]]\n"),
		hostileConfig("empty names", "[components.\"\"]\n[distros.\"\"]\n[distros.\"\".versions.\"\"]\n[component-groups.\"\"]\n"),
	})
}

// TestHostileIncludes reads configuration that names other files.
func TestHostileIncludes(t *testing.T) {
	const head = "includes = [\"a.toml\"]\n"
	chain := func(n int) []string {
		files := []string{"azldev.toml", "includes = [\"0.toml\"]\n"}
		for i := range n {
			files = append(files, fmt.Sprintf("%d.toml", i), fmt.Sprintf("includes = [\"%d.toml\"]\n", i+1))
		}
		return append(files, fmt.Sprintf("%d.toml", n), "")
	}
	diamond := func(n int) []string {
		files := []string{"azldev.toml", "includes = [\"0a.toml\", \"0b.toml\"]\n"}
		for i := range n {
			for _, x := range []string{"a", "b"} {
				files = append(files, fmt.Sprintf("%d%s.toml", i, x), fmt.Sprintf("includes = [\"%da.toml\", \"%[1]db.toml\"]\n", i+1))
			}
		}
		return append(files, fmt.Sprintf("%da.toml", n), "", fmt.Sprintf("%db.toml", n), "")
	}
	special := func(name string, make func(d *hostileDir) error) hostile {
		c := hostileFiles(name, "azldev.toml", head)
		c.prep = func(d *hostileDir) {
			if err := make(d); err != nil {
				d.Skip(err)
			}
		}
		return c
	}
	link := func(target string) func(*hostileDir) error {
		return func(d *hostileDir) error { return os.Symlink(target, d.path("a.toml")) }
	}
	pattern := func(name, p string) hostile {
		return hostileFiles(name, "azldev.toml", fmt.Sprintf("includes = [%q]\n", p))
	}
	deep := pattern("stars in a deep tree", strings.Repeat("**/", 20)+"*.toml")
	deep.prep = func(d *hostileDir) {
		if err := os.MkdirAll(d.path(strings.Repeat("d/", 300)), 0o755); err != nil {
			d.Fatal(err)
		}
	}
	group := func(name, keys string) hostile {
		return hostileFiles(name, "azldev.toml", hostileProject("a")+"[component-groups.g]\n"+keys, "src/a.spec", hostileSpec("a", ""))
	}
	runHostile(t, []hostile{
		group("specs with braces", fmt.Sprintf("specs = [%q]\n", strings.Repeat("{s,r}", 30)+"/*.spec")),
		group("excluded paths with braces", fmt.Sprintf("specs = [\"src/*.spec\"]\nexcluded-paths = [%q]\n", strings.Repeat("{s,r,{c,{*,s}}}*", 30))),
		hostileFiles("itself", "azldev.toml", "includes = [\"azldev.toml\"]\n"),
		hostileFiles("itself by a pattern", "azldev.toml", "includes = [\"*.toml\", \"**/*.toml\"]\n"),
		hostileFiles("two in a circle", "azldev.toml", head, "a.toml", "includes = [\"b.toml\"]\n", "b.toml", "includes = [\"a.toml\"]\n"),
		hostileFiles("a circle with other spellings", "azldev.toml", head, "a.toml", "includes = [\"./x/../a.toml\", \"./././a.toml\"]\n", "x/y", ""),
		hostileFiles("a long chain", chain(3000)...),
		hostileFiles("diamonds", diamond(40)...),
		hostileFiles("the same file", "azldev.toml", "includes = ["+strings.Repeat("\"a.toml\",", 50_000)+"]\n", "a.toml", "[components.a]\n"),
		pattern("braces", strings.Repeat("{a,b}", 40)+".toml"),
		pattern("braces deep", strings.Repeat("{a,", 20_000)+strings.Repeat("}", 20_000)),
		pattern("braces not closed", strings.Repeat("{", 100_000)),
		pattern("a class not closed", "[a-"),
		pattern("stars", strings.Repeat("*", 10_000)+"x"),
		pattern("stars between letters", strings.Repeat("*a", 5_000)),
		pattern("above", "../../../../../../etc/passwd"),
		pattern("absolute", "/etc/*"),
		pattern("NUL", "a\x00.toml"),
		pattern("long", strings.Repeat("a", 100_000)),
		pattern("long path", strings.Repeat("a/", 50_000)+"b.toml"),
		deep,
		special("a FIFO", func(d *hostileDir) error { return syscall.Mkfifo(d.path("a.toml"), 0o644) }),
		special("a socket", func(d *hostileDir) error {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer syscall.Close(fd)
			return syscall.Bind(fd, &syscall.SockaddrUnix{Name: d.path("a.toml")})
		}),
		special("a directory", func(d *hostileDir) error { return os.Mkdir(d.path("a.toml"), 0o755) }),
		special("without an end", link("/dev/zero")),
		special("a link to itself", link("a.toml")),
		special("a link to nothing", link("nothing")),
		special("a link outside", link("/etc/passwd")),
		special("memory", link("/proc/self/mem")),
		special("directories that link to each other", func(d *hostileDir) error {
			d.write("azldev.toml", "includes = [\"**/*.toml\"]\n")
			d.write("x/y/z.toml", "")
			return os.Symlink("../..", d.path("x/y/loop"))
		}),
		special("a sparse file", func(d *hostileDir) error {
			d.write("a.toml", "")
			return os.Truncate(d.path("a.toml"), 20<<30)
		}),
	})
}

// TestHostileNames renders components whose names, paths and keys are not meant
// to be such.
func TestHostileNames(t *testing.T) {
	var cases []hostile
	for _, name := range []string{
		"../../../evil", "..", ".", "/etc/evil", "a/b", "a/../../b", "a\\..\\b", ".git", "-rf", "--help", "a\nb", "a\x1b[31mb", "a\x00b", "a\u202eb",
		strings.Repeat("a", 300), strings.Repeat("a", 200_000), "$(touch evil)", "`touch evil`", "%{lua:os.execute('touch evil')}", "%(touch evil)",
		"a b", "*", "[a", "~", "con", "ａ", "é", "e\u0301", ".specgraft-old-a", "RENDER_FAILED", "a%2Fb", "a+b", "\xff",
	} {
		toml := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\x1b", `\u001b`, "\x00", `\u0000`, "\"", `\"`).Replace(name)
		text := "[project]\ndefault-distro = { name = \"harbor\", version = \"1\" }\nrendered-specs-dir = \"specs\"\n[distros.harbor.versions.1]\nrelease-ver = \"1\"\n" +
			"[components.good]\nspec = { type = \"local\", path = \"src/good.spec\" }\n" +
			fmt.Sprintf("[components.\"%s\"]\nspec = { type = \"local\", path = \"src/good.spec\" }\n", toml)
		cases = append(cases, hostile{
			name:  fmt.Sprintf("%.20q", name),
			files: map[string]string{"azldev.toml": text, "src/good.spec": hostileSpec("good", "")},
			args:  []string{"render", "-a", "--json", "-C", "@"},
			after: func(d *hostileDir, r *hostileRun) {
				if _, err := os.Stat(d.path("evil")); err == nil {
					d.Error("evil was made")
				}
				above, err := filepath.Glob(d.path("../*"))
				if err != nil || len(above) != 1 {
					d.Errorf("written above: %v, %v", above, err)
				}
			},
		})
	}
	for _, p := range []string{"/etc/passwd", "../../x.spec", "src/\x00.spec", "src", "src/fifo", "/dev/zero", "src/loop.spec", strings.Repeat("a/", 3000) + "x.spec"} {
		text := strings.Replace(hostileProject("a"), "src/a.spec", strings.ReplaceAll(p, "\x00", `\u0000`), 1)
		cases = append(cases, hostile{
			name:  fmt.Sprintf("spec at %.20q", p),
			files: map[string]string{"azldev.toml": text, "src/x": ""},
			prep: func(d *hostileDir) {
				if err := os.Symlink("loop.spec", d.path("src/loop.spec")); err != nil {
					d.Fatal(err)
				}
				if err := syscall.Mkfifo(d.path("src/fifo"), 0o644); err != nil {
					d.Skip(err)
				}
			},
			args:  []string{"render", "-a", "--json", "-C", "@"},
			codes: []int{cli.ExitProblems, cli.ExitEnv},
		})
	}
	runHostile(t, cases)
}
