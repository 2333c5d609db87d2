package reader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/fedora/evr"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/repodata"
	"specgraft/fedora/snapshot"
	"specgraft/overlay/diag"
)

// A Request names the source package that a component is made from.
type Request struct {
	Name string // of the package
	// Address is where it is: an absolute path, a URL, or "repo://" and
	// name-[epoch:]version-release for one of those in Repos; empty for the
	// newest there.
	Address string
	Repos   []string // base addresses of source repositories
	// SHA256 is the locked checksum of the package file; empty to take what
	// there is.
	SHA256    string
	Component string
}

// maxSidecar is the largest file of a source package that is treated like one
// in dist-git. Larger ones, and archives, become entries of the sources file.
const maxSidecar = 1 << 20

// archiveSuffixes end the names of files that dist-git keeps in the lookaside
// cache whatever their size.
var archiveSuffixes = []string{
	".tar", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".zst", ".tzst", ".lz", ".lzma", ".7z", ".zip", ".jar", ".war",
	".gem", ".crate", ".whl", ".rpm", ".deb", ".iso", ".cpio",
}

// Packages gives access to source packages: a cache for their trees, a lookaside
// to download into, and the repositories to look in. It is safe for concurrent
// use.
type Packages struct {
	cacheDir  string
	lookaside *lookaside.Client
	repos     repodata.Repos
}

// NewPackages returns the access to source packages with a cache directory and
// a client for downloads.
func NewPackages(cacheDir string, l *lookaside.Client) *Packages {
	return &Packages{cacheDir: cacheDir, lookaside: l, repos: repodata.Repos{Lookaside: l}}
}

// Resolve returns the SHA-256 of the source package that r selects, which
// takes the place of a commit. Unless it is locked, what is there now counts.
func (s *Packages) Resolve(ctx context.Context, r Request) (string, error) {
	if r.SHA256 != "" {
		return r.SHA256, nil
	}
	c, err := s.file(ctx, r)
	if err != nil {
		return "", err
	}
	return c.SHA256()
}

// Snapshot returns the files of a source package as dist-git would have
// them: spec and patches, and a sources file that lists the archives, which
// move to the lookaside cache. The first read unpacks the package; later ones
// read one file. r.SHA256 must be set.
func (s *Packages) Snapshot(ctx context.Context, r Request) (*snapshot.Snapshot, error) {
	if b, err := hex.DecodeString(r.SHA256); err != nil || len(b) != sha256.Size {
		d := diag.Errorf("srpm/bad", "the lock of %s names %q, which is not the checksum of a source package", r.Component, r.SHA256)
		d.Hint = fmt.Sprintf("run `specgraft update %s`", r.Component)
		return nil, d
	}
	return snapshot.Open(ctx, s.cacheDir, r.SHA256, func(ctx context.Context) error {
		c, err := s.file(ctx, r)
		if err != nil {
			return err
		}
		return s.unpack(ctx, c, r)
	})
}

// file brings the package into the cache.
func (s *Packages) file(ctx context.Context, r Request) (*lookaside.Content, error) {
	l := s.lookaside
	d := lookaside.Download{Name: r.Name + ".src.rpm", Hash: r.SHA256}
	if r.SHA256 != "" {
		d.HashType = "SHA256"
		if c, err := l.Lookup("SHA256", r.SHA256); err == nil && c != nil {
			return c, nil
		}
	}
	nevr, inRepo := strings.CutPrefix(r.Address, repoScheme)
	switch {
	case r.Address == "" || inRepo:
		want := repodata.Package{Name: r.Name, Hash: r.SHA256}
		if inRepo {
			var err error
			if want.Name, want.EVR, err = parseNEVR(nevr); err != nil {
				return nil, diag.Errorf("srpm/not-found", "%q does not name a package: %v", r.Address, err)
			}
		}
		p, err := s.repos.Find(ctx, r.Repos, want)
		if err != nil {
			return nil, err
		}
		d.URLs = []string{p.URL}
		if d.Hash == "" {
			d.HashType, d.Hash = p.HashType, p.Hash
		}
	case strings.Contains(r.Address, "://"):
		d.URLs = []string{r.Address}
	default:
		d.URLs = []string{"file://" + escapePath(r.Address)}
		if d.Hash == "" { // hashed where it is, it is copied into the cache once
			sum, err := cache.FileSHA256(r.Address)
			if err != nil {
				return nil, &diag.Diagnostic{Code: "srpm/not-found", Message: fmt.Sprintf("cannot read the source package %s: %v", r.Address, diag.Reason(err)),
					Hint: "correct spec.srpm"}
			}
			d.HashType, d.Hash = "SHA256", sum
		}
	}
	c, err := l.Get(ctx, d)
	if err != nil {
		return nil, err
	}
	sum, err := c.SHA256()
	if err != nil {
		return nil, err
	}
	if c.HashType() == "SHA256" {
		return c, nil
	}
	// Known by another digest: keep it under the one that locks use, too.
	return l.Get(ctx, lookaside.Download{Name: d.Name, HashType: "SHA256", Hash: sum, URLs: []string{"file://" + escapePath(c.Path)}})
}

// repoScheme begins an address that names a package instead of a file.
const repoScheme = "repo://"

// parseNEVR splits name-[epoch:]version-release, with or without ".src" or
// ".src.rpm" behind it.
func parseNEVR(s string) (name string, v evr.EVR, err error) {
	s = strings.TrimSuffix(strings.TrimSuffix(s, ".rpm"), ".src")
	i := strings.LastIndexByte(s, '-')
	j := strings.LastIndexByte(s[:max(i, 0)], '-')
	if j <= 0 {
		return "", evr.EVR{}, errors.New("write name-version-release")
	}
	v, err = evr.Parse(s[j+1:])
	return s[:j], v, err
}

