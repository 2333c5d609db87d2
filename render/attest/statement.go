// Package attest says where rendered specs come from, in a form that others can
// check: an in-toto statement with a SLSA provenance predicate, and SPDX documents.
//
// The subjects of a statement are rendered directories, by a digest of the whole
// (TreeDigest), and source packages; its materials are the commit of the project,
// upstream's commits, the files of overlays, the sources with their digests, and
// the macro set. Nothing in it depends on the machine or the time it is made, so
// that two machines that render the same commit say the same to the byte.
package attest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"specgraft/overlay/diag"
)

// Types of the statements that are made and read.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	BuildType     = "urn:specgraft:render:v1"
	BuilderID     = "urn:specgraft:builder"
)

// A Statement is an in-toto statement about rendered directories.
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     Predicate  `json:"predicate"`
}

// A Resource names something and its digests.
type Resource struct {
	Name        string            `json:"name,omitempty"`
	URI         string            `json:"uri,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Names of digests.
const (
	digestTree   = "specgraftTreeV1" // see TreeDigest
	digestSHA256 = "sha256"
	digestCommit = "gitCommit"
)

// A Predicate is a SLSA provenance.
type Predicate struct {
	BuildDefinition struct {
		BuildType            string     `json:"buildType"`
		ExternalParameters   Parameters `json:"externalParameters"`
		ResolvedDependencies []Resource `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID      string            `json:"id"`
			Version map[string]string `json:"version"`
		} `json:"builder"`
		// Byproducts are the files of the rendered directories, so that who
		// verifies can say which one differs.
		Byproducts []Resource `json:"byproducts"`
	} `json:"runDetails"`
}

// Parameters are what was asked for.
type Parameters struct {
	Project    string   `json:"project"` // commit of the project, full
	All        bool     `json:"all"`     // all components, so that no other directory may be there
	Components []string `json:"components"`
	Rendered   string   `json:"renderedDir"` // of the project, relative to its repository
}

// add makes a directory a subject, and its files byproducts.
func (s *Statement) add(dir string, files []File) {
	s.Subject = append(s.Subject, Resource{Name: dir, Digest: map[string]string{digestTree: TreeDigest(files)}})
	for _, f := range files {
		s.Predicate.RunDetails.Byproducts = append(s.Predicate.RunDetails.Byproducts, Resource{Name: dir + "//" + f.Path,
			Digest: map[string]string{digestSHA256: f.SHA256}, Annotations: map[string]string{"mode": f.Mode}})
	}
}

// MaxStatement bounds the size of a statement that is read: one of all of Fedora
// has less than 50 MiB.
const MaxStatement = 128 << 20

// maxObjects bounds the objects of a statement, each of which takes more memory
// than text: one of all of Fedora has less than 200,000.
const maxObjects = 2_000_000

// Encode writes the statement as JSON.
func (s *Statement) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(s)
	return b.Bytes(), err
}

// parseStatement reads a statement of the kind that is made here.
func parseStatement(data []byte) (*Statement, error) {
	var s Statement
	if bytes.Count(data, []byte("{")) > maxObjects {
		return nil, bad("it has more than %d objects", maxObjects)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, bad("it is not JSON that could be read")
	}
	switch {
	case s.Type != StatementType:
		return nil, bad("it is no in-toto statement, but %q", excerpt(s.Type))
	case s.PredicateType != PredicateType:
		return nil, bad("its predicate is %q, not %s", excerpt(s.PredicateType), PredicateType)
	case s.Predicate.BuildDefinition.BuildType != BuildType:
		return nil, bad("it is about a build of type %q, not %s", excerpt(s.Predicate.BuildDefinition.BuildType), BuildType)
	case len(s.Subject) == 0:
		return nil, bad("it has no subject")
	}
	return &s, nil
}

func bad(format string, args ...any) error {
	return &diag.Diagnostic{Code: "attest/bad", Message: "the attestation cannot be used: " + fmt.Sprintf(format, args...),
		Hint: "make one with 'specgraft attest'"}
}

func excerpt(s string) string { return s[:min(len(s), 80)] }

// Codes are the diagnostics about attestations.
var Codes = []diag.Code{
	{ID: "attest/bad", Default: diag.Error, Summary: "an attestation cannot be read, or is about something else",
		Doc: "`specgraft verify` reads the statements that `specgraft attest` writes, signed or not."},
	{ID: "attest/drift", Default: diag.Error, Summary: "the rendered tree is not what would be rendered",
		Doc: "An attestation says that a directory comes from a commit. Render the component and commit the result before."},
	{ID: "attest/dirty", Default: diag.Error, Summary: "the project has changes that are not committed",
		Doc: "An attestation names the commit that everything comes from. Commit what was changed, or put it away."},
	{ID: "attest/differs", Default: diag.Error, Summary: "something is not as the attestation says",
		Doc: "A file of a rendered directory or a source package was changed, added, removed or renamed, its mode was changed, or the project is at another commit."},
	{ID: "attest/signature", Default: diag.Error, Summary: "a signature is missing or wrong",
		Doc: "The attestation was signed with another key than the one given with --key, or was changed after that, or is not signed at all."},
	{ID: "attest/key", Default: diag.Error, Summary: "a key cannot be used",
		Doc: "Keys are ed25519 keys in PEM (openssl genpkey -algorithm ed25519) or keys of SSH without a passphrase. A private key that others may read is refused, as SSH does."},
	{ID: "attest/write", Default: diag.Error, Summary: "an attestation cannot be written",
		Doc: "The disk is full, or permissions are missing."},
}

// errDiffers says that something is not as attested.
func errDiffers(what, how, hint string) error {
	return &diag.Diagnostic{Code: "attest/differs", Message: what + " " + how, Hint: hint}
}

var errNoKey = errors.New("the file has no key")
