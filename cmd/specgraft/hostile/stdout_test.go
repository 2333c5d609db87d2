package hostile

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// TestStdoutLost runs commands whose stdout takes nothing: it is full, or its
// reader is gone. They do their work all the same, and say that nobody has seen
// the results.
func TestStdoutLost(t *testing.T) {
	t.Parallel()
	example, err := filepath.Abs("../../../testdata/example")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	// each runs the commands with a stdout and returns what render wrote.
	each := func(t *testing.T, code int, open func() (*os.File, error)) map[string]string {
		out := filepath.Join(t.TempDir(), "out")
		for _, args := range []string{
			"render -a -o " + out, "render -a --check --json -o " + out, "list --json", "list", "show lighthouse", "query lighthouse",
			"blame hello-harbor", "diff hello-harbor --json", "step hello-harbor", "overlay list", "codes", "help codes", "--help", "help",
			"config dump", "config schema", "macros show", "version", "fetch -a", "update -a --check", "cache size", "cache dir",
			"template list", "completion bash", "render --help",
		} {
			w, err := open()
			if err != nil {
				t.Skip(err)
			}
			cmd := exec.Command(program, append(strings.Fields(args), "-C", example, "--cache-dir", cache)...)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = w, &stderr
			cmd.Run()
			w.Close()
			if got := cmd.ProcessState.ExitCode(); code >= 0 && got != code {
				t.Errorf("specgraft %s: exit code %d, want %d\n%s", args, got, code, &stderr)
			}
			if code == cli.ExitEnv && !strings.Contains(stderr.String(), "no space left") && !strings.Contains(stderr.String(), "broken pipe") {
				t.Errorf("specgraft %s does not say what was lost:\n%s", args, &stderr)
			}
		}
		return snapshot(t, out)
	}
	want := each(t, -1, func() (*os.File, error) { return os.OpenFile(os.DevNull, os.O_WRONLY, 0) })
	if len(want) == 0 {
		t.Fatal("nothing was rendered")
	}
	for name, open := range map[string]func() (*os.File, error){
		"full": func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) },
		"closed": func() (*os.File, error) {
			r, w, err := os.Pipe()
			if err == nil {
				r.Close()
			}
			return w, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := each(t, cli.ExitEnv, open); !maps.Equal(got, want) {
				t.Errorf("%d components were rendered, want the same %d as ever", len(got), len(want))
			}
		})
	}
}
