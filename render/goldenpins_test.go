package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/render"
)

const examplePins = "../testdata/example-1.0"

// examplePinsHistory copies the example without lock files into a repository of
// its own, whose history ends with the example as it is checked in.
func examplePinsHistory(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	s := &scripted{t: t, dir: t.TempDir()}
	if err := os.CopyFS(s.dir, os.DirFS(examplePins)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "specs")); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const hello, lamp, overlay = "base/upstream-commits/hello-harbor.toml", "comps/lighthouse/lighthouse.comp.toml",
		"comps/hello-harbor/overlays/0001-greet-from-quay.overlay.toml"
	helloNow, lampNow, overlayNow := read(hello), read(lamp), read(overlay)
	swap := func(text, old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in\n%s", old, text)
		}
		return strings.Replace(text, old, new, 1)
	}
	s.git("init", "-q", "-b", "main")
	lampThen := swap(lampNow, "38c27013ce97377c409793c6078aa0c687514d6d", "2388c6ec6239daa6e1cd8cb3177812710de805f7")
	lampThen = swap(lampThen, "# The third candidate is not for us yet: this commit wins over the generated one.\n", "")
	s.write(hello, swap(helloNow, "278ee40e3b88d5d30a3ce95244168d4ce16bfaae", "684e076e1b486cbed4e0d4b08ef3250ace6e9fc8"))
	s.write(lamp, lampThen)
	s.write(overlay, swap(overlayNow, "This build greets", "This greets"))
	s.commit("Start Quay Linux")
	// A pin by hand makes every edit of its file a release.
	s.write(lamp, "# A candidate.\n"+lampThen)
	s.commit("Say what lighthouse is")
	s.write(hello, helloNow)
	s.commit("Move hello-harbor to the gated package")
	s.write(lamp, lampNow)
	s.commit("Take the second candidate of lighthouse")
	// An overlay makes none beside a generated pin.
	s.write(overlay, overlayNow)
	s.commit("Greet as a build")
	return s.dir
}

// TestExamplePins renders the example without lock files, whose components are
// defined in several files, and compares with the tree that is checked in.
func TestExamplePins(t *testing.T) {
	t.Parallel()
	p, problems := components.Load(components.Options{Dir: examplePinsHistory(t)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	store, err := fedora.Open(fedora.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := &render.Renderer{Project: p, Store: store}
	golden := filepath.Join(examplePins, "specs")
	if *update {
		renderInto(t, r, golden, 0)
	}
	dir := t.TempDir()
	for component, diags := range renderInto(t, r, dir, 0) {
		t.Errorf("%s: %v", component, diags)
	}
	if d := cmp.Diff(readTree(t, golden), readTree(t, dir)); d != "" {
		t.Errorf("the rendered example is not what is checked in (-want +got); if this is meant, run the test with -update:\n%s", d)
	}
}
