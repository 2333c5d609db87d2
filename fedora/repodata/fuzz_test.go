package repodata

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzRepomd(f *testing.F) {
	f.Add([]byte(`<repomd><data type="primary"><checksum type="sha256">00</checksum><location href="repodata/x-primary.xml.gz"/><open-size>10</open-size></data></repomd>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "&b;&b;"><!ENTITY b "&a;">]><repomd>&a;</repomd>`))
	f.Add([]byte(strings.Repeat("<a>", 5000)))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseRepomd(text)
		if err == nil && (checkHref(m.path) != nil || m.hashType != "SHA256" && m.hashType != "SHA512") {
			t.Errorf("%+v is not to be fetched", m)
		}
	})
}

func FuzzPrimary(f *testing.F) {
	const pkg = `<package type="rpm"><name>boat</name><arch>src</arch><version epoch="0" ver="1" rel="2"/><checksum type="sha256">ab</checksum><size package="5"/><location href="b/boat-1-2.src.rpm"/></package>`
	f.Add([]byte("<metadata>"+pkg+"</metadata>"), "primary.xml")
	f.Add([]byte(`<metadata><package><name>`+strings.Repeat("a", 9000)+`</name>`), "primary.xml")
	f.Add([]byte(strings.Repeat("<package>", 2000)), "primary.xml")
	f.Add([]byte("\x1f\x8b\x08"), "primary.xml.gz")
	f.Add([]byte("\xfd7zXZ\x00"), "primary.xml.xz")
	f.Add([]byte("\x28\xb5\x2f\xfd"), "primary.xml.zst")
	f.Add([]byte("BZh9"), "primary.xml.bz2")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		packages, err := readPrimary(bytes.NewReader(data), name, 1<<20, "https://example.org/repo")
		if err != nil {
			return
		}
		for name, list := range packages {
			for _, p := range list {
				if p.Name != name || name == "" || !strings.HasPrefix(p.URL, "https://example.org/repo/") {
					t.Errorf("%q: %+v", name, p)
				}
			}
		}
	})
}
