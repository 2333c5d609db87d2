package fedora

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/diag"
)

func openPackages(t *testing.T, o Options) (*Store, *SourcePackages) {
	t.Helper()
	o.AllowHTTP = true
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p, err := s.SourcePackages()
	if err != nil {
		t.Fatal(err)
	}
	return s, p
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
	s, packages := openPackages(t, Options{CacheDir: cache})
	req := SRPMRequest{Name: "boat", Address: srpm, Component: "boat"}
	sum, err := packages.Resolve(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	req.SHA256 = sum
	check := func(snap *Snapshot) {
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
	sources, problems := ParseSources("sources", b)
	if len(problems) > 0 || len(sources.Entries()) != 1 {
		t.Fatalf("%q: %v", b, problems)
	}
	// The archive is in the lookaside cache, under what sources says.
	e := sources.Entries()[0]
	c, err := packages.lookaside.Get(t.Context(), Download{Name: e.Name, HashType: e.HashType, Hash: e.Hash})
	if err != nil || e.Name != "hull.tar.gz" || c.Size != 50000 {
		t.Errorf("%+v, %+v, %v", e, c, err)
	}
	checkCache(t, packages.lookaside)
	v, err := s.Verify(t.Context(), false, nil)
	if err != nil || len(v.Damages) > 0 {
		t.Errorf("the cache does not verify: %+v, %v", v, err)
	}
	if left, _ := os.ReadDir(filepath.Join(cache, "lookaside", "partial")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	// From now on neither the package nor the network is needed.
	if err := os.Remove(srpm); err != nil {
		t.Fatal(err)
	}
	_, packages = openPackages(t, Options{CacheDir: cache, Offline: true})
	if snap, err = packages.Snapshot(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	check(snap)
	// A damaged snapshot is made again.
	path := snapPath(cache, sum)
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
			_, packages := openPackages(t, Options{CacheDir: cache})
			req := SRPMRequest{Name: "boat", Repos: []string{server.URL + "/43/"}, Component: "boat"}
			sum, err := packages.Resolve(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			req.SHA256 = sum
			if _, err := packages.Snapshot(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			// Locked, it is found by its checksum on an empty machine.
			_, fresh := openPackages(t, Options{CacheDir: t.TempDir()})
			if _, err := fresh.Snapshot(t.Context(), req); err != nil {
				t.Error(err)
			}
			req.SHA256 = strings.Repeat("0", 64)
			if _, err := fresh.Snapshot(t.Context(), req); diagnosticCode(err) != "srpm/not-found" {
				t.Errorf("got %v", err)
			}
			_, err = fresh.Resolve(t.Context(), SRPMRequest{Name: "boot", Repos: req.Repos})
			if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "srpm/not-found" || !strings.Contains(d.Hint, `"boat"`) {
				t.Errorf("got %v", err)
			}
			for nevr, code := range map[string]string{
				"boat-2:1.0~rc1-3": "", "boat-2:1.0~rc1-3.src.rpm": "", "boat-1.0~rc1-3": "srpm/not-found", "boat-2:1.0~rc1-4": "srpm/not-found", "boat": "srpm/not-found", "boat-1-": "srpm/not-found",
			} {
				got, err := fresh.Resolve(t.Context(), SRPMRequest{Name: "boat", Address: "repo://" + nevr, Repos: req.Repos})
				if diagnosticCode(err) != code || code == "" && got != sum {
					t.Errorf("%s: %q, %v", nevr, got, err)
				}
			}
			_, off := openPackages(t, Options{CacheDir: t.TempDir(), Offline: true})
			if _, err := off.Resolve(t.Context(), SRPMRequest{Name: "boat", Repos: req.Repos}); diagnosticCode(err) != "fedora/offline" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A metadata server answers from a map.
type metadata map[string][]byte

func (m metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b, ok := m[r.URL.Path]; ok {
		w.Write(b)
		return
	}
	http.NotFound(w, r)
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func TestSourceReposHostile(t *testing.T) {
	t.Parallel()
	const pkg = `<package type="rpm"><name>%s</name><arch>%s</arch><version epoch="0" ver="%s" rel="1"/><checksum type="%s">%s</checksum><location href="%s"/></package>`
	zeros := strings.Repeat("0", 64)
	primary := func(packages ...string) []byte {
		return []byte("<metadata>" + strings.Join(packages, "") + "</metadata>")
	}
	repomd := func(href, kind, hash, openSize string) []byte {
		return fmt.Appendf(nil, `<repomd><data type="primary"><checksum type="%s">%s</checksum><location href="%s"/><open-size>%s</open-size></data></repomd>`, kind, hash, href, openSize)
	}
	good := primary(fmt.Sprintf(pkg, "boat", "src", "1", "sha256", zeros, "b.src.rpm"),
		fmt.Sprintf(pkg, "boat", "src", "1~rc1", "sha256", strings.Repeat("1", 64), "a.src.rpm"),
		fmt.Sprintf(pkg, "boat", "x86_64", "9", "sha256", zeros, "c.rpm"))
	serve := func(p []byte, repomd func(hash string) []byte) metadata {
		return metadata{"/repodata/repomd.xml": repomd(sha512Hex(p)), "/p.xml": p, "/p.xml.gz": p}
	}
	plain := func(hash string) []byte { return repomd("p.xml", "sha512", hash, "") }
	packed := func(size string) func(string) []byte {
		return func(hash string) []byte { return repomd("p.xml.gz", "sha512", hash, size) }
	}
	bomb := gzipped(append([]byte("<metadata>"), bytes.Repeat([]byte(" "), 40<<20)...))
	tests := []struct {
		name string
		m    metadata
		want string // code and part of the message; "" when the package is found
	}{
		{"good", serve(good, plain), ""},
		{"nothing", metadata{}, "lookaside/not-found "},
		{"not XML", metadata{"/repodata/repomd.xml": []byte("hello")}, "srpm/repo repomd.xml is not readable"},
		{"no primary", metadata{"/repodata/repomd.xml": []byte("<repomd/>")}, "srpm/repo does not name any primary"},
		{"outside", serve(good, func(h string) []byte { return repomd("../p.xml", "sha512", h, "") }), "srpm/repo not in the repository"},
		{"another host", serve(good, func(h string) []byte { return repomd("//evil.example/p.xml", "sha512", h, "") }), "srpm/repo not in the repository"},
		{"weak checksum", serve(good, func(h string) []byte { return repomd("p.xml", "sha", h, "") }), `srpm/repo checksum type "sha"`},
		{"wrong checksum", serve(good, func(string) []byte { return plain(strings.Repeat("0", 128)) }), "lookaside/checksum "},
		{"package outside", serve(primary(fmt.Sprintf(pkg, "boat", "src", "1", "sha256", zeros, "/etc/passwd")), plain), "srpm/repo not in the repository"},
		{"package elsewhere", serve(primary(fmt.Sprintf(pkg, "boat", "src", "1", "sha256", zeros, "https://evil.example/b")), plain), "srpm/repo not in the repository"},
		{"package with a weak checksum", serve(primary(fmt.Sprintf(pkg, "boat", "src", "1", "md5", zeros, "b")), plain), `srpm/repo checksum of type "md5"`},
		{"entity", serve([]byte("<!DOCTYPE m [<!ENTITY a 'b'>]><metadata><package><name>&a;</name></package></metadata>"), plain), "srpm/repo invalid character entity"},
		{"cut off", serve(good[:60], plain), "srpm/repo unexpected EOF"},
		{"gzip that is none", serve(good, packed("")), "srpm/repo gzip"},
		{"bomb beyond its declared size", serve(bomb, packed("1000")), "srpm/repo more bytes than it may have"},
		{"bomb in one element", serve(bomb, packed("")), "srpm/repo too many bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.m)
			defer server.Close()
			l, _ := testLookaside(t, Options{})
			l.maxSize = 64 << 20
			repos := SourceRepos{Lookaside: l}
			p, err := repos.Find(context.Background(), []string{server.URL}, RepoPackage{Name: "boat"})
			if tt.want == "" {
				if err != nil || p.Hash != zeros || p.URL != server.URL+"/b.src.rpm" {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			code, text, _ := strings.Cut(tt.want, " ")
			if diagnosticCode(err) != code || !strings.Contains(err.Error(), text) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
