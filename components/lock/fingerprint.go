package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"specgraft/components"
	"specgraft/overlay/diag"
)

// An Input is one of the records that a fingerprint is computed from.
type Input struct {
	Label string // "config_hash", "source_identity", "manual_bump", "release_ver" or "overlay:N"
	Value string
	Path  string // configuration path it comes from, such as "overlays[3].source"; "" for none
}

// Fingerprint returns "sha256:" and the hex digest over everything that
// decides what a component is built from: its merged configuration, the
// upstream commit (or, for a local component, the files beside its spec), the
// manual bump, the release version of its upstream, and the content of files
// that overlays bring in. Texts that only explain (descriptions, metadata,
// reasons) are not part of it.
//
// Two tools that read the same project have to compute the same value, so
// every detail of the computation is part of the lock format.
func Fingerprint(p *components.Project, c *components.Component, commit string, bump int) (string, error) {
	inputs, err := Inputs(p, c, commit, bump)
	if err != nil {
		return "", err
	}
	return hashRecords(inputs), nil
}

// Inputs returns the records behind the fingerprint, in the order in which
// they are hashed. The error is a *diag.Diagnostic that names what cannot be
// read or hashed.
func Inputs(p *components.Project, c *components.Component, commit string, bump int) ([]Input, error) {
	return inputs(p, c, commit, bump, true)
}

// Resolved returns the records that decide what a component of a project without
// locks is built from: Inputs at the commit that it is pinned to. Source files
// need no hash.
func (s *State) Resolved() ([]Input, error) {
	return inputs(s.Project, s.Component, s.Component.Spec.UpstreamCommit, 0, false)
}

func inputs(p *components.Project, c *components.Component, commit string, bump int, hashes bool) ([]Input, error) {
	for i := range c.SourceFiles {
		if !hashes {
			break
		}
		f := &c.SourceFiles[i]
		if f.Hash == "" {
			return nil, &diag.Diagnostic{
				Pos:       f.Pos,
				Code:      "lock/no-hash",
				Component: c.Name,
				Message:   fmt.Sprintf("source file %q has no hash; cannot compute a deterministic fingerprint", f.Filename),
				Hint:      `set hash and hash-type = "SHA512"`,
			}
		}
	}
	identity := commit
	if !c.IsUpstream() {
		var err error
		if identity, err = treeIdentity(p, c); err != nil {
			return nil, err
		}
	}
	list := []Input{
		{"config_hash", strconv.FormatUint(configTree(c).hash(), 10), ""},
		{"source_identity", identity, "spec"},
		{"manual_bump", strconv.Itoa(bump), ""},
		{"release_ver", p.ReleaseVer(c), "spec.upstream-distro"},
	}
	var sources []Input
	for i := range c.Overlays {
		op := &c.Overlays[i]
		if op.Source == "" {
			continue
		}
		path := "overlays[" + strconv.Itoa(i) + "].source"
		digest, err := fileDigest(op.Source)
		if err != nil {
			pos := op.Pos
			if kp, ok := op.KeyPos["source"]; ok {
				pos = kp
			}
			return nil, &diag.Diagnostic{
				Pos:       pos,
				Code:      "lock/unreadable",
				Component: c.Name,
				Message:   fmt.Sprintf("overlay source %s: %v", p.Display(op.Source), diag.Reason(err)),
				Hint:      "the path is relative to the file that contains the overlay",
			}
		}
		name := op.File
		if name == "" {
			name = filepath.Base(op.Source)
		}
		sources = append(sources, Input{"overlay:" + strconv.Itoa(i), name + ":" + digest, path})
	}
	// The reference sorts the indexes as text: 0, 1, 10, 11, 2.
	slices.SortFunc(sources, func(a, b Input) int { return strings.Compare(a.Label, b.Label) })
	return append(list, sources...), nil
}

// ResolutionHash returns "sha256:" and the hex digest over everything that
// decides which upstream commit a component resolves to. As long as it does
// not change, the commit in the lock stands.
func ResolutionHash(p *components.Project, c *components.Component) string {
	return hashRecords(resolutionInputs(p, c))
}

func resolutionInputs(p *components.Project, c *components.Component) []Input {
	ref := c.Spec.UpstreamDistro
	var branch, uri string
	if d, v := p.DistroVersion(ref); d != nil {
		uri = d.DistGitBaseURI
		if v != nil {
			branch = v.DistGitBranch
		}
	}
	const distro = "spec.upstream-distro"
	inputs := []Input{
		{"snapshot", ref.Snapshot, distro + ".snapshot"},
		{"distro_name", ref.Name, distro + ".name"},
		{"distro_version", ref.Version, distro + ".version"},
		{"dist_git_branch", branch, ""},
		{"dist_git_base_uri", uri, ""},
		{"upstream_commit_pin", c.Spec.UpstreamCommit, "spec.upstream-commit"},
		{"upstream_name", c.Spec.UpstreamName, "spec.upstream-name"},
	}
	// Not part of the format that other tools know; absent unless used.
	if c.Spec.Source != "" && c.Spec.Source != "dist-git" {
		inputs = append(inputs, Input{"source", c.Spec.Source, "spec.source"})
	}
	if c.Spec.SRPM != "" {
		inputs = append(inputs, Input{"srpm", p.Display(c.Spec.SRPM), "spec.srpm"})
	}
	return inputs
}

// hashRecords hashes each record as LEN:label=LEN:value and a line feed. The
// lengths, in bytes, keep two different lists from looking the same.
func hashRecords(inputs []Input) string {
	h := sha256.New()
	for _, in := range inputs {
		fmt.Fprintf(h, "%d:%s=%d:%s\n", len(in.Label), in.Label, len(in.Value), in.Value)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// treeIdentity hashes all files that a component without an upstream is made
// from.
func treeIdentity(p *components.Project, c *components.Component) (string, error) {
	files, err := localFiles(p, c)
	if err != nil {
		return "", &diag.Diagnostic{
			Pos:       originOf(p, c, "spec.path"),
			Code:      "lock/unreadable",
			Component: c.Name,
			Message:   fmt.Sprintf("files beside the local spec: %v", diag.Reason(err)),
			Hint:      "every file in the directory of spec.path is part of the component; it must be readable",
		}
	}
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s=%s\n", f.name, f.digest)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// A localFile is one file that a component without an upstream is made from.
type localFile struct {
	name   string // relative, with slashes
	digest string // hex SHA-256
}

func localFiles(p *components.Project, c *components.Component) ([]localFile, error) {
	list, err := p.LocalFiles(c)
	if err != nil {
		return nil, err
	}
	files := make([]localFile, len(list))
	for i, f := range list {
		digest, err := fileDigest(f.Path)
		if err != nil {
			return nil, err
		}
		files[i] = localFile{f.Name, digest}
	}
	return files, nil
}

// fileDigest returns the hex SHA-256 of a regular file's content.
func fileDigest(path string) (string, error) {
	// Asked before opening, as opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
