package rebase_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"strings"
	"testing"

	"specgraft/fedora/lookaside"
	"specgraft/overlay"
	"specgraft/overlay/spec"
	"specgraft/render/rebase"
)

// TestArchives holds patches of overlays against the archives in the cache.
func TestArchives(t *testing.T) {
	t.Parallel()
	const change = "--- a/src/main.c\n+++ b/src/main.c\n@@ -2,3 +2,3 @@\n two\n-three\n+THREE\n four\n"
	main := "one\ntwo\nthree\nfour\nfive\n"
	for _, test := range []struct {
		name, main, patch, other string
		cached                   bool
		verdict                  rebase.Verdict
		reason                   string
	}{
		{"applies", main, change, "", true, rebase.Clean, "the patch applies to x-2.tar.gz"},
		{"offset", "zero\n" + main, change, "", true, rebase.Moved, "with offset 1 and fuzz 0"},
		{"fuzz", strings.Replace(main, "two", "2", 1), change, "", true, rebase.Moved, "with offset 0 and fuzz 1"},
		{"landed", strings.Replace(main, "three", "THREE", 1), change, "", true, rebase.Landed, "x-2.tar.gz has the change"},
		{"conflict", strings.Replace(main, "three", "drei", 1), change, "", true, rebase.Broken, "does not apply to x-2.tar.gz: hunk 1 of src/main.c does not fit"},
		{"file gone", "", strings.ReplaceAll(change, "main.c", "gone.c"), "", true, rebase.Broken, "there is no file src/gone.c"},
		{"behind another", strings.Replace(main, "three", "drei", 1), change, change, true, rebase.Clean, "not checked: first.patch changes the same files first"},
		{"no patch", main, "what\n", "", true, rebase.Clean, "not checked: it is no unified diff"},
		{"not cached", main, change, "", false, rebase.Clean, "not checked: x-2.tar.gz is not in the cache"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cache := lookaside.Open(lookaside.Options{Dir: t.TempDir()})
			t.Cleanup(func() { cache.Close() })
			sum := strings.Repeat("0", 128)
			if test.cached {
				part, err := cache.Collect(t.Context(), bytes.NewReader(tarball(t, "x-2/src/main.c", test.main)))
				if err != nil {
					t.Fatal(err)
				}
				sum = part.SHA512()
				if _, err := part.Keep(); err != nil {
					t.Fatal(err)
				}
			}
			tree := func(version string) *overlay.Tree {
				text := "Name: x\nVersion: " + version + "\nRelease: 1\nSummary: x\nLicense: MIT\nSource0: x-%{version}.tar.gz\n"
				files := map[string]*overlay.File{
					"sources": overlay.NewFile("sources", 0o644, []byte("SHA512 (x-"+version+".tar.gz) = "+sum+"\n"), nil)}
				if test.other != "" {
					text += "Patch0: first.patch\n"
					files["first.patch"] = overlay.NewFile("first.patch", 0o644, []byte(strings.Replace(test.other, "THREE", "other", 1)), nil)
				}
				return &overlay.Tree{Name: "x", Spec: spec.Parse("x.spec", []byte(text+"\n%description\nx\n\n%prep\n%autosetup -p1\n")), Files: files}
			}
			ops := []overlay.Op{{Type: overlay.PatchAdd, Source: "our.patch"}}
			c, err := rebase.Compare(tree("1"), tree("2"), ops, rebase.Options{
				Source:  func(string) ([]byte, fs.FileMode, error) { return []byte(test.patch), 0o644, nil },
				Sources: func(u *overlay.Tree) (*rebase.SourceTree, error) { return rebase.Archives(cache)(t.Context(), nil, u) },
			})
			if err != nil {
				t.Fatal(err)
			}
			o := c.Overlays[0]
			if o.Verdict != test.verdict || !strings.Contains(o.Reason, test.reason) {
				t.Errorf("%s: %s, want %s: %s", o.Verdict, o.Reason, test.verdict, test.reason)
			}
		})
	}
}

func tarball(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []interface{ Close() error }{w, z} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
