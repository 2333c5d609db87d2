//go:build linux

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

// smallDisk is a shell script that runs a command with a disk of its own:
// DISK SEED RESULT LEFT COMMAND... mounts it on DISK with the content of SEED
// and LEFT bytes to spare, or "ro" for a disk that cannot be written, and copies
// what is on it afterwards to RESULT.
const smallDisk = `
disk=$1 seed=$2 result=$3 left=$4
shift 4
mount -t tmpfs -o size=8m none "$disk" || exit 99
cp -R "$seed/." "$disk" || exit 99
if [ "$left" = ro ]; then
	mount -o remount,ro "$disk" || exit 99
else
	dd if=/dev/zero of="$disk/.ballast" bs=4096 2>/dev/null
	[ "$left" = 0 ] || truncate -s "-$left" "$disk/.ballast" || exit 99
fi
"$@"
code=$?
[ "$left" != ro ] || mount -o remount,rw "$disk"
rm -f "$disk/.ballast"
cp -R "$disk/." "$result" || exit 99
exit $code`

// TestSmallDisk runs the commands that write on disks that are full or cannot
// be written: each ends with exit code 3 and says why, nothing that was there is
// lost, and with room the next run does what the first was to do.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	unshare := []string{"unshare", "--user", "--map-root-user", "--mount"}
	if exec.Command(unshare[0], append(unshare[1:], "mount", "-t", "tmpfs", "none", t.TempDir())...).Run() != nil {
		unshare = []string{"unshare", "--mount"}
		if exec.Command(unshare[0], append(unshare[1:], "mount", "-t", "tmpfs", "none", t.TempDir())...).Run() != nil {
			t.Skip("NOT CHECKED: no disk can be mounted here")
		}
	}
	project := filepath.Join(t.TempDir(), "project")
	if err := os.CopyFS(project, os.DirFS("../../../testdata/example")); err != nil {
		t.Fatal(err)
	}
	warm := filepath.Join(t.TempDir(), "cache")
	clean := filepath.Join(t.TempDir(), "clean")
	specgraft := func(args ...string) (int, string) {
		cmd := exec.Command(program, args...)
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	if code, out := specgraft("render", "-a", "-C", project, "--cache-dir", warm, "-o", clean); code != cli.ExitOK {
		t.Fatalf("%d\n%s", code, out)
	}
	want := files(t, clean)
	empty := t.TempDir()

	// A spec and a file of overlays, for commands without a project.
	alone := t.TempDir()
	for name, text := range map[string]string{
		"a.spec":   "Name: a\nVersion: 1\nRelease: 1\nSummary: a\nLicense: MIT\n\n%description\na\n",
		"a.toml":   "[[overlays]]\ntype = \"spec-set-tag\"\ntag = \"Vendor\"\nvalue = \"Harbor\"\n",
		"macros.x": "%mine " + strings.Repeat("x", 9000) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(alone, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}

	const disk = "DISK" // stands for the disk in a command line
	for _, c := range []struct {
		name, seed string // what is on the disk
		left       []string
		args       string
	}{
		// The cache: whatever git or we cannot write there is the environment's fault.
		{"cache", empty, []string{"0", "4096", "65536", "131072", "196608", "ro"}, "render -a --check -C " + project + " --cache-dir DISK -o " + clean},
		{"cache in a new place", empty, []string{"0", "ro"}, "render -a --check -C " + project + " --cache-dir DISK/deep/er -o " + clean},
		{"fetch", empty, []string{"0", "65536", "ro"}, "fetch -a -C " + project + " --cache-dir DISK"},
		{"update", empty, []string{"0", "ro"}, "update -a --check -C " + project + " --cache-dir DISK"},
		{"query", empty, []string{"0", "ro"}, "query lighthouse -C " + project + " --cache-dir DISK"},
		{"blame", empty, []string{"0"}, "blame lighthouse -C " + project + " --cache-dir DISK"},
		{"prepare", empty, []string{"0"}, "prepare lighthouse --skip-sources -o " + filepath.Join(t.TempDir(), "out") + " -C " + project + " --cache-dir DISK"},
		// The output.
		{"output", empty, []string{"0", "16384", "ro"}, "render -a -C " + project + " --cache-dir " + warm + " -o DISK/out"},
		{"prepared", empty, []string{"0", "8192", "ro"}, "prepare lighthouse --skip-sources -C " + project + " --cache-dir " + warm + " -o DISK/out"},
		{"export", empty, []string{"0", "ro"}, "render lighthouse --export-git DISK/git -C " + project + " --cache-dir " + warm + " -o " + clean},
		{"init", empty, []string{"0", "ro"}, "init DISK/new"},
		// The project.
		{"locks", project, []string{"0", "ro"}, "update -a -C DISK --cache-dir " + warm},
		{"add", project, []string{"0", "ro"}, "add zlib-ng -C DISK"},
		{"new", project, []string{"0", "ro"}, "new dinghy --template config --summary Boat -C DISK"},
		{"pin", project, []string{"0", "ro"}, "overlay pin -a -C DISK --cache-dir " + warm},
		// Single files.
		{"apply", alone, []string{"0", "ro"}, "apply DISK/a.spec DISK/a.toml -o DISK/a.spec"},
		{"macros", alone, []string{"0", "ro"}, "macros import DISK/macros.x -o DISK/macros.json"},
	} {
		for i, left := range c.left {
			if testing.Short() && i > 0 {
				break
			}
			t.Run(c.name+" "+left, func(t *testing.T) {
				t.Parallel()
				at, result := t.TempDir(), t.TempDir()
				args := append(unshare[1:len(unshare):len(unshare)], "sh", "-c", smallDisk, "sh", at, c.seed, result, left, program)
				cmd := exec.Command(unshare[0], append(args, strings.Fields(strings.ReplaceAll(c.args, disk, at))...)...)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				cmd.Run()
				if got := cmd.ProcessState.ExitCode(); got != cli.ExitEnv {
					t.Errorf("exit code %d, want %d\n%s", got, cli.ExitEnv, &stderr)
				}
				said := strings.ToLower(stderr.String())
				if !strings.Contains(said, "no space left") && !strings.Contains(said, "read-only") && !strings.Contains(said, "make room") {
					t.Errorf("the disk is not named as the reason:\n%s", &stderr)
				}
				before, after := files(t, c.seed), files(t, result)
				for name, content := range before {
					if after[name] != content {
						t.Errorf("%s is lost or changed", name)
					}
				}
				for name := range after {
					if _, ok := before[name]; !ok && c.seed != empty {
						t.Errorf("%s is left behind", name)
					}
				}
				if c.name == "cache" {
					out := filepath.Join(t.TempDir(), "again")
					if code, msg := specgraft("render", "-a", "-C", project, "--cache-dir", result, "-o", out); code != cli.ExitOK {
						t.Errorf("the next render ends with %d\n%s", code, msg)
					}
					if got := files(t, out); !maps.Equal(got, want) {
						t.Errorf("the next render writes %d files, not the %d of a clean one", len(got), len(want))
					}
				}
			})
		}
	}
}
