package components

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// TestReferenceLocks computes the locks of the real distribution and compares
// them, byte for byte, with those that the reference tool wrote for it.
//
// The reference ran on repositories made from the corpus, so that commits and
// the address of the dist-git are those of that run. The commits are taken
// from its locks, also for the components that are pinned.
func TestReferenceLocks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads the whole corpus")
	}
	dir := corpus(t)
	archive, err := os.Open(filepath.Join(dir, "..", "dev", "locks.tar.xz"))
	if err != nil {
		t.Skipf("no reference locks: %v", err)
	}
	defer archive.Close()
	override := filepath.Join(t.TempDir(), "override.toml")
	readme, err := os.ReadFile(filepath.Join(dir, "..", "README.md"))
	if err != nil {
		t.Skipf("the address of the reference run is not known: %v", err)
	}
	uri := regexp.MustCompile(`file:///[^"` + "`" + ` ]*\$pkg\.git`).FindString(string(readme))
	if uri == "" {
		t.Fatal("the corpus description does not name the address of the reference run")
	}
	if err := os.WriteFile(override, []byte("[distros.fedora]\ndist-git-base-uri = \""+uri+"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, problems := Load(Options{Dir: dir, ConfigFiles: []string{override}})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	x, err := xz.NewReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	same, pinned := 0, 0
	for tr := tar.NewReader(x); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutSuffix(path.Base(h.Name), LockSuffix)
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		want, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		lock, err := ParseLock(h.Name, want)
		if err != nil {
			t.Fatal(err)
		}
		c, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			t.Error(err)
			continue
		}
		got := Lock{Version: LockVersion, ManualBump: lock.ManualBump}
		if c.IsUpstream() {
			if c.Spec.UpstreamCommit != "" {
				pinned++
				own := *c
				own.Spec.UpstreamCommit = lock.UpstreamCommit
				c = &own
			}
			got.ImportCommit, got.UpstreamCommit = lock.ImportCommit, lock.UpstreamCommit
			got.ResolutionInputHash = p.ResolutionHash(c)
		}
		if got.InputFingerprint, err = p.Fingerprint(c, got.UpstreamCommit, got.ManualBump); err != nil {
			t.Error(err)
			continue
		}
		if string(got.Bytes()) != string(want) {
			t.Errorf("%s: lock differs\n%s\nwant\n%s", name, got.Bytes(), want)
			continue
		}
		same++
	}
	t.Logf("%d locks are the same, %d of them of pinned components", same, pinned)
	if same < 4767 {
		t.Errorf("%d locks are the same, want 4767", same)
	}
}
