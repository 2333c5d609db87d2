//go:build unix

package hostile

import (
	"archive/tar"
	"bytes"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/distgit/gittest"
)

// kills is how often each command is killed: once, or as often as
// SPECGRAFT_KILLS says.
func kills(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("SPECGRAFT_KILLS")); err == nil {
		return n
	}
	return 1
}

// A killed is a command that is killed at random moments and run again, after
// which everything must be as after a run that nobody disturbed.
type killed struct {
	name string
	args string // "DIR" stands for a directory of the run's own, a copy of from
	from string
	// result returns what the run was for.
	result func(t *testing.T, dir string) map[string]string
}

// specgraftCommand prepares a run of the program in a process group of its own.
func specgraftCommand(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func TestKillCommands(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	project := filepath.Join(work, "project")
	if err := os.CopyFS(project, os.DirFS("../../../testdata/example")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(project, "specs")); err != nil {
		t.Fatal(err)
	}
	must := func(t *testing.T, args ...string) {
		t.Helper()
		if msg, err := specgraftCommand(t, args...).CombinedOutput(); err != nil {
			t.Fatalf("specgraft %s: %v\n%s", strings.Join(args, " "), err, msg)
		}
	}
	cache := filepath.Join(work, "cache")
	must(t, "render", "-a", "-C", project, "--cache-dir", cache, "-o", filepath.Join(work, "out"))
	want := files(t, filepath.Join(work, "out"))
	// A cache in which there is something to do for those who look after it.
	damaged := filepath.Join(work, "damaged")
	if err := os.CopyFS(damaged, os.DirFS(cache)); err != nil {
		t.Fatal(err)
	}
	snapshots, err := filepath.Glob(filepath.Join(damaged, "snapshots", "v1", "*", "*"))
	if err != nil || len(snapshots) == 0 {
		t.Fatal("there is no snapshot", err)
	}
	for i, s := range snapshots {
		if i%2 == 0 {
			if err := os.Truncate(s, 20); err != nil {
				t.Fatal(err)
			}
		}
	}
	empty := t.TempDir()
	// renders returns what a render makes with what is in the directory as its cache.
	renders := func(t *testing.T, dir string) map[string]string {
		out := filepath.Join(t.TempDir(), "out")
		must(t, "render", "-a", "-C", project, "--cache-dir", dir, "-o", out)
		must(t, "cache", "verify", "--cache-dir", dir)
		return files(t, out)
	}
	toml := func(t *testing.T, dir string) map[string]string {
		all := files(t, dir)
		maps.DeleteFunc(all, func(name, _ string) bool { return strings.HasPrefix(name, "build"+string(filepath.Separator)) })
		return all
	}
	for _, k := range []killed{
		{"render", "render -a -C " + project + " --cache-dir " + cache + " -o DIR/out", empty, func(t *testing.T, dir string) map[string]string { return files(t, filepath.Join(dir, "out")) }},
		{"render with a new cache", "render -a -C " + project + " --cache-dir DIR -o " + filepath.Join(work, "out"), empty, renders},
		{"fetch", "fetch -a -C " + project + " --cache-dir DIR", empty, renders},
		{"update", "update -a -C DIR --cache-dir " + cache, project, toml},
		{"cache verify", "cache verify --repair --cache-dir DIR", damaged, renders},
		{"cache prune", "cache prune --unused 1s --cache-dir DIR", cache, renders},
		{"overlay pin", "overlay pin hello-harbor lighthouse sextant -C DIR --cache-dir " + cache, project, toml},
		{"prepare", "prepare lighthouse --skip-sources --skip-lock-validation --force -C " + project + " --cache-dir " + cache + " -o DIR/out", empty, func(t *testing.T, dir string) map[string]string { return files(t, filepath.Join(dir, "out")) }},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			start := func(dir string) *exec.Cmd {
				if err := os.CopyFS(dir, os.DirFS(k.from)); err != nil {
					t.Fatal(err)
				}
				cmd := specgraftCommand(t, strings.Fields(strings.ReplaceAll(k.args, "DIR", dir))...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				return cmd
			}
			clean := filepath.Join(t.TempDir(), "d")
			began := time.Now()
			if err := start(clean).Wait(); err != nil {
				t.Fatal(err)
			}
			window := time.Since(began)
			undisturbed := k.result(t, clean)
			if len(undisturbed) == 0 {
				t.Fatal("the command does nothing")
			}
			n, torn := kills(t), 0
			for try := 0; torn < n && try < 5*n; try++ {
				dir := filepath.Join(t.TempDir(), "d")
				cmd := start(dir)
				time.Sleep(rand.N(window + 1))
				syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				if cmd.Wait() != nil {
					torn++
				} else {
					window = window * 7 / 10 // it was done already
				}
				must(t, strings.Fields(strings.ReplaceAll(k.args, "DIR", dir))...)
				got := k.result(t, dir)
				for name, text := range undisturbed {
					if got[name] != text {
						t.Fatalf("after kill %d, %s is %.200q, want %.200q", torn, name, got[name], text)
					}
				}
				for name := range got {
					if _, ok := undisturbed[name]; !ok {
						t.Fatalf("after kill %d there is %s", torn, name)
					}
				}
				os.RemoveAll(dir)
			}
			t.Logf("killed %d times before its end", torn)
		})
	}
	if len(want) == 0 {
		t.Error("nothing was rendered")
	}
}

