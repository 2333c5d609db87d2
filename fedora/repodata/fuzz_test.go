package repodata

import (
	"bytes"
	"encoding/xml"
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

// TestHostileXML reads metadata that is nested without end, or long where it may
// not be.
func TestHostileXML(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	for name, tt := range map[string]struct{ text, want string }{
		"elements":             {strings.Repeat("<a>", n), "nest too deep"},
		"elements, closed":     {strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200), "nest too deep"},
		"elements in a row":    {"<metadata>" + strings.Repeat("<a></a>", 1000) + "</metadata>", ""},
		"packages":             {"<metadata>" + strings.Repeat("<package>", n), "one package has too many bytes"},
		"in a package":         {"<metadata><package>" + strings.Repeat("<a>", 2*n), "one package has too many bytes"},
		"names in each other":  {"<metadata><package>" + strings.Repeat("<name>", n/2) + strings.Repeat("</name>", n/2) + "</package></metadata>", "one package has too many bytes"},
		"versions, each other": {"<metadata><package>" + strings.Repeat("<version>", 20_000) + strings.Repeat("</version>", 20_000) + "</package></metadata>", ""},
		"attributes":           {"<metadata><package " + strings.Repeat("a='' ", n), "one package has too many bytes"},
		"a long name":          {"<metadata><package><arch>src</arch><name>" + strings.Repeat("a", 2*maxXMLText) + "</name></package></metadata>", "no proper name"},
		"a comment":            {"<metadata><!--" + strings.Repeat("x", 6*n), "one package has too many bytes"},
		"an instruction":       {"<?x " + strings.Repeat("x", 6*n), "one package has too many bytes"},
		"a declaration":        {"<!DOCTYPE " + strings.Repeat("<", 6*n), "one package has too many bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readPrimary(strings.NewReader(tt.text), "primary.xml", 64<<20, "https://example.org/repo")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %.300v, want %q", err, tt.want)
			}
		})
	}
	for name, text := range map[string]string{
		"elements": strings.Repeat("<a>", n), "data": "<repomd>" + strings.Repeat("<data>", n/2),
		"checksums": "<repomd><data>" + strings.Repeat("<checksum>", 20_000) + strings.Repeat("</checksum>", 20_000),
	} {
		if _, err := parseRepomd([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
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

// TestElementText cuts a name into pieces: a few are put together, and of very
// many only the first are.
func TestElementText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, want string }{
		{"bo<!-- of wood -->at", "boat"},
		{strings.Repeat("x<!-- -->", 2_000_000), strings.Repeat("x", maxPieces)},
	} {
		b, err := readBuiltIn("<name>" + tt.name + "</name><arch>x86_64</arch></package>")
		if err != nil || b.Name != tt.want {
			t.Errorf("got %.80q, %v, want %.80q", b.Name, err, tt.want)
		}
	}
}

// readBuiltIn reads one package that has begun.
func readBuiltIn(text string) (*Built, error) {
	_, b, err := readBuilt(xml.NewDecoder(strings.NewReader(text)), &xml.StartElement{Name: xml.Name{Local: "package"}}, nil)
	return b, err
}
