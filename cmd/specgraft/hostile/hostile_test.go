//go:build unix

package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"specgraft/cmd/specgraft/cli"
)

// A hostile case is input that somebody made to harm whoever runs the program
// on it. It is held to what must be true of every run: it ends by itself, soon
// and within its memory, with a documented exit code and a word about why;
// it starts no program but git and writes nothing outside of its directory;
// what it says is printable, and its JSON is JSON.
type hostile struct {
	name  string
	files map[string]string // written into the directory of the case before it runs
	prep  func(d *hostileDir)
	args  []string // of the program, which runs in the directory; "@" stands for it
	codes []int    // nil for 0, 1 and 3
	large bool     // takes long to make, and is run only when all are
	says  string   // an expression that the output must match
	after func(d *hostileDir, r *hostileRun)
}

// A hostileDir is the directory of a case.
type hostileDir struct {
	*testing.T
	dir    string
	traced bool // whether strace looks on
}

// A hostileRun is what came of a run.
type hostileRun struct {
	code           int
	stdout, stderr string
}

const (
	hostileTime   = 60 * time.Second // before a run counts as one that never ends, beside all other tests
	hostileCPU    = 20 * time.Second // that a run may take of the processors
	hostileSample = 2                // one case of so many is run when not all are
	hostileShort  = 6                // the same when tests are to be short
	hostileTraced = 20               // one case of so many is run under strace, which takes more time than the case
	hostileMemory = 1300 << 20       // bytes
)

// path returns the path of a file of the case.
func (d *hostileDir) path(rel string) string { return filepath.Join(d.dir, filepath.FromSlash(rel)) }

// write writes a file of the case.
func (d *hostileDir) write(rel, data string) {
	d.Helper()
	if err := os.MkdirAll(filepath.Dir(d.path(rel)), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(d.path(rel), []byte(data), 0o644); err != nil {
		d.Fatal(err)
	}
}

// hostileCostly are cases that take more of a processor than ten others, most of
// them because they go up to a limit. They are run when all are.
var hostileCostly = map[string][]string{
	"TestHostileIncludes":  {"the same file", "a long chain"},
	"TestHostileLua":       {"next", "long-numbers", "recursion-caught", "many-small-chunks"},
	"TestHostileMacros":    {"arguments-grow", "skip-large"},
	"TestHostileOutputs":   {"a lock long"},
	"TestHostileOverlays":  {"many-operations"},
	"TestHostilePackages":  {"metadata: attributes"},
	"TestHostileShell":     {"sed-print", "awk-separator"},
	"TestHostileStructure": {"autopatch", "sources-many", "go", "dependencies"},
	"TestHostileTOML":      {"the same key", "unknown keys", "mistaken components", "a long key"},
	"TestHostileTrees":     {"trees that multiply"},
}

// runHostile runs cases, each as a subtest. Only the directory of the case may
// change, not what is beside it. Every second case is run, some 330 of all
// kinds; which programs a run starts and where it writes is looked at in a
// sample of these. SPECGRAFT_HOSTILE=all runs and looks at all.
func runHostile(t *testing.T, cases []hostile) {
	t.Helper()
	t.Parallel()
	costly := hostileCostly[t.Name()]
	for _, name := range costly {
		if !slices.ContainsFunc(cases, func(c hostile) bool { return c.name == name }) {
			t.Errorf("there is no case %q", name)
		}
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all, every := os.Getenv("SPECGRAFT_HOSTILE") == "all", hostileSample
			if testing.Short() {
				every = hostileShort
			}
			if !all && (i%every != 0 || c.large || slices.Contains(costly, c.name)) {
				t.Skipf("one case of %d is run, and none that costs much; SPECGRAFT_HOSTILE=all runs all of them", every)
			}
			top := t.TempDir()
			d := &hostileDir{t, filepath.Join(top, "case"), all || i%hostileTraced == 0}
			for _, dir := range []string{"home", "tmp"} {
				if err := os.MkdirAll(d.path(dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for rel, data := range c.files {
				d.write(rel, data)
			}
			if c.prep != nil {
				c.prep(d)
			}
			r := d.run(c.args, c.codes)
			if c.says != "" && !regexp.MustCompile(c.says).MatchString(r.stderr+r.stdout) {
				t.Errorf("nothing in the output matches %s:\n%.2000s", c.says, r.stderr+r.stdout)
			}
			if c.after != nil {
				c.after(d, r)
			}
			if outside, err := os.ReadDir(top); err != nil || len(outside) != 1 {
				t.Errorf("something was written beside the directory: %v %v", outside, err)
			}
		})
	}
}

// run runs the program once more in the directory of a case and holds the run to
// the rules. A prep or after function may call it.
func (d *hostileDir) run(args []string, codes []int) *hostileRun {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), hostileTime)
	defer cancel()
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "@", d.dir)
	}
	command := []string{program}
	trace := ""
	if strace, err := exec.LookPath("strace"); err == nil && d.traced {
		trace = filepath.Join(d.dir, "trace")
		command = []string{strace, "-f", "-qq", "--seccomp-bpf", "-y", "-s", "4096", "-o", trace, "-e",
			"trace=execve,openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,symlinkat,linkat,truncate,chmod,fchmodat,mknodat", program}
	}
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], args...)...)
	cmd.Dir = d.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.path("home"), "XDG_CACHE_HOME=" + d.path("home/.cache"),
		"TMPDIR=" + d.path("tmp"), "LC_ALL=C.UTF-8", "GIT_CONFIG_NOSYSTEM=1", "GOCOVERDIR=" + d.path("tmp")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	r := &hostileRun{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if ctx.Err() != nil {
		d.Fatalf("%v: not done after %v", args, hostileTime)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		d.Fatal(err)
	}
	if codes == nil {
		codes = []int{cli.ExitOK, cli.ExitProblems, cli.ExitEnv}
	}
	if !slices.Contains(codes, r.code) {
		d.Errorf("exit code %d, want one of %v:\n%.2000s", r.code, codes, r.stderr)
	}
	if m := goTrace.FindString(r.stderr); m != "" {
		d.Errorf("a Go trace (%s):\n%.2000s", m, r.stderr)
	}
	asJSON := slices.Contains(args, "--json")
	if r.code != cli.ExitOK && !asJSON && strings.TrimSpace(r.stderr) == "" {
		d.Errorf("exit code %d without a word", r.code)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	d.Logf("%v of a processor", cpu.Round(time.Millisecond))
	if cpu > hostileCPU {
		d.Errorf("takes %v of a processor, more than %v", cpu, hostileCPU)
	}
	// The kernel counts what this process had when it started the other, too.
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss<<10 > hostileMemory && usage.Maxrss > own.Maxrss {
		d.Errorf("takes %d MiB", usage.Maxrss>>10)
	}
	if i := strings.IndexFunc(r.stderr, unprintable); i >= 0 {
		d.Errorf("a control character on stderr: %q", r.stderr[max(0, i-40):min(len(r.stderr), i+20)])
	}
	if asJSON && (r.code == cli.ExitOK || r.stdout != "") && !json.Valid([]byte(r.stdout)) {
		d.Errorf("stdout is no JSON: %.200q", r.stdout)
	}
	if trace != "" {
		d.examine(trace)
	}
	return r
}

var goTrace = regexp.MustCompile(`panic:|goroutine \d+ |fatal error:|runtime error|SIGSEGV|\.go:\d+ \+0x|\*fs\.PathError|template\.ExecError|%!\w\(`)

// unprintable reports what must not reach a terminal.
func unprintable(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || 0x7f <= r && r <= 0x9f:
		return true
	case r == 0x200e || r == 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069:
		return true // turns the direction of the text
	}
	return false
}

