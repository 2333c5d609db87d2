package main

import (
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output inside the scripts")

// TestMain gives the tests an umask of their own: a checkout by git has the modes
// that the umask leaves, and scripts compare it with what is rendered.
func TestMain(m *testing.M) {
	usualUmask()
	testscript.Main(m, map[string]func(){"specgraft": main})
}

// TestScripts runs the scripts that drive the real command, one per task of a
// user. Scripts find the example distribution in $EXAMPLE.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// exits CODE COMMAND... runs a command that ends with that code.
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) < 2 || neg {
					ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
				}
				code := 0
				if err := ts.Exec(args[1], args[2:]...); err != nil {
					exit, ok := errors.AsType[*exec.ExitError](err)
					if !ok {
						ts.Fatalf("%v", err)
					}
					code = exit.ExitCode()
				}
				if want, err := strconv.Atoi(args[0]); err != nil || code != want {
					ts.Fatalf("exit code %d, want %s", code, args[0])
				}
			},
			"terminal":  onTerminal,
			"validates": validates,
			// base64 NAME FILE sets a variable to the content of a file in base64.
			"base64": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 2 || neg {
					ts.Fatalf("usage: base64 NAME FILE")
				}
				ts.Setenv(args[0], base64.StdEncoding.EncodeToString([]byte(ts.ReadFile(args[1]))))
			},
			// copytree DIR COPY copies a directory with all that is in it.
			"copytree": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 2 || neg {
					ts.Fatalf("usage: copytree DIR COPY")
				}
				ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
			},
			"readlink": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 2 || neg {
					ts.Fatalf("usage: readlink LINK TARGET")
				}
				if got, err := os.Readlink(ts.MkAbs(args[0])); err != nil || got != args[1] {
					ts.Fatalf("%s leads to %q (%v), want %q", args[0], got, err, args[1])
				}
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLE", filepath.Join(root, "testdata", "example"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "home", "cache"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "home", "config"))
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			for _, k := range []string{"GIT_AUTHOR", "GIT_COMMITTER"} {
				env.Setenv(k+"_NAME", "Test Author")
				env.Setenv(k+"_EMAIL", "author@example.com")
				env.Setenv(k+"_DATE", "2026-01-02T03:04:05Z")
			}
			return nil
		},
	})
}
