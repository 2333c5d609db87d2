package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// Place says where what was attested is.
type Place struct {
	Root     string // top directory of the project's repository
	Rendered string // directory of the rendered tree
	Commit   string // of the project now, full
	Packages string // directory of the source packages, "" for none
}

// A Verified says what was found right.
type Verified struct {
	Commit      string   `json:"commit"`
	Signer      string   `json:"signer,omitempty"` // key that signed, "" when no signature was checked
	Directories int      `json:"directories"`
	Files       int      `json:"files"`
	Packages    int      `json:"packages"`
	Unseen      []string `json:"unseen"` // source packages that were not looked at
}

// Verify checks an attestation, and then what it is about. It stops at the first
// difference.
func Verify(data []byte, keys []PublicKey, at Place) (*Verified, error) {
	payload, signer, err := open(data, keys)
	if err != nil {
		return nil, err
	}
	s, err := parseStatement(payload)
	if err != nil {
		return nil, err
	}
	params := s.Predicate.BuildDefinition.ExternalParameters
	if params.Project != at.Commit {
		return nil, errDiffers("the project", fmt.Sprintf("is at commit %.12s, the attestation is about %.12s", at.Commit, excerpt(params.Project)),
			"check out the commit that was attested, or attest this one")
	}
	v := &Verified{Commit: at.Commit, Signer: signer, Unseen: []string{}}
	want := map[string][]File{}
	for _, r := range s.Predicate.RunDetails.Byproducts {
		dir, file := splitName(r.Name)
		want[dir] = append(want[dir], File{Path: file, Mode: r.Annotations["mode"], SHA256: r.Digest[digestSHA256]})
	}
	dirs := map[string]bool{}
	for _, sub := range s.Subject {
		if params.All && sub.Name == params.Rendered { // which the end is about
			if TreeDigest(want[sub.Name]) != sub.Digest[digestTree] {
				return nil, bad("the digest of %s is not that of the files it lists", excerpt(sub.Name))
			}
			continue
		}
		if sub.Digest[digestTree] != "" {
			dirs[sub.Name] = true
			if err := v.directory(sub, want[sub.Name], at); err != nil {
				return nil, err
			}
		} else if err := v.sourcePackage(sub, at); err != nil {
			return nil, err
		}
	}
	if err := verifyMaterials(s.Predicate.BuildDefinition.ResolvedDependencies, at); err != nil {
		return nil, err
	}
	if params.All && at.Packages != "" {
		if err := otherPackages(s.Subject, at.Packages); err != nil {
			return nil, err
		}
	}
	if params.All {
		if err := v.rest(at, params.Rendered, dirs, want[params.Rendered]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// splitName splits the name of a byproduct, DIR/X/NAME//FILE.
func splitName(name string) (dir, file string) {
	dir, file, _ = strings.Cut(name, "//")
	return dir, file
}

func (v *Verified) directory(sub Resource, want []File, at Place) error {
	if !fs.ValidPath(sub.Name) {
		return bad("%q is no place in a repository", excerpt(sub.Name))
	}
	slices.SortFunc(want, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if TreeDigest(want) != sub.Digest[digestTree] {
		return bad("the digest of %s is not that of the files it lists", excerpt(sub.Name))
	}
	have, err := ReadTree(filepath.Join(at.Root, filepath.FromSlash(sub.Name)))
	if errors.Is(err, fs.ErrNotExist) {
		return errDiffers(sub.Name, "is missing", "render the component, or restore the directory with git")
	}
	if err != nil {
		return &diag.Diagnostic{Code: "attest/differs", Message: fmt.Sprintf("%s cannot be read: %v", sub.Name, diag.Reason(err)), Env: true}
	}
	if file, how := Difference(want, have); how != "" {
		return errDiffers(path.Join(sub.Name, file), how, "see 'git diff' and 'specgraft render --check'")
	}
	v.Directories++
	v.Files += len(have)
	return nil
}

func (v *Verified) sourcePackage(sub Resource, at Place) error {
	name := path.Base(sub.Name)
	if at.Packages == "" {
		v.Unseen = append(v.Unseen, name)
		return nil
	}
	if name != sub.Name || !fs.ValidPath(name) || sub.Digest[digestSHA256] == "" {
		return bad("%q is neither a rendered directory nor a source package", excerpt(sub.Name))
	}
	sum, err := fileDigest(filepath.Join(at.Packages, name))
	if errors.Is(err, fs.ErrNotExist) {
		return errDiffers(name, "is missing", "write it with 'specgraft srpm build'")
	}
	if err != nil {
		return &diag.Diagnostic{Code: "attest/differs", Message: fmt.Sprintf("%s cannot be read: %v", name, diag.Reason(err)), Env: true}
	}
	if sum != sub.Digest[digestSHA256] {
		return errDiffers(name, "has another content", "compare it with 'specgraft srpm show'")
	}
	v.Packages++
	return nil
}

// otherPackages reports the first source package beside those that were attested, of
// which there are none when there was no directory of them.
func otherPackages(subjects []Resource, dir string) error {
	known := map[string]bool{}
	for _, sub := range subjects {
		if sub.Digest[digestTree] == "" {
			known[sub.Name] = true
		}
	}
	files, err := fs.Glob(os.DirFS(dir), "*.rpm")
	if err != nil || len(known) == 0 {
		return err
	}
	for _, file := range files {
		if name := path.Base(file); !known[name] {
			return errDiffers(name, "was added", "remove it, or attest the tree again")
		}
	}
	return nil
}

func fileDigest(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// verifyMaterials compares the files of the project that the rendered directories
// come from, such as overlays, with what they were.
func verifyMaterials(list []Resource, at Place) error {
	root, err := os.OpenRoot(at.Root)
	if err != nil {
		return &diag.Diagnostic{Code: "attest/differs", Message: fmt.Sprintf("the project cannot be read: %v", diag.Reason(err)), Env: true}
	}
	defer root.Close()
	for _, r := range list {
		kind, _, _ := strings.Cut(r.Name, ":")
		if r.Name == "project" || slices.Contains([]string{"upstream", "macros", "source"}, kind) {
			continue // which are no files here
		}
		if !fs.ValidPath(r.Name) {
			return bad("%q is no place in a repository", excerpt(r.Name))
		}
		if st, err := root.Stat(r.Name); err == nil && !st.Mode().IsRegular() { // to open a pipe is to wait for it
			return errDiffers(r.Name, "is no regular file", "restore it with git")
		}
		_, sum, err := readFile(root, r.Name)
		if errors.Is(err, fs.ErrNotExist) {
			return errDiffers(r.Name, "is missing", "restore it with git")
		}
		if err != nil {
			return &diag.Diagnostic{Code: "attest/differs", Message: fmt.Sprintf("%s cannot be read: %v", r.Name, diag.Reason(err)), Env: true}
		}
		if sum != r.Digest[digestSHA256] {
			return errDiffers(r.Name, "has another content", "see 'git diff'")
		}
	}
	return nil
}

// rest compares what the rendered tree has besides the attested directories with
// what it should have.
func (v *Verified) rest(at Place, rendered string, attested map[string]bool, want []File) error {
	if err := otherDirectories(at, rendered, attested, want); err != nil {
		return err
	}
	have, err := readRest(at.Rendered, rendered, attested)
	if errors.Is(err, fs.ErrNotExist) && len(want) == 0 {
		return nil // there is none, which the subjects would have shown
	}
	if err != nil {
		return &diag.Diagnostic{Code: "attest/differs", Message: fmt.Sprintf("%s cannot be read: %v", rendered, diag.Reason(err)), Env: true}
	}
	if file, how := Difference(want, have); how != "" {
		return errDiffers(path.Join(rendered, file), how, "see 'git status', or attest the tree again")
	}
	v.Files += len(have)
	return nil
}

// readRest lists the files of a rendered tree that are in none of the attested
// directories, which are named from the top of the repository.
func readRest(dir, rendered string, attested map[string]bool) ([]File, error) {
	return readTree(dir, func(p string) bool { return attested[path.Join(rendered, p)] })
}

// otherDirectories reports the first directory of a component that was not attested,
// and of which the rest of the tree has no file.
func otherDirectories(at Place, rendered string, attested map[string]bool, rest []File) error {
	letters, err := os.ReadDir(at.Rendered)
	if err != nil {
		return nil // there are none, which the subjects would have shown
	}
	for _, l := range letters {
		if !l.IsDir() {
			continue
		}
		list, err := os.ReadDir(filepath.Join(at.Rendered, l.Name()))
		if err != nil {
			return err
		}
		for _, c := range list {
			dir := path.Join(l.Name(), c.Name())
			within := func(f File) bool { return strings.HasPrefix(f.Path, dir+"/") }
			if name := path.Join(rendered, dir); c.IsDir() && !attested[name] && !slices.ContainsFunc(rest, within) {
				return errDiffers(name, "was added", "render with --clean-stale, or attest the tree again")
			}
		}
	}
	return nil
}
