package attest

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/github/go-spdx/v2/spdxexp"

	"specgraft/fedora/cache"
	"specgraft/fedora/macro"
)

// noAssertion is what SPDX has for what nobody says.
const noAssertion = "NOASSERTION"

type spdxDocument struct {
	Version       string         `json:"spdxVersion"`
	License       string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      spdxCreation   `json:"creationInfo"`
	Packages      []spdxPackage  `json:"packages"`
	Files         []spdxFile     `json:"files,omitempty"`
	Relationships []spdxRelation `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID               string         `json:"SPDXID"`
	Name             string         `json:"name"`
	Version          string         `json:"versionInfo,omitempty"`
	FileName         string         `json:"packageFileName,omitempty"`
	Location         string         `json:"downloadLocation"`
	FilesAnalyzed    bool           `json:"filesAnalyzed"`
	Homepage         string         `json:"homepage,omitempty"`
	LicenseConcluded string         `json:"licenseConcluded"`
	LicenseDeclared  string         `json:"licenseDeclared"`
	LicenseComments  string         `json:"licenseComments,omitempty"`
	Copyright        string         `json:"copyrightText"`
	Checksums        []spdxChecksum `json:"checksums,omitempty"`
}

type spdxFile struct {
	ID               string         `json:"SPDXID"`
	Name             string         `json:"fileName"`
	Checksums        []spdxChecksum `json:"checksums"`
	LicenseConcluded string         `json:"licenseConcluded"`
	Copyright        string         `json:"copyrightText"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxRelation struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

// SPDX returns the SPDX 2.3 document of a component: what is rendered, upstream's
// packaging that it is generated from, the sources it is built from, and the
// patches to them. created is the time of the project's commit.
func (s *Subject) SPDX(version string, created time.Time, cfg macro.Config) ([]byte, error) {
	cfg.FS = s.Result.FS()
	spec := macro.Eval(s.Name+".spec", s.Result.Text(), cfg)
	main := spdxPackage{ID: "SPDXRef-Rendered", Name: s.Name, Location: noAssertion, LicenseConcluded: noAssertion,
		LicenseDeclared: noAssertion, Copyright: noAssertion}
	if spec.Version.Known && spec.Release.Known {
		main.Version = spec.Version.Text + "-" + spec.Release.Text
		if spec.Epoch.Text != "" {
			main.Version = spec.Epoch.Text + ":" + main.Version
		}
	}
	for _, t := range spec.Packages[0].Tags {
		switch {
		case !t.Value.Known || t.Arg != "":
		case t.Name == "URL":
			main.Homepage = t.Value.Text
		case t.Name == "License":
			if ok, _ := spdxexp.ValidateLicenses([]string{t.Value.Text}); ok {
				main.LicenseDeclared = t.Value.Text
			} else {
				main.LicenseComments = "The spec declares " + t.Value.Text + ", which is no SPDX expression."
			}
		}
	}
	tree := TreeDigest(s.Files)
	doc := spdxDocument{Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: s.Name,
		Namespace: fmt.Sprintf("https://spdx.org/spdxdocs/%s-%s", spdxID(s.Name), tree),
		Creation:  spdxCreation{created.UTC().Format(time.RFC3339), []string{"Tool: specgraft-" + version}},
		Packages:  []spdxPackage{main}}
	relate := func(from, kind, to string) {
		doc.Relationships = append(doc.Relationships, spdxRelation{from, kind, to})
	}
	relate("SPDXRef-DOCUMENT", "DESCRIBES", main.ID)
	patched := main.ID
	if up := s.Result.Upstream; up.Commit != "" {
		p := spdxPackage{ID: "SPDXRef-Upstream", Name: s.Result.Config.UpstreamName(), Version: up.Commit, Location: noAssertion,
			LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion}
		if strings.Contains(up.Request.URL, "://") {
			p.Location = "git+" + up.Request.URL + "@" + up.Commit
		}
		doc.Packages = append(doc.Packages, p)
		relate(main.ID, "GENERATED_FROM", p.ID)
	}
	for i, src := range s.Sources {
		p := spdxPackage{ID: fmt.Sprintf("SPDXRef-Source-%d", i), Name: src.Name, FileName: src.Name, Location: cmp.Or(sourceURL(spec, src.Name), src.URI, noAssertion),
			LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion}
		for _, kind := range slices.Sorted(maps.Keys(src.Digest)) {
			p.Checksums = append(p.Checksums, spdxChecksum{strings.ToUpper(kind), src.Digest[kind]})
		}
		doc.Packages = append(doc.Packages, p)
		relate(main.ID, "CONTAINS", p.ID)
		if i == 0 {
			patched = p.ID
		}
	}
	for i, f := range s.PatchFiles() {
		sum, err := s.sha1(f.Path)
		if err != nil {
			return nil, err
		}
		id := fmt.Sprintf("SPDXRef-Patch-%d", i)
		doc.Files = append(doc.Files, spdxFile{ID: id, Name: "./" + f.Path, LicenseConcluded: noAssertion, Copyright: noAssertion,
			Checksums: []spdxChecksum{{"SHA1", sum}, {"SHA256", f.SHA256}}})
		relate(id, "PATCH_FOR", patched)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(doc)
	return b.Bytes(), err
}

// sourceURL returns the address that the spec has for a source, "" for none.
func sourceURL(spec *macro.Spec, name string) string {
	for i := range spec.Sources {
		if s := &spec.Sources[i]; s.Name == name && s.Value.Known && strings.Contains(s.Value.Text, "://") {
			return s.Value.Text
		}
	}
	return ""
}

// sha1 is the digest that SPDX 2.3 wants of every file.
func (s *Subject) sha1(name string) (string, error) {
	for _, f := range s.Result.Files {
		if f.Path == name {
			data, err := f.Bytes()
			h := sha1.New()
			cache.Digest(h, data)
			return hex.EncodeToString(h.Sum(nil)), err
		}
	}
	return "", fmt.Errorf("%s is not among the rendered files", name)
}

// spdxID writes a name with the characters that identifiers may have.
func spdxID(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == '-' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
			return r
		}
		return '-'
	}, name)
}