// escapePath spells a path for a file URL.
func escapePath(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(filepath.ToSlash(path))
}

// unpack writes the snapshot of a package and moves its archives to the
// lookaside cache.
func (s *Packages) unpack(ctx context.Context, c *lookaside.Content, r Request) error {
	l := s.lookaside
	f, err := os.Open(c.Path)
	if err != nil {
		return cache.Failure(err)
	}
	defer f.Close()
	sum := sha256.New()
	whole := io.TeeReader(f, sum)
	var kept []srpmContent
	var parts []*lookaside.Part
	defer func() {
		for _, p := range parts {
			p.Close()
		}
	}()
	archives := map[string]string{} // SHA-512 by name
	p, err := Read(whole, func(f *File, r io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !isArchive(f) {
			b, err := io.ReadAll(r) // of at most maxSidecar, or a spec
			kept = append(kept, srpmContent{f.Name, f.Mode, b})
			return err
		}
		p, err := l.Collect(ctx, r)
		if err != nil {
			return err
		}
		parts = append(parts, p)
		archives[f.Name] = p.SHA512()
		return nil
	})
	if err != nil {
		if _, ok := errors.AsType[*diag.Diagnostic](err); !ok && ctx.Err() == nil {
			err = badSRPM("%v", err)
		}
		return err
	}
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return cache.Failure(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != r.SHA256 {
		os.Remove(c.Path)
		return diag.Environment(diag.Errorf("fedora/cache", "the cached copy of %s was damaged and has been removed", p.NEVR()), "run the command again to fetch it")
	}
	if p.Name != r.Name {
		d := diag.Errorf("srpm/other-package", "the source package is %s, not %q", p.NEVR(), r.Name)
		d.Hint = fmt.Sprintf("set spec.upstream-name = %q, or correct spec.srpm", p.Name)
		return d
	}
	if err := nameSpec(kept, p, r.Name+".spec"); err != nil {
		return err
	}
	// Everything is verified now.
	for _, part := range parts {
		if _, err := part.Keep(); err != nil {
			return err
		}
	}
	if len(archives) > 0 {
		if kept, err = addSources(kept, archives); err != nil {
			return err
		}
	}
	slices.SortFunc(kept, func(a, b srpmContent) int { return cmp.Compare(a.name, b.name) })
	return snapshot.Write(s.cacheDir, r.SHA256, func(w *snapshot.Writer) error { return writeFlatSnapshot(w, kept) })
}

type srpmContent struct {
	name string
	mode fs.FileMode
	data []byte
}

// maxSpec bounds the size of a spec in a package.
const maxSpec = 64 << 20

// nameSpec gives the spec of a package, which the header marks whatever it is
// called, the name of the package.
func nameSpec(files []srpmContent, p *Package, want string) error {
	if p.Spec == want {
		return nil
	}
	if slices.ContainsFunc(files, func(f srpmContent) bool { return f.name == want }) {
		d := diag.Errorf("srpm/bad", "the spec of %s is %q, and %q is another file", p.NEVR(), p.Spec, want)
		d.Hint = "set spec.upstream-name to what the spec is called"
		return d
	}
	for i := range files {
		if files[i].name == p.Spec {
			files[i].name = want
		}
	}
	return nil
}

func isArchive(f *File) bool {
	if (f.Spec || strings.HasSuffix(f.Name, ".spec")) && f.Size <= maxSpec {
		return false
	}
	lower := strings.ToLower(f.Name)
	return f.Size > maxSidecar || slices.ContainsFunc(archiveSuffixes, func(s string) bool { return strings.HasSuffix(lower, s) })
}

// addSources lists archives in the sources file, which a package may carry
// itself.
func addSources(files []srpmContent, archives map[string]string) ([]srpmContent, error) {
	i := slices.IndexFunc(files, func(f srpmContent) bool { return f.name == "sources" })
	if i < 0 {
		files = append(files, srpmContent{name: "sources", mode: 0o644})
		i = len(files) - 1
	}
	sources, problems := lookaside.ParseSources("sources", files[i].data)
	if err := problems.Err(); err != nil {
		return nil, badSRPM("its file \"sources\": %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(archives)) {
		_, listed := sources.Entry(name)
		if d := sources.Set(lookaside.Entry{Name: name, HashType: "SHA512", Hash: archives[name], Replace: listed}); d != nil {
			return nil, d
		}
	}
	files[i].data = sources.Bytes()
	return files, nil
}

// writeFlatSnapshot writes files without directories as a snapshot, under the
// names that a git repository with SHA-256 would give them.
func writeFlatSnapshot(w *snapshot.Writer, files []srpmContent) error {
	var list []snapshot.File
	var where []snapshot.Place
	tree := []byte{}
	for _, f := range files {
		e, err := w.Blob(strings.NewReader(string(f.data)), int64(len(f.data)))
		if err != nil {
			return err
		}
		id := distgit.Object{Kind: "blob", Data: f.data}.ID(true)
		list = append(list, snapshot.File{Path: f.name, Mode: f.mode, Size: int64(len(f.data)), ID: id})
		where = append(where, e)
		raw, err := hex.DecodeString(id)
		if err != nil {
			return err
		}
		mode := "100644"
		if f.mode&0o111 != 0 {
			mode = "100755"
		}
		tree = append(fmt.Appendf(tree, "%s %s\x00", mode, f.name), raw...)
	}
	return w.Finish(distgit.Object{Kind: "tree", Data: tree}.ID(true), list, where)
}
