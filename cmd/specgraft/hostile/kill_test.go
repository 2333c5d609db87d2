package hostile

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"specgraft/cmd/specgraft/cli"
)

// A killProject is a project whose components have several files each, all of
// which differ between its two versions.
type killProject struct {
	t   *testing.T
	dir string
	n   int
}

func newKillProject(t *testing.T, n int) *killProject {
	var config strings.Builder
	config.WriteString("[project]\ndefault-distro = { name = \"harbor\", version = \"1\" }\n[distros.harbor.versions.1]\nrelease-ver = \"1\"\n")
	for i := range n {
		fmt.Fprintf(&config, "[components.c%d]\nspec = { type = \"local\", path = \"src/c%d/c%d.spec\" }\n", i, i, i)
	}
	p := &killProject{t: t, dir: t.TempDir(), n: n}
	if err := os.WriteFile(filepath.Join(p.dir, "azldev.toml"), []byte(config.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// write writes the sources of a version: some files come, some go, some change.
func (p *killProject) write(version int) {
	if err := os.RemoveAll(filepath.Join(p.dir, "src")); err != nil {
		p.t.Fatal(err)
	}
	for i := range p.n {
		d := filepath.Join(p.dir, "src", fmt.Sprintf("c%d", i))
		if err := os.MkdirAll(d, 0o755); err != nil {
			p.t.Fatal(err)
		}
		text := fmt.Sprintf("Name: c%d\nVersion: %d\nRelease: 1\nSummary: s\nLicense: MIT\n%%description\nd\n", i, version)
		for n := range 4 {
			patch := fmt.Sprintf("p%d-%d.patch", n, version*(n%2))
			text += fmt.Sprintf("Patch%d: %s\n", n, patch)
			body := strings.Repeat(fmt.Sprintf("patch %d of version %d\n", n, version), 200)
			if err := os.WriteFile(filepath.Join(d, patch), []byte(body), 0o644); err != nil {
				p.t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(d, fmt.Sprintf("c%d.spec", i)), []byte(text+"\n%changelog\n"), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

// render returns the command that renders the project.
func (p *killProject) render(out string) *exec.Cmd {
	cmd := exec.Command(program, "render", "-a", "-C", p.dir, "-o", out, "--cache-dir", filepath.Join(p.dir, "cache"))
	return cmd
}

// must renders to the end and returns what came out.
func (p *killProject) must(out string) map[string]string {
	p.t.Helper()
	if msg, err := p.render(out).CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, msg)
	}
	return snapshot(p.t, out)
}

// TestKill kills renders at random moments. Every component must be as it was
// or as it was to become, and the next render must leave nothing of the killed
// one behind.
func TestKill(t *testing.T) {
	t.Parallel()
	const components = 50
	kills := 16
	if testing.Short() {
		kills = 6
	}
	p := newKillProject(t, components)
	dir := p.dir
	p.write(1)
	one := p.must(filepath.Join(dir, "one"))
	p.write(2)
	two := p.must(filepath.Join(dir, "two"))
	start := time.Now()
	p.must(filepath.Join(dir, "two"))
	windows := [2]time.Duration{time.Since(start), time.Since(start) / 4} // from the start, and from the first result on
	if len(one) != components || len(two) != components {
		t.Fatalf("%d and %d components were rendered, want %d", len(one), len(two), components)
	}

	out := filepath.Join(dir, "out")
	torn, between, versions := 0, 0, map[string]int{}
	for i := 0; torn < kills && i < 5*kills; i++ {
		want := one
		p.write(i%2 + 1)
		if i%2 == 1 {
			want = two
		}
		cmd := p.render(out)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Most of a short run is its start; what matters is when it writes.
		window := &windows[0]
		if i%4 != 0 {
			window = &windows[1]
			stdout.Read(make([]byte, 1))
		}
		time.Sleep(time.Duration(rand.Int64N(int64(*window) + 1)))
		cmd.Process.Kill()
		io.Copy(io.Discard, stdout)
		// Aim at the time a render takes, which depends on what else the
		// machine is doing.
		if cmd.Wait() != nil {
			torn++
			*window = *window * 11 / 10
		} else {
			*window = *window * 6 / 10
		}
		seen := snapshot(t, out)
		mixed := map[bool]bool{}
		for name, got := range seen {
			mixed[got == want[name]] = true
			switch got {
			case one[name]:
				versions["one"]++
			case two[name]:
				versions["two"]++
			default:
				t.Fatalf("after kill %d, %s is neither old nor new:\n%s", i, name, got)
			}
		}
		if len(mixed) == 2 {
			between++
		}
		if i%5 == 4 {
			got := p.must(out)
			for name := range want {
				if got[name] != want[name] {
					t.Fatalf("the render after kill %d left %s wrong:\n%s", i, name, got[name])
				}
			}
			if left, _ := filepath.Glob(filepath.Join(out, "*", ".specgraft-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	}
	t.Logf("%d renders were killed before their end, %d of them between components; components seen: %v", torn, between, versions)
	if torn < kills {
		t.Errorf("only %d renders were killed before their end, want %d", torn, kills)
	}
}

// TestInterrupt holds that an interrupted render says so, ends with its own
// exit code, and leaves whole components and nothing else.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	p := newKillProject(t, 300)
	p.write(1)
	all := p.must(filepath.Join(p.dir, "all"))
	for try := range 20 {
		out := filepath.Join(p.dir, fmt.Sprintf("out%d", try))
		cmd := p.render(out)
		var stdout, stderr bytes.Buffer
		cmd.Stderr = &stderr
		r, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		io.CopyN(&stdout, r, 1) // the first result is there
		cmd.Process.Signal(os.Interrupt)
		io.Copy(&stdout, r)
		err = cmd.Wait()
		if err == nil {
			continue // it was done before the signal came
		}
		if code := cmd.ProcessState.ExitCode(); code != cli.ExitEnv {
			t.Errorf("exit code %d, want %d\n%s", code, cli.ExitEnv, &stderr)
		}
		if !strings.Contains(stderr.String(), "interrupted: ") {
			t.Errorf("stderr does not say that it was interrupted: %s", &stderr)
		}
		inOrder := strings.Contains(stderr.String(), "components were rendered") // a machine that is slow today ends it in the midst
		if n := strings.Count(stdout.String(), "\n"); n != 301 && inOrder {
			t.Errorf("%d lines of results, want one for each component and the titles", n)
		}
		for name, got := range snapshot(t, out) {
			if got != all[name] {
				t.Errorf("%s is not whole", name)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(out, "*", ".specgraft-*")); len(left) > 0 && inOrder {
			t.Errorf("left behind: %v", left)
		}
		return
	}
	t.Skip("every render was done before the signal came")
}

// snapshot returns the content of each component's directory as one text.
func snapshot(t *testing.T, out string) map[string]string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(out, "?", "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, d := range dirs {
		if st, err := os.Lstat(d); err != nil || !st.IsDir() || strings.HasPrefix(filepath.Base(d), ".specgraft-") {
			continue // an alias is a link
		}
		var b strings.Builder
		err := filepath.WalkDir(d, func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(p)
			fmt.Fprintf(&b, "%s %q\n", filepath.Base(p), data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(d)] = b.String()
	}
	return all
}

// files returns the content of the files below a directory.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			target, err := os.Readlink(path)
			all[rel] = fmt.Sprint(d.Type(), " ", target)
			return err
		}
		data, err := os.ReadFile(path)
		all[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