var (
	traceCall  = regexp.MustCompile(`^(?:\d+ +)?(\w+)\(`)
	traceExec  = regexp.MustCompile(`execve\("((?:[^"\\]|\\.)*)"`)
	traceWrite = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND`)
	tracePath  = regexp.MustCompile(`(?:(?:AT_FDCWD|\d+)(?:<((?:[^>\\]|\\.)*)>)?, )?"((?:[^"\\]|\\.)*)"`)
	traceGit   = regexp.MustCompile(`/(git|git-[a-z0-9-]+)$`)
)

// examine reads what strace saw: no program but git, nothing written outside.
func (d *hostileDir) examine(log string) {
	d.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		d.Fatal(err)
	}
	inside, err := filepath.EvalSymlinks(d.dir)
	if err != nil {
		d.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		call := traceCall.FindStringSubmatch(line)
		if call == nil || strings.Contains(line, " = -1 ") {
			continue
		}
		switch call[1] {
		case "execve":
			if m := traceExec.FindStringSubmatch(line); m != nil && m[1] != program && !traceGit.MatchString(m[1]) {
				d.Errorf("starts %s", m[1])
			}
			continue
		case "open", "openat":
			if !traceWrite.MatchString(line) {
				continue
			}
		}
		found := tracePath.FindAllStringSubmatch(line, -1)
		if call[1] == "symlinkat" && len(found) > 0 {
			found = found[1:]
		}
		for _, m := range found {
			p := m[2]
			if !filepath.IsAbs(p) {
				base := m[1]
				if base == "" {
					base = d.dir
				}
				p = filepath.Join(base, p)
			}
			if p = filepath.Clean(p); strings.HasPrefix(p, "/proc/") || p == "/dev/null" || p == "/dev/tty" {
				continue
			}
			if p != inside && !strings.HasPrefix(p, inside+"/") && !strings.HasPrefix(p, d.dir+"/") {
				d.Errorf("writes outside: %.300s", line)
			}
		}
	}
}

// hostileProject is the configuration of a project with local components, each
// with its spec at src/NAME.spec.
func hostileProject(names ...string) string {
	var b strings.Builder
	b.WriteString("[project]\ndefault-distro = { name = \"harbor\", version = \"1\" }\n[distros.harbor.versions.1]\nrelease-ver = \"1\"\n")
	for _, n := range names {
		fmt.Fprintf(&b, "[components.%q]\nspec = { type = \"local\", path = \"src/%s.spec\" }\n", n, n)
	}
	return b.String()
}

// hostileSpec is a spec with lines added to its preamble.
func hostileSpec(name, preamble string) string {
	return "Name: " + name + "\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n" + preamble + "\n%description\nd\n"
}

// hostileQuery makes a case of a spec that is asked for what it says.
func hostileQuery(name, text string) hostile {
	return hostile{name: name, files: map[string]string{"s/x.spec": text}, args: []string{"query", "--spec", "@/s/x.spec", "--json"}}
}
