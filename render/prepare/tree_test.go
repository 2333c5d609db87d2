package prepare

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/fedora/lookaside"
	"specgraft/render"
)

const treeProject = `[project]
default-distro = { name = "mine", version = "1" }
[distros.mine.versions.1]
release-ver = "1"
[distros.fedora]
default-version = "43"
dist-git-base-uri = "file://%s/$pkg"
lookaside-base-uri = "%s/$pkg/$filename/$hashtype/$hash/$filename"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[components.boat]
spec = { type = "upstream", upstream-distro = { name = "fedora" } }
`

const treeSpec = "Name: boat\nVersion: 1\nRelease: 1\nSummary: A boat\nLicense: MIT\nSource0: hull.tar\n\n%description\nA boat.\n\n%files\n\n%changelog\n"

// treeRenderer makes a project with one component whose dist-git has the given
// files, and a lookaside cache behind a handler.
func treeRenderer(t *testing.T, toml string, files map[string]string, lookaside http.Handler) (*render.Renderer, *lookaside.Client) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	server := httptest.NewServer(lookaside)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	repo := filepath.Join(dir, "rpms", "boat")
	for name, text := range files {
		path := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q", "-b", "f43"}, {"add", "."}, {"commit", "-q", "-m", "Import"}} {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", repo}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	project := filepath.Join(dir, "project")
	if err := os.MkdirAll(project, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(treeProject, filepath.Join(dir, "rpms"), server.URL) + strings.ReplaceAll(toml, "@SERVER@", server.URL)
	if err := os.WriteFile(filepath.Join(project, "azldev.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, problems := components.Load(components.Options{Dir: project})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	opt := fedora.Options{CacheDir: filepath.Join(dir, "cache"), AllowHTTP: true, Backoff: time.Millisecond, Retries: 1}
	store, err := fedora.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	l, err := fedora.OpenLookaside(opt)
	if err != nil {
		t.Fatal(err)
	}
	r := &render.Renderer{Project: p, Store: store, Unfiltered: true}
	t.Cleanup(func() { r.Close(); l.Close(); store.Close() })
	return r, l
}

func sha512Of(text string) string {
	d := sha512.Sum512([]byte(text))
	return hex.EncodeToString(d[:])
}

// served answers each request for a file name with its content.
type served map[string]string

func (s served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text, ok := s[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]; ok {
		w.Write([]byte(text))
		return
	}
	http.NotFound(w, r)
}

// below lists the files below a directory with their content.
func below(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWriteTree(t *testing.T) {
	t.Parallel()
	sources := "SHA512 (hull.tar) = " + sha512Of("hull") + "\n"
	var requests atomic.Int64
	server := served{"hull.tar": "hull"}
	r, l := treeRenderer(t, "", map[string]string{"boat.spec": treeSpec, "sources": sources, "tests/run": "run"},
		http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			requests.Add(1)
			server.ServeHTTP(w, req)
		}))
	dir := filepath.Join(t.TempDir(), "deep", "out")
	tree, problems := WriteTree(t.Context(), r, "boat", TreeOptions{Dir: dir, Lookaside: l})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"boat.spec", "sources", "tests/run"}, tree.Files); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	want := []Source{{Name: "hull.tar", HashType: "SHA512", Hash: sha512Of("hull"), Size: 4}}
	if d := cmp.Diff(want, tree.Sources); d != "" {
		t.Errorf("sources (-want +got):\n%s", d)
	}
	got := below(t, dir)
	if len(got) != 4 || got["hull.tar"] != "hull" || got["sources"] != sources {
		t.Errorf("tree %q", got)
	}

	// A tree that is there is replaced as a whole, and only when told to; what
	// a killed run left beside it is removed.
	if err := os.WriteFile(filepath.Join(dir, "stray"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(filepath.Dir(dir), treeTemp+"left")
	if err := os.MkdirAll(filepath.Join(left, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, problems := WriteTree(t.Context(), r, "boat", TreeOptions{Dir: dir, Lookaside: l}); len(problems) != 1 || problems[0].Code != "prepare/output" {
		t.Errorf("got %v", problems)
	}
	if _, problems := WriteTree(t.Context(), r, "boat", TreeOptions{Dir: dir, Lookaside: l, Force: true}); problems.HasErrors() {
		t.Error(problems)
	}
	if d := cmp.Diff(got, below(t, dir)); d != "" {
		t.Errorf("tree (-first +second):\n%s", d)
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the tree: %v, %v", entries, err)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests for one file", requests.Load())
	}
	// A repository is never replaced.
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, problems := WriteTree(t.Context(), r, "boat", TreeOptions{Dir: dir, Lookaside: l, Force: true}); len(problems) != 1 || problems[0].Code != "prepare/output" {
		t.Errorf("got %v", problems)
	}
}

// TestWriteTreeProblems checks that all problems are found in one go, and
// that none of them leaves anything behind.
func TestWriteTreeProblems(t *testing.T) {
	t.Parallel()
	entry := func(name string) string { return "SHA512 (" + name + ") = " + sha512Of("hull") + "\n" }
	tests := []struct {
		name    string
		toml    string
		sources string
		want    []string // codes
	}{
		{"missing", "", entry("no.tar") + entry("nor.tar"), []string{"lookaside/not-found", "lookaside/not-found"}},
		{"wrong", "", entry("wrong.tar"), []string{"lookaside/checksum"}},
		{"not an entry", "", "hello\n", []string{"sources/syntax"}},
		{"slash", "", entry("../../evil"), []string{"lookaside/name"}},
		{"absolute", "", entry("/etc/passwd"), []string{"lookaside/name"}},
		{"dots", "", entry(".."), []string{"lookaside/name"}},
		{"git", "", entry(".git"), []string{"lookaside/name"}},
		{"control character", "", entry("a\tb"), []string{"lookaside/name"}},
		{"long", "", entry(strings.Repeat("x", 256)), []string{"lookaside/name"}},
		{"over the spec", "", entry("boat.spec") + entry("hull.tar"), []string{"prepare/collision"}},
		{"over sources", "", entry("sources") + entry("hull.tar"), []string{"prepare/collision"}},
		{"source in no place", "", entry("sail.tar"), []string{"prepare/no-source"}},
		{"hash type", "", "SHA1 (hull.tar) = 00\n", []string{"lookaside/hash-type"}},
		{"already listed", "[[components.boat.source-files]]\nfilename = \"hull.tar\"\nhash-type = \"SHA512\"\nhash = \"" + sha512Of("hull") + "\"\norigin = { type = \"download\", uri = \"@SERVER@/hull.tar\" }\n",
			entry("hull.tar"), []string{"sources/exists"}},
		{"no such archive", "[[components.boat.source-files]]\nfilename = \"gone.tar\"\nhash-type = \"SHA512\"\nhash = \"" + sha512Of("hull") + "\"\norigin = { type = \"overlay\" }\nreplace-upstream = true\nreplace-reason = \"x\"\n[[components.boat.overlays]]\ntype = \"file-remove\"\narchive = \"gone.tar\"\nfile = \"x\"\n",
			entry("hull.tar"), []string{"sources/nothing-to-replace"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, l := treeRenderer(t, tt.toml, map[string]string{"boat.spec": treeSpec, "sources": tt.sources},
				served{"hull.tar": "hull", "wrong.tar": "other", "boat.spec": "hull", "sources": "hull", "sail.tar": "hull"})
			parent := t.TempDir()
			tree, problems := WriteTree(t.Context(), r, "boat", TreeOptions{Dir: filepath.Join(parent, "out"), Lookaside: l})
			var codes []string
			for i := range problems {
				codes = append(codes, problems[i].Code)
				if problems[i].Pos.Filename == "" || strings.Contains(problems[i].Message, "\n") {
					t.Errorf("%+v", problems[i])
				}
			}
			slices.Sort(codes)
			if d := cmp.Diff(tt.want, codes); d != "" || tree != nil {
				t.Errorf("problems (-want +got):\n%s\n%v", d, problems)
			}
			if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}
