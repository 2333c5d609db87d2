package overlay_test

import (
	"io/fs"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/spec"
)

// TestPatchLevel holds that a patch of git is reported where patches are applied
// without -p, and only there.
func TestPatchLevel(t *testing.T) {
	t.Parallel()
	const deep, top, plain = "--- a/src/x.c\n+++ b/src/x.c\n@@ -1 +1 @@\n-a\n+b\n", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n", "--- src/x.c\n+++ src/x.c\n@@ -1 +1 @@\n-a\n+b\n"
	for _, tt := range []struct {
		prep, patch string
		fires       bool
	}{
		{"%autosetup", deep, true},
		{"%autosetup -n y -q", deep, true},
		{"%setup -q\n%autopatch -v", deep, false}, // a range is no plan for all
		{"%autosetup -p1", deep, false},
		{"%autosetup -p 1", deep, false},
		{"%autosetup -S git", deep, false},
		{"%autosetup", top, false},
		{"%autosetup", plain, false},
	} {
		tree := &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte("Name: x\n%prep\n"+tt.prep+"\n%build\n")), Files: map[string]*overlay.File{}}
		_, list := overlay.Apply(tree, []overlay.Op{{Type: overlay.PatchAdd, File: "new.patch", Source: "new.patch"}},
			overlay.Options{Lint: true, Source: func(string) ([]byte, fs.FileMode, error) { return []byte(tt.patch), 0o644, nil }})
		fires := false
		for _, d := range list {
			fires = fires || d.Code == "overlay/patch-level"
		}
		if fires != tt.fires {
			t.Errorf("%q: %v", tt.prep, list)
		}
	}
}