// TestSignals sends the signals that ask a program to end, at random moments,
// to commands at work on something large or slow: it ends at once, and with the
// exit code of the environment.
func TestSignals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := &hostileDir{t, dir, false}
	// A server that never answers, for git and for downloads.
	silent := newSilent(t)
	hostileUpstream(d, silent+"/$pkg.git", "[distros.harbor]\nlookaside-base-uri = \""+silent+"/$filename/$hashtype/$hash\"\n[components.hull]\nspec = { type = \"local\", path = \"hull/hull.spec\" }\n")
	d.write("hull/hull.spec", hostileSpec("hull", "Source0: hull.txt"))
	d.write("hull/sources", "SHA512 (hull.txt) = "+strings.Repeat("ab", 64)+"\n")
	// Configuration that takes a while.
	var large strings.Builder
	large.WriteString(hostileProject("good"))
	for i := range 30_000 {
		large.WriteString("[components.c" + strconv.Itoa(i) + "]\nspec = { type = \"local\", path = \"src/good.spec\" }\n[[components.c" + strconv.Itoa(i) + ".overlays]]\ntype = \"spec-set-tag\"\ntag = \"Vendor\"\nvalue = \"x\"\n")
	}
	d.write("large/azldev.toml", large.String())
	d.write("large/src/good.spec", hostileSpec("good", ""))
	d.write("src/good.spec", hostileSpec("good", ""))
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT CHECKED: no git")
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "one"}, {"commit", "-q", "-m", "two", "--allow-empty"}} {
		gittest.Run(t, filepath.Join(dir, "large"), "", args...)
	}
	temp := filepath.Join(dir, "temp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	// A large archive with something to change, and a large source package.
	archive := &hostileDir{t, filepath.Join(dir, "archive"), false}
	hostileArchive("", "a.tar.gz", func(*testing.T) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		_ = w.WriteHeader(&tar.Header{Name: "a", Mode: 0o644, Size: 60 << 20})
		_, _ = w.Write(bytes.Repeat([]byte("red\n"), 15<<20))
		_ = w.Close()
		return gzipOf(1, b.Bytes())
	}).prep(archive)
	d.write("package/azldev.toml", hostileProject("big"))
	d.write("package/src/big.spec", hostileSpec("big", "Source0: big.bin\nSource1: other.bin"))
	for _, name := range []string{"big.bin", "other.bin"} {
		d.write("package/src/"+name, strings.Repeat("boat", 5<<20))
	}
	if msg, err := specgraftCommand(t, "srpm", "build", "big", "--skip-lock-validation", "-o", dir+"/packages", "-C", dir+"/package", "--cache-dir", dir+"/cache").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	n := 1 + kills(t)
	for _, args := range []string{
		"fetch -a --allow-http -C DIR --cache-dir DIR/cache", "render -a --allow-http -C DIR --cache-dir DIR/cache -o DIR/out",
		"prepare hull --allow-http --skip-lock-validation -o DIR/prepared -C DIR --cache-dir DIR/cache",
		"update -a --allow-http -C DIR --cache-dir DIR/cache", "config check -C DIR/large", "list --json -C DIR/large",
		"prepare crab --network-retries 0 --skip-lock-validation --force -o DIR/prepared -C DIR/archive --cache-dir DIR/archive/home/.cache/specgraft",
		"srpm build big --skip-lock-validation -o DIR/built -C DIR/package --cache-dir DIR/cache",
		"srpm diff DIR/packages/big-1-1.src.rpm DIR/packages/big-1-1.src.rpm", "srpm show DIR/packages/big-1-1.src.rpm --json",
		"review --from HEAD~1 --to HEAD -C DIR/large --cache-dir DIR/cache",
		"render -a -C DIR/large -o DIR/largeout", "update -a -C DIR/large --cache-dir DIR/cache",
	} {
		t.Run(strings.Fields(args)[0]+" "+strconv.Itoa(len(args)), func(t *testing.T) {
			t.Parallel()
			window := 600 * time.Millisecond
			slowest, hit := time.Duration(0), 0
			for try := 0; hit < n && try < 10*n; try++ {
				cmd := specgraftCommand(t, strings.Fields(strings.ReplaceAll(args, "DIR", dir))...)
				var stderr strings.Builder
				cmd.Stderr = &stderr
				own := filepath.Join(temp, strconv.Itoa(len(args)))
				if err := os.MkdirAll(own, 0o700); err != nil {
					t.Fatal(err)
				}
				cmd.Env = append(os.Environ(), "TMPDIR="+own)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				// Before main has run nobody listens, and the signal's default is right.
				time.Sleep(20*time.Millisecond + rand.N(window))
				// A review is of interest once it has a directory of its own.
				for range 500 {
					if files, _ := os.ReadDir(own); len(files) > 0 || !strings.HasPrefix(args, "review") {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				began := time.Now()
				cmd.Process.Signal([]os.Signal{os.Interrupt, syscall.SIGTERM}[try%2])
				err := cmd.Wait()
				took := time.Since(began)
				if err == nil {
					window = window * 7 / 10
					continue
				}
				if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
					continue // it was not even started
				}
				hit++
				if left, err := os.ReadDir(own); err != nil || len(left) > 0 {
					t.Fatalf("%s: leaves %v behind, %v", args, left, err)
				}
				slowest = max(slowest, took)
				if code := cmd.ProcessState.ExitCode(); code != cli.ExitEnv {
					t.Errorf("%s: exit code %d, want %d\n%.500s", args, code, cli.ExitEnv, &stderr)
				}
			}
			if t.Logf("%s: %d times, the slowest took %v", args, hit, slowest); hit == 0 {
				t.Error("no signal came while it was at work")
			}
			// The bound is 200 ms; a machine with other work to do gets more.
			if slowest > 5*time.Second {
				t.Errorf("%s: ends %v after the signal", args, slowest)
			}
		})
	}
}

// newSilent returns the address of a server that takes connections and says
// nothing.
func newSilent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return "http://" + l.Addr().String()
}
