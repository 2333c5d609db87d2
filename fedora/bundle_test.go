package fedora

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBundle reads a snapshot from a bundle, then from the bundle that took its
// place.
func TestBundle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	work, file := filepath.Join(dir, "work"), filepath.Join(dir, "pkg.bundle")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", work, "-c", "user.name=A", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	git("init", "-q", "-b", "f43")
	for _, content := range []string{"first\n", "second\n"} {
		if err := os.WriteFile(filepath.Join(work, "pkg.spec"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		git("add", ".")
		git("commit", "-qm", content)
		git("bundle", "create", "-q", file, "f43")
		s, err := Open(Options{CacheDir: filepath.Join(dir, "cache"), Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		url := "file://" + filepath.ToSlash(file)
		commit, err := s.Resolve(t.Context(), Request{URL: url, Branch: "f43"})
		if err != nil {
			t.Fatal(err)
		}
		snap, err := s.Snapshot(t.Context(), url, commit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := snap.Files[0].Bytes()
		if err != nil || string(got) != content {
			t.Errorf("pkg.spec is %q, %v; want %q", got, err, content)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(file, []byte("not a bundle"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{CacheDir: filepath.Join(dir, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Resolve(t.Context(), Request{URL: "file://" + filepath.ToSlash(file), Branch: "f43"}); err == nil {
		t.Error("a file that is no bundle was accepted")
	}
}

var updateBundles = flag.Bool("update", false, "make the example's bundles anew from its fast-import streams")

// TestExampleBundles holds the bundles of the example distribution to the
// streams from which they are made, which are what a reviewer reads.
func TestExampleBundles(t *testing.T) {
	t.Parallel()
	streams, err := filepath.Glob("../testdata/example/upstream/*.fi")
	if err != nil || len(streams) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	for _, stream := range streams {
		t.Run(filepath.Base(stream), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			git := func(stdin string, args ...string) string {
				t.Helper()
				cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
				cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
				cmd.Stdin = strings.NewReader(stdin)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("git %v: %v\n%s", args, err, out)
				}
				return strings.TrimSpace(string(out))
			}
			text, err := os.ReadFile(stream)
			if err != nil {
				t.Fatal(err)
			}
			bundle, err := filepath.Abs(strings.TrimSuffix(stream, ".fi") + ".bundle")
			if err != nil {
				t.Fatal(err)
			}
			git("", "init", "-q", "--bare", "-b", "f43")
			git(string(text), "fast-import", "--quiet")
			head := git("", "rev-parse", "f43")
			if heads, err := exec.Command("git", "bundle", "list-heads", bundle).Output(); err == nil && strings.Contains(string(heads), head+" refs/heads/f43") {
				return
			}
			if !*updateBundles {
				t.Fatalf("%s does not hold the commits of %s; make it anew with -update", filepath.Base(bundle), filepath.Base(stream))
			}
			git("", "bundle", "create", "-q", bundle, "HEAD", "f43")
		})
	}
}
