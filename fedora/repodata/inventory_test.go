package repodata

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"specgraft/fedora/lookaside"
)

func names(list []NEVRA) string {
	var out []string
	for _, n := range list {
		out = append(out, n.String())
	}
	return strings.Join(out, " ")
}

// TestInventory reads a repository in every way that it can be named.
func TestInventory(t *testing.T) {
	t.Parallel()
	for _, compress := range []string{"", ".gz", ".xz", ".zst"} {
		dir := metadataDir(t, compress, map[string]string{"primary": primaryXML}, nil)
		var requests atomic.Int64
		files := http.FileServer(http.Dir(dir))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			files.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		client := lookaside.Open(lookaside.Options{Dir: t.TempDir(), AllowHTTP: true, PerHost: 1})
		t.Cleanup(func() { client.Close() })
		for _, base := range []string{dir, filepath.Join(dir, "repodata"), "file://" + filepath.ToSlash(dir), server.URL, server.URL + "/", server.URL} {
			got, err := Inventory(context.Background(), client, base)
			if err != nil {
				t.Fatalf("%s: %v", base, err)
			}
			if want := "lib-devel-1:2-3.x86_64 lib-2-3.src"; names(got) != want {
				t.Errorf("%s: %s, want %s", base, names(got), want)
			}
		}
		// The index is asked for each time, what it names once.
		if n := requests.Load(); n != 4 {
			t.Errorf("%d requests, want 4", n)
		}
	}
}

func TestInventoryBad(t *testing.T) {
	t.Parallel()
	pkg := func(name, arch, version string) string {
		return fmt.Sprintf(`<package><name>%s</name><arch>%s</arch><version epoch="0" ver="%s" rel="1"/></package>`, name, arch, version)
	}
	for _, test := range []struct{ name, primary, want string }{
		{"no name", pkg("", "noarch", "1"), "has no proper name"},
		{"no architecture", pkg("a", "", "1"), "has no proper name"},
		{"no version", pkg("a", "noarch", ""), "has no proper name"},
		{"escape sequence", pkg("a&#x1b;[31m", "noarch", "1"), "primary metadata"},
		{"line break", pkg("a&#10;b", "noarch", "1"), "has no proper name"},
		{"cut off", strings.TrimSuffix(pkg("a", "noarch", "1"), "</package>"), "primary metadata"},
		{"deep", "<package>" + strings.Repeat("<x>", 9) + strings.Repeat("</x>", 9) + "</package>", "nest too deep"},
	} {
		text := "<metadata>" + test.primary + "</metadata>"
		if test.name == "cut off" {
			text = "<metadata>" + test.primary
		}
		got, err := Inventory(context.Background(), nil, metadataDir(t, "", map[string]string{"primary": text}, nil))
		if err == nil || !strings.Contains(err.Error(), test.want) || diagnosticCode(err) != "repodata/bad" {
			t.Errorf("%s: %v, %v; want %q", test.name, names(got), err, test.want)
		}
	}

	// Over the network: the server's own mistakes, and what may not be asked for.
	primary := "<metadata>" + pkg("a", "noarch", "1") + "</metadata>"
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(primary)))
	index := func(href, hash string) []byte {
		return fmt.Appendf(nil, `<repomd><data type="primary"><checksum type="sha256">%s</checksum><location href="%s"/></data></repomd>`, hash, href)
	}
	server := httptest.NewServer(metadata{
		"/good/repodata/repomd.xml": index("p.xml", sum), "/good/p.xml": []byte(primary),
		"/other/repodata/repomd.xml": index("p.xml", strings.Repeat("0", 64)), "/other/p.xml": []byte(primary),
		"/lost/repodata/repomd.xml": index("p.xml", sum), "/out/repodata/repomd.xml": index("../p.xml", sum),
		"/big/repodata/repomd.xml": []byte(strings.Repeat(" ", maxRepomd+1)),
	})
	t.Cleanup(server.Close)
	for _, test := range []struct {
		base    string
		offline bool
		want    string
	}{
		{base: server.URL + "/good"},
		{base: server.URL + "/none", want: "lookaside/not-found"},
		{base: server.URL + "/other", want: "lookaside/checksum"},
		{base: server.URL + "/out", want: "repodata/bad"},
		{base: server.URL + "/big", want: "lookaside/too-large"},
		{base: server.URL + "/good", offline: true, want: "fedora/offline"},
		{base: "https://%zz", want: "repodata/bad"},
		{base: "ftp://a.example/x", want: "repodata/bad"},
		{base: "file://host/x", want: "repodata/bad"},
		{base: "://x", want: "repodata/bad"},
		{base: filepath.Join(t.TempDir(), "none"), want: "repodata/bad"},
	} {
		client := lookaside.Open(lookaside.Options{Dir: t.TempDir(), AllowHTTP: true, PerHost: 1, Stall: time.Minute, Offline: test.offline})
		t.Cleanup(func() { client.Close() })
		_, err := Inventory(context.Background(), client, test.base)
		if diagnosticCode(err) != test.want || (err == nil) != (test.want == "") {
			t.Errorf("%s: %v, want %q", test.base, err, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), test.base) {
			t.Errorf("%s is not named in %v", test.base, err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Inventory(ended, lookaside.Open(lookaside.Options{Dir: t.TempDir(), AllowHTTP: true, PerHost: 1}), server.URL+"/good"); !slices.Contains([]string{"context canceled"}, fmt.Sprint(err)) {
		t.Errorf("after the end: %v", err)
	}
}
