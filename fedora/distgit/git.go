// Package distgit reads git repositories: refs, commits, trees, files and the
// history of paths, and writes new ones.
//
// What is not read here is done by the git program, the only child process
// there is, started in a way that no configuration file, hook, attribute or
// remote helper of a repository can make it run something else.
package distgit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// A Git starts the git program. The zero value is ready; the program is looked
// up when it is first needed, so that a run served from the cache needs none.
type Git struct {
	Path string // of the program; where empty it is looked up in PATH

	once sync.Once
	env  []string // environment of a command that reads local objects
	err  error

	userOnce sync.Once
	user     []Setting // what of the user's configuration network access keeps
}

// A Setting is one key of git's configuration.
type Setting struct{ Key, Value string }

// safety is configuration that every command gets, whatever the repository's
// own configuration says: nothing but git runs, nothing is written in passing.
var safety = []Setting{
	{"safe.directory", "*"},
	{"core.hooksPath", os.DevNull},
	{"core.fsmonitor", "false"},
	{"core.alternateRefsCommand", ""},
	{"core.askPass", ""},
	{"log.showSignature", "false"},
	{"log.showRoot", "true"},
	{"advice.graftFileDeprecated", "false"},
	{"gc.auto", "0"},
	{"maintenance.auto", "false"},
	{"protocol.version", "2"},
	{"pack.threads", "1"},
	{"core.bigFileThreshold", "32m"}, // larger ones are streamed, not held in memory
	{"transfer.unpackLimit", "1"},    // one pack per fetch instead of thousands of files
	{"submodule.recurse", "false"},
	{"fetch.recurseSubmodules", "false"},
	{"fetch.writeCommitGraph", "false"},
	{"credential.interactive", "false"},
	{"http.followRedirects", "initial"},
}

// keptVariables are the GIT_ variables that reach git for network access. All
// others could change what is read or make git run something.
var keptVariables = map[string]bool{
	"GIT_ASKPASS": true, "GIT_SSH": true, "GIT_SSH_COMMAND": true, "GIT_SSH_VARIANT": true,
	"GIT_SSL_CAINFO": true, "GIT_SSL_CAPATH": true, "GIT_SSL_CERT": true, "GIT_SSL_KEY": true,
	"GIT_PROXY_SSL_CAINFO": true, "GIT_PROXY_SSL_CERT": true, "GIT_PROXY_SSL_KEY": true,
	"GIT_HTTP_PROXY_AUTHMETHOD": true,
}

func (g *Git) prepare() error {
	g.once.Do(func() {
		if g.Path == "" {
			g.Path, g.err = exec.LookPath("git")
		}
		if g.err != nil {
			g.err = diag.Environment(diag.Errorf("fedora/no-git", "git is not in PATH"), "install git 2.32 or later")
			return
		}
		version := exec.Command(g.Path, "version")
		version.Env = cleanEnvironment(nil)
		if out, err := version.Output(); err == nil && tooOld(string(out)) {
			g.err = diag.Environment(diag.Errorf("fedora/no-git", "%s is too old", strings.TrimSpace(string(out))), "install git 2.32 or later")
			return
		}
		g.env = append(cleanEnvironment(nil), "GIT_ALLOW_PROTOCOL=", "GIT_NO_LAZY_FETCH=1")
		g.env = append(g.env, settings(safety)...)
	})
	return g.err
}

// tooOld reports whether git says that it is older than 2.32, the first that
// can be told to leave the user's configuration alone.
func tooOld(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "git version %d.%d", &major, &minor); err != nil {
		return false
	}
	return major < 2 || major == 2 && minor < 32
}

// cleanEnvironment returns the process's environment without anything that
// steers git, except for the variables named in keep.
func cleanEnvironment(keep map[string]bool) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(name, "GIT_") && name != "GIT_EXEC_PATH" && !keep[name],
			strings.HasPrefix(name, "LC_"), name == "LANG", name == "LANGUAGE":
			continue
		}
		env = append(env, kv)
	}
	return append(env, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1", "GIT_GRAFT_FILE="+os.DevNull, "GIT_PAGER=cat")
}

// settings spells configuration as environment, which unlike arguments is not
// shown to everybody on the machine.
func settings(list []Setting) []string {
	env := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(len(list))}
	for i, s := range list {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+s.Key, "GIT_CONFIG_VALUE_"+n+"="+s.Value)
	}
	return env
}

