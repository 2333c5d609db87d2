package repodata

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"specgraft/fedora/lookaside"
	"specgraft/overlay/diag"
)

func diagnosticCode(err error) string {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return d.Code
	}
	return ""
}

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
		return metadata{"/repodata/repomd.xml": repomd(fmt.Sprintf("%x", sha512.Sum512(p))), "/p.xml": p, "/p.xml.gz": p}
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
			l := lookaside.Open(lookaside.Options{Dir: t.TempDir(), AllowHTTP: true, PerHost: 8, Stall: 500 * time.Millisecond})
			defer l.Close()
			repos := Repos{Lookaside: l}
			p, err := repos.Find(context.Background(), []string{server.URL}, Package{Name: "boat"})
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
