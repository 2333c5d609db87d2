//go:build unix

package hostile

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/distgit/gittest"
	"specgraft/render/rebase"
)

// newRebaseProject makes a project of n components, with a TOML file each, whose
// upstream has moved so that every overlay needs an edit.
func newRebaseProject(t *testing.T, n int) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT CHECKED: no git")
	}
	dir := t.TempDir()
	git := func(args ...string) string { return gittest.Run(t, dir, "", args...) }
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("azldev.toml", "includes = [\"comps/*.comp.toml\"]\n[project]\ndefault-distro = { name = \"harbor\", version = \"1\" }\n"+
		"[distros.harbor.versions.1]\nrelease-ver = \"1\"\n"+
		"[distros.fedora]\ndist-git-base-uri = \"file://"+filepath.ToSlash(dir)+"/rpms/$pkg.git\"\nlookaside-base-uri = \"https://example.org/$pkg/$filename/$hashtype/$hash\"\n"+
		"[distros.fedora.versions.43]\nrelease-ver = \"43\"\ndist-git-branch = \"f43\"\n")
	for i := range n {
		name := fmt.Sprintf("c%d", i)
		repo := filepath.Join(dir, "rpms", name+".git")
		spec := func(version, build string) {
			write("rpms/"+name+".git/"+name+".spec", "Name: "+name+"\nVersion: "+version+"\nRelease: 1\nSummary: s\nLicense: MIT\n%description\nd\n%build\n"+build+
				"%files\n%changelog\n* Mon Jan 01 2024 A B <a@example.org> - "+version+"-1\n- First\n")
		}
		spec("1", "make all --static\n")
		git("init", "-q", "-b", "f43", repo)
		commit := func(message string) {
			git("-C", repo, "add", "-A")
			git("-C", repo, "commit", "-q", "-m", message)
		}
		commit("one")
		pin := git("-C", repo, "rev-parse", "HEAD")
		write("comps/"+name+".comp.toml", "# A component\n[components."+name+"]\nspec = { type = \"upstream\", upstream-distro = { name = \"fedora\", version = \"43\" }, upstream-commit = \""+
			pin+"\" } # pinned\nrelease = { calculation = \"manual\" }\n\n[[components."+name+".overlays]]\ntype = \"spec-search-replace\" # shared\nregex = '--static'\nreplacement = \"--shared\"\n")
		spec("2", "make all --static\nmake other --static\n")
		commit("two")
	}
	return dir
}

// TestKillRebase kills `rebase --apply` at any time of its life: each file of
// the configuration is old or new, and what was begun is carried on.
func TestKillRebase(t *testing.T) {
	t.Parallel()
	const components = 12
	base := newRebaseProject(t, components)
	cache := filepath.Join(t.TempDir(), "cache")
	tomls := func(dir string) map[string]string {
		all := files(t, filepath.Join(dir, "comps"))
		if len(all) < components {
			t.Fatalf("there are only %d files", len(all))
		}
		return all
	}
	apply := func(dir string) *exec.Cmd {
		return specgraftCommand(t, "rebase", "-a", "--apply", "-C", dir, "--cache-dir", cache)
	}
	// The repositories stay where they are; the project is copied.
	copied := func() string {
		dir := filepath.Join(t.TempDir(), "project")
		if err := os.CopyFS(filepath.Join(dir, "comps"), os.DirFS(filepath.Join(base, "comps"))); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(base, "azldev.toml"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "azldev.toml"), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	clean := copied()
	before := tomls(clean)
	start := time.Now()
	if out, err := apply(clean).CombinedOutput(); err == nil { // a widened overlay is exit code 1
		t.Fatalf("nothing needs a person\n%s", out)
	}
	window := time.Since(start)
	after := tomls(clean)
	for name := range before {
		if after[name] == before[name] {
			t.Fatalf("the undisturbed run has not written %s", name)
		}
	}
	if len(after) != len(before) {
		t.Fatal("the undisturbed run has made other files")
	}

	// Moments are waited for at what can be seen of the run from outside: its
	// journal, the first of the files it has written, another one, or the clock.
	written := func(dir, name string) bool {
		st, err := os.Stat(filepath.Join(dir, "comps", name))
		return err == nil && st.Size() != int64(len(before[name]))
	}
	var moments []func(dir string) bool
	journal := func(dir string) bool { return rebase.Interrupted(dir) }
	for i := range 2 * kills(t) {
		switch i % 3 {
		case 0:
			moments = append(moments, journal)
		case 1:
			moments = append(moments, func(dir string) bool { return written(dir, fmt.Sprintf("c%d.comp.toml", i%components)) })
		case 2:
			var began time.Time
			moments = append(moments, func(string) bool {
				if began.IsZero() {
					began = time.Now()
				}
				return time.Since(began) > window*time.Duration(i)/time.Duration(2*kills(t))
			})
		}
	}
	seen := map[string]int{}
	// One kill at least falls into the writing, which is over in milliseconds.
	for i := 0; i < len(moments) || seen["while it wrote"] == 0 && i < len(moments)+20; i++ {
		reached := journal
		if i < len(moments) {
			reached = moments[i]
		}
		dir := copied()
		cmd := apply(dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
	wait:
		for !reached(dir) {
			select {
			case <-ended:
				break wait
			default:
			}
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended

		got := tomls(dir)
		old, new := 0, 0
		for name, text := range got {
			switch text {
			case before[name]:
				old++
			case after[name]:
				new++
			default:
				if _, ok := before[name]; ok {
					t.Fatalf("kill %d: %s is neither old nor new:\n%s", i, name, text)
				}
			}
		}
		state := "before it wrote"
		switch {
		case rebase.Interrupted(dir):
			state = "while it wrote"
			// Nothing else is begun, and either way out works.
			if out, code := output(t, apply(dir)); code != cli.ExitProblems || !strings.Contains(out, "[rebase/interrupted]") {
				t.Errorf("kill %d: exit code %d, and nothing says that the last run was interrupted\n%s", i, code, out)
			}
			way, want := "--continue", after
			if i%2 == 1 {
				way, want = "--abort", before
			}
			if out, code := output(t, specgraftCommand(t, "rebase", way, "-C", dir)); code != cli.ExitOK {
				t.Fatalf("kill %d: rebase %s: exit code %d\n%s", i, way, code, out)
			}
			same(t, fmt.Sprintf("kill %d, %s", i, way), tomls(dir), want)
		case new == len(before):
			state = "behind its work"
		case new > 0:
			t.Errorf("kill %d: %d files are old, %d new, and there is no journal", i, old, new)
		}
		seen[state]++
		// From every state the command gets to its end.
		output(t, apply(dir))
		same(t, fmt.Sprintf("kill %d, run again", i), tomls(dir), after)
		if rebase.Interrupted(dir) {
			t.Errorf("kill %d: the journal is left behind", i)
		}
	}
	if t.Logf("killed: %v", seen); seen["while it wrote"] == 0 {
		t.Error("no kill fell into the writing")
	}
}

// output runs a command to its end.
func output(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// same holds files against those that are wanted; what an atomic write left over
// under a name of its own is no file of the configuration.
func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %s is %q, want %q", what, name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok && strings.HasSuffix(name, ".toml") {
			t.Errorf("%s: there is %s", what, name)
		}
	}
}
