package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKill kills renders at random moments. Every component must be as it was
// or as it was to become, and the next render must leave nothing of the killed
// one behind.
func TestKill(t *testing.T) {
	t.Parallel()
	const components, kills = 50, 20
	dir := t.TempDir()
	var config strings.Builder
	config.WriteString("[project]\ndefault-distro = { name = \"harbor\", version = \"1\" }\n[distros.harbor.versions.1]\nrelease-ver = \"1\"\n")
	// Each component has several files, all of which differ between the two
	// versions of the project.
	write := func(version int) {
		if err := os.RemoveAll(filepath.Join(dir, "src")); err != nil {
			t.Fatal(err)
		}
		for i := range components {
			d := filepath.Join(dir, "src", fmt.Sprintf("c%d", i))
			if err := os.MkdirAll(d, 0o755); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("Name: c%d\nVersion: %d\n", i, version)
			for p := range 4 {
				patch := fmt.Sprintf("p%d-%d.patch", p, version*(p%2)) // some come, some go, some change
				text += fmt.Sprintf("Patch%d: %s\n", p, patch)
				body := strings.Repeat(fmt.Sprintf("patch %d of version %d\n", p, version), 200)
				if err := os.WriteFile(filepath.Join(d, patch), []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(d, fmt.Sprintf("c%d.spec", i)), []byte(text+"\n%changelog\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range components {
		fmt.Fprintf(&config, "[components.c%d]\nspec = { type = \"local\", path = \"src/c%d/c%d.spec\" }\n", i, i, i)
	}
	if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte(config.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	render := func(out string) *exec.Cmd {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "render", "-a", "-q", "-C", dir, "-o", out, "--cache-dir", filepath.Join(dir, "cache"))
		cmd.Args[0] = "specgraft" // what TestMain dispatches on
		return cmd
	}
	must := func(out string) map[string]string {
		t.Helper()
		if msg, err := render(out).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		return snapshot(t, out)
	}
	write(1)
	one := must(filepath.Join(dir, "one"))
	write(2)
	start := time.Now()
	two := must(filepath.Join(dir, "two"))
	window := time.Since(start)
	if len(one) != components || len(two) != components {
		t.Fatalf("%d and %d components were rendered, want %d", len(one), len(two), components)
	}

	out := filepath.Join(dir, "out")
	torn, versions := 0, map[string]int{}
	for i := 0; torn < kills && i < 5*kills; i++ {
		want := one
		write(i%2 + 1)
		if i%2 == 1 {
			want = two
		}
		cmd := render(out)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(window) + 1)))
		cmd.Process.Kill()
		// Aim at the time a render takes, which depends on what else the
		// machine is doing.
		if cmd.Wait() != nil {
			torn++
			window = window * 11 / 10
		} else {
			window = window * 8 / 10
		}
		for name, got := range snapshot(t, out) {
			switch got {
			case one[name]:
				versions["one"]++
			case two[name]:
				versions["two"]++
			default:
				t.Fatalf("after kill %d, %s is neither old nor new:\n%s", i, name, got)
			}
		}
		if i%5 == 4 {
			got := must(out)
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
	t.Logf("%d renders were killed before their end; components seen: %v", torn, versions)
	if torn < kills {
		t.Errorf("only %d renders were killed before their end, want %d", torn, kills)
	}
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
		if strings.HasPrefix(filepath.Base(d), ".specgraft-") {
			continue
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
