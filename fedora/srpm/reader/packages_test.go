package reader

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/lookaside"
	"specgraft/fedora/snapshot"
	"specgraft/overlay/diag"
)

func openPackages(t *testing.T, cacheDir string, offline bool) *Packages {
	t.Helper()
	l := lookaside.Open(lookaside.Options{Dir: filepath.Join(cacheDir, "lookaside"), Offline: offline, AllowHTTP: true,
		PerHost: 8, Backoff: 2 * time.Second, Stall: time.Minute})
	t.Cleanup(func() { l.Close() })
	return NewPackages(cacheDir, l)
}

func diagnosticCode(err error) string {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return d.Code
	}
	return ""
}

func TestSourcePackage(t *testing.T) {
	t.Parallel()
	srpm := buildSRPM(t, "")
	cache := t.TempDir()
	packages := openPackages(t, cache, false)
	req := Request{Name: "boat", Address: srpm, Component: "boat"}
	sum, err := packages.Resolve(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	req.SHA256 = sum
	check := func(snap *snapshot.Snapshot) {
		t.Helper()
		var files []string
		for i := range snap.Files {
			f := &snap.Files[i]
			b, err := f.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, fmt.Sprintf("%s %v %d", f.Path, f.Mode, len(b)))
		}
		want := []string{"boat.spec -rw-r--r-- 188", "oar.patch -rw-r--r-- 8", "run.sh -rwxr-xr-x 10", "sources -rw-r--r-- 152"}
		if d := cmp.Diff(want, files); d != "" {
			t.Errorf("files (-want +got):\n%s", d)
		}
	}
	snap, err := packages.Snapshot(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	check(snap)
	b, err := snap.Lookup("sources").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sources, problems := lookaside.ParseSources("sources", b)
	if len(problems) > 0 || len(sources.Entries()) != 1 {
		t.Fatalf("%q: %v", b, problems)
	}
	// The archive is in the lookaside cache, under what sources says.
	e := sources.Entries()[0]
	c, err := packages.lookaside.Get(t.Context(), lookaside.Download{Name: e.Name, HashType: e.HashType, Hash: e.Hash})
	if err != nil || e.Name != "hull.tar.gz" || c.Size != 50000 {
		t.Errorf("%+v, %+v, %v", e, c, err)
	}
	err = filepath.WalkDir(filepath.Join(cache, "lookaside"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(path, "/partial/") {
			if why := lookaside.Verify(path); why != "" {
				t.Errorf("%s: %s", path, why)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if why := snapshot.Verify(snapshot.Path(cache, sum)); why != "" {
		t.Errorf("the snapshot does not verify: %s", why)
	}
	if left, _ := os.ReadDir(filepath.Join(cache, "lookaside", "partial")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	// From now on neither the package nor the network is needed.
	if err := os.Remove(srpm); err != nil {
		t.Fatal(err)
	}
	packages = openPackages(t, cache, true)
	if snap, err = packages.Snapshot(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	check(snap)
	// A damaged snapshot is made again.
	path := snapshot.Path(cache, sum)
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 3000), 0o644); err != nil {
		t.Fatal(err)
	}
	snap, err = packages.Snapshot(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	check(snap)

	other := req
	other.Name, other.SHA256 = "ship", ""
	other.Address = filepath.Join(cache, "lookaside", "sha256", sum[:2], sum[2:])
	if other.SHA256, err = packages.Resolve(t.Context(), other); err == nil {
		os.Remove(path)
		_, err = packages.Snapshot(t.Context(), other)
	}
	if diagnosticCode(err) != "srpm/other-package" {
		t.Errorf("got %v", err)
	}
	bad := req
	bad.SHA256 = "1234567"
	if _, err := packages.Snapshot(t.Context(), bad); diagnosticCode(err) != "srpm/bad" {
		t.Errorf("got %v", err)
	}
}

// TestSourceRepos finds packages in repositories made by createrepo_c.
func TestSourceRepos(t *testing.T) {
	t.Parallel()
	createrepo, err := exec.LookPath("createrepo_c")
	if err != nil {
		t.Skip("createrepo_c is not installed")
	}
	srpm := buildSRPM(t, "")
	text, err := os.ReadFile(srpm)
	if err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"gz", "xz", "zstd", "bz2"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "43", "Packages", "b"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "43", "Packages", "b", filepath.Base(srpm)), text, 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), createrepo, "-q", "--general-compress-type", compression, filepath.Join(dir, "43")).CombinedOutput()
			if err != nil {
				t.Skipf("createrepo_c cannot compress with %s: %s", compression, out)
			}
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer server.Close()
			cache := t.TempDir()
			packages := openPackages(t, cache, false)
			req := Request{Name: "boat", Repos: []string{server.URL + "/43/"}, Component: "boat"}
			sum, err := packages.Resolve(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			req.SHA256 = sum
			if _, err := packages.Snapshot(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			// Locked, it is found by its checksum on an empty machine.
			fresh := openPackages(t, t.TempDir(), false)
			if _, err := fresh.Snapshot(t.Context(), req); err != nil {
				t.Error(err)
			}
			req.SHA256 = strings.Repeat("0", 64)
			if _, err := fresh.Snapshot(t.Context(), req); diagnosticCode(err) != "srpm/not-found" {
				t.Errorf("got %v", err)
			}
			_, err = fresh.Resolve(t.Context(), Request{Name: "boot", Repos: req.Repos})
			if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "srpm/not-found" || !strings.Contains(d.Hint, `"boat"`) {
				t.Errorf("got %v", err)
			}
			for nevr, code := range map[string]string{
				"boat-2:1.0~rc1-3": "", "boat-2:1.0~rc1-3.src.rpm": "", "boat-1.0~rc1-3": "srpm/not-found", "boat-2:1.0~rc1-4": "srpm/not-found", "boat": "srpm/not-found", "boat-1-": "srpm/not-found",
			} {
				got, err := fresh.Resolve(t.Context(), Request{Name: "boat", Address: "repo://" + nevr, Repos: req.Repos})
				if diagnosticCode(err) != code || code == "" && got != sum {
					t.Errorf("%s: %q, %v", nevr, got, err)
				}
			}
			off := openPackages(t, t.TempDir(), true)
			if _, err := off.Resolve(t.Context(), Request{Name: "boat", Repos: req.Repos}); diagnosticCode(err) != "fedora/offline" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A metadata server answers from a map.