// gitFiles are the files of a repository that git reads to their end, with more
// bytes than each has reason to have.
var gitFiles = []struct {
	name  string
	limit int64
}{
	{"HEAD", maxRef}, {"config", 1 << 20}, {"config.worktree", 1 << 20}, {"packed-refs", 4 * maxPackedRefs}, {"shallow", maxShallow},
	{"info/attributes", 1 << 20}, {"objects/info/alternates", 1 << 20},
}

// checkFiles keeps git from a repository in which it would wait for a pipe or
// read a device for ever.
func checkFiles(dir string) error {
	for _, f := range gitFiles {
		if err := cache.CheckRegular(filepath.Join(dir, f.name), f.limit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diag.Environment(diag.Errorf("fedora/unreadable-repository", "%s of repository %s: %v", f.name, dir, diag.Reason(err)), "")
		}
	}
	return nil
}

// Command prepares a git command on local objects of the repository in dir; it
// cannot reach the network.
func (g *Git) Command(ctx context.Context, dir string, args ...string) (*exec.Cmd, error) {
	if err := g.prepare(); err != nil {
		return nil, err
	}
	if err := checkFiles(dir); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, g.Path, append([]string{"--git-dir=" + dir}, args...)...)
	cmd.Env = g.env
	cmd.Dir = "/"
	cmd.WaitDelay = 5 * time.Second
	return cmd, nil
}

// Network prepares a git command that may speak the given protocols. The
// user's configuration counts only for credentials, proxies and certificates.
func (g *Git) Network(ctx context.Context, dir string, protocols []string, extra []Setting, args ...string) (*exec.Cmd, error) {
	if err := g.prepare(); err != nil {
		return nil, err
	}
	g.userOnce.Do(func() { g.user = g.userSettings(ctx) })
	cmd := exec.CommandContext(ctx, g.Path, append([]string{"--git-dir=" + dir}, args...)...)
	cmd.Env = append(cleanEnvironment(keptVariables), "GIT_ALLOW_PROTOCOL="+strings.Join(protocols, ":"))
	if os.Getenv("GIT_SSH") == "" && os.Getenv("GIT_SSH_COMMAND") == "" {
		// Many fetches at once cannot share one terminal for questions.
		cmd.Env = append(cmd.Env, "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15")
	}
	// Later values win, so that what is set here goes before the user's.
	list := append(append([]Setting(nil), g.user...), safety...)
	cmd.Env = append(cmd.Env, settings(append(list, extra...))...)
	cmd.Dir = "/"
	// An interrupted git removes its temporary files when it is asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd, nil
}

// userSettings reads the keys that let the user's own git reach a server.
func (g *Git) userSettings(ctx context.Context) []Setting {
	cmd := exec.CommandContext(ctx, g.Path, "config", "--null", "--get-regexp", `^(credential|http|url)\.`)
	cmd.Dir = "/"
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_DIR=") && !strings.HasPrefix(kv, "GIT_WORK_TREE=") && !strings.HasPrefix(kv, "GIT_TRACE") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	out, err := cmd.Output()
	if err != nil {
		return nil // no such key is exit code 1
	}
	var list []Setting
	for kv := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		key, value, ok := strings.Cut(kv, "\n")
		if !ok {
			value = "true" // a key without "=" is a boolean
		}
		if key != "" {
			list = append(list, Setting{key, value})
		}
	}
	return list
}

// Output runs a command and returns what it prints; a failure carries the
// first line of what git said.
func Output(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	stderr := &Tail{}
	cmd.Stdout, cmd.Stderr = &out, stderr
	if err := cmd.Run(); err != nil {
		return nil, CommandError(cmd, err, stderr.String())
	}
	return out.Bytes(), nil
}

// CommandError words the failure of a command.
func CommandError(cmd *exec.Cmd, err error, stderr string) error {
	said := firstComplaint(stderr)
	if said == "" {
		if ee, ok := errors.AsType[*exec.ExitError](err); ok {
			said = ee.ProcessState.String()
		} else {
			said = err.Error()
		}
	}
	name := "git"
	for _, a := range cmd.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			name = "git " + a
			break
		}
	}
	return fmt.Errorf("%s: %s", name, said)
}

// firstComplaint picks the line of git's messages that says what is wrong.
func firstComplaint(stderr string) string {
	best := ""
	for line := range strings.SplitSeq(stderr, "\n") {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"fatal: ", "error: ", "remote: fatal: ", "remote: error: "} {
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return rest
			}
		}
		if best == "" && line != "" && !strings.HasPrefix(line, "hint:") && !strings.HasPrefix(line, "warning:") {
			best = line
		}
	}
	return best
}

// A Tail keeps the last 16 KiB that are written to it.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

const TailSize = 16 << 10

func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*TailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-TailSize:]...)
	}
	return len(p), nil
}

func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
