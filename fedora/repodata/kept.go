package repodata

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/fedora/lookaside"
	"specgraft/overlay/diag"
)

// A Reader reads the built packages of one repository, and which of them have the
// files of interest: of others nothing is said.
type Reader func(files []string) ([]Built, error)

// InDir reads the repository in a directory, as ReadDir does.
func InDir(dir string) Reader {
	return func(files []string) ([]Built, error) {
		want := setOf(files)
		return ReadDir(dir, len(files) > 0, func(path string) bool { return want[path] })
	}
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

// Kept is the metadata of repositories in a cache directory: Fetch brings it there,
// and Reader reads it without any network. Index files lie below Dir under the digest
// of the repository's address; what they lead to is in Lookaside by its checksum.
type Kept struct {
	Dir       string
	Lookaside *lookaside.Client
}

// ErrNotKept says that the metadata of a repository was never fetched, or has been
// removed from the cache since.
var ErrNotKept = errors.New("the metadata of the repository is not in the cache")

// A Fetched is what Fetch did.
type Fetched struct {
	Packages int   // built packages that the repository offers
	Bytes    int64 // of its metadata, packed
	New      bool  // it differs from what was there before
	Local    bool  // it is a directory, which is read in place
}

// A keptIndex says which metadata a repository had when it was fetched last.
type keptIndex struct {
	Address string `json:"address"`
	SHA512  string `json:"sha512"` // of repomd.xml
	// Digests of the second form of what it leads to, "" where there is none.
	Packages string `json:"packages,omitempty"`
	Files    string `json:"files,omitempty"`
}

// maxIndex bounds the file of a keptIndex.
const maxIndex = 1 << 20

// Fetch brings the metadata of the repository at an address, which with linked is that
// of its metalink, into the cache: its repomd.xml, and the primary and filelists metadata that this names. All of it is
// verified and read before anything takes the place of what was there. A file://
// address is read in place, and only checked.
func (k *Kept) Fetch(ctx context.Context, base string, linked bool) (Fetched, error) {
	got, err := k.fetch(ctx, base, linked)
	switch d, ok := errors.AsType[*diag.Diagnostic](err); {
	case err == nil:
	case ctx.Err() != nil:
		err = ctx.Err()
	case ok && strings.HasPrefix(d.Code, "repodata/"):
	case ok:
		d := *d
		d.Message = fmt.Sprintf("repository %s: %s", redacted(base), d.Message)
		if d.Code == "lookaside/not-found" {
			d.Hint = "check the address of the repository in the project"
		}
		err = &d
	default:
		err = &diag.Diagnostic{Code: "repodata/bad", Message: fmt.Sprintf("repository metadata at %s: %v", redacted(base), err),
			Hint: "nothing of it was kept; ask those who serve it"}
	}
	return got, err
}

func (k *Kept) fetch(ctx context.Context, base string, linked bool) (Fetched, error) {
	if dir, local, err := localDir(base); err != nil {
		return Fetched{}, err
	} else if local {
		list, err := ReadDir(dir, true, func(string) bool { return false })
		return Fetched{Packages: len(list), Local: true}, err
	}
	text, digest, bases, err := k.getIndex(ctx, base, linked)
	if err != nil {
		return Fetched{}, err
	}
	entries, err := parseEntries(text)
	if err != nil {
		return Fetched{}, err
	}
	old, _ := k.index(base)
	got := Fetched{Bytes: int64(len(text)), New: old.SHA512 != digest}
	for kind, m := range entries {
		before, err := k.Lookaside.Lookup(m.hashType, m.hash)
		if err != nil {
			return got, err
		}
		// What somebody has damaged since it was verified is fetched once more.
		if before != nil && lookaside.Verify(before.Path) != "" {
			if err := os.Remove(before.Path); err != nil {
				return got, cache.Failure(err)
			}
			before = nil
		}
		c, err := k.Lookaside.Get(ctx, m.download(kind+".xml", bases...))
		if err != nil {
			return got, err
		}
		got.Bytes += c.Size
		got.New = got.New || before == nil
	}
	if !got.New && old.Packages != "" {
		if list, err := k.indexed(old, []string{""}); err == nil { // it was all read before
			got.Packages = len(list)
			return got, nil
		}
	}
	table := &fileTable{}
	x := builtReader{files: true, open: k.open, take: table.add}
	list, err := x.read(text)
	if err != nil {
		return got, err
	}
	got.Packages = len(list)
	made := keptIndex{Address: base, SHA512: digest}
	if lines, err := packageLines(list); err == nil && !table.lost { // else the metadata is read each time
		if made.Packages, err = k.keep(ctx, lines); err != nil {
			return got, err
		}
		if _, ok := entries["filelists"]; ok {
			if made.Files, err = k.keep(ctx, table.reader()); err != nil {
				return got, err
			}
		}
	}
	data, err := json.Marshal(made)
	if err != nil {
		return got, err
	}
	return got, cache.Write(k.path(base), append(data, '\n'))
}

// keep puts something into the cache by its digest.
func (k *Kept) keep(ctx context.Context, r io.Reader) (digest string, err error) {
	part, err := k.Lookaside.Collect(ctx, r)
	if err != nil {
		return "", err
	}
	defer part.Close()
	c, err := part.Keep()
	if err != nil {
		return "", err
	}
	return c.SHA512, nil
}

// indexed reads the second form of the metadata. Its error is ErrNotKept where
// something of it is gone, or is damaged.
func (k *Kept) indexed(index keptIndex, files []string) ([]Built, error) {
	get := func(digest string) *lookaside.Content {
		c, err := k.Lookaside.Lookup("SHA512", digest)
		if err != nil || c == nil || lookaside.Verify(c.Path) != "" {
			return nil
		}
		return c
	}
	packages := get(index.Packages)
	if packages == nil {
		return nil, ErrNotKept
	}
	f, err := os.Open(packages.Path)
	if err != nil {
		return nil, ErrNotKept
	}
	defer f.Close()
	list, err := readPackageLines(f, setOf(files))
	if err != nil || len(files) == 0 || index.Files == "" {
		return list, err
	}
	table := get(index.Files)
	if table == nil {
		return nil, ErrNotKept
	}
	return list, findFiles(table, list, files)
}

// Reader reads what Fetch has brought into the cache, verifying it once more, and a
// file:// address in place. Its error is ErrNotKept where there is nothing.
func (k *Kept) Reader(base string) Reader {
	return func(files []string) ([]Built, error) {
		if dir, local, err := localDir(base); err != nil {
			return nil, badMetadata(redacted(base), err)
		} else if local {
			return InDir(dir)(files)
		}
		list, err := k.read(base, files)
		if err == nil || errors.Is(err, ErrNotKept) {
			return list, err
		}
		return nil, &diag.Diagnostic{Code: "repodata/bad", Message: fmt.Sprintf("the cached metadata of repository %s: %v", redacted(base), err),
			Hint: "fetch it again with `specgraft repo fetch`"}
	}
}

func (k *Kept) read(base string, files []string) ([]Built, error) {
	index, err := k.index(base)
	if err != nil {
		return nil, err
	}
	if index.Packages != "" {
		if list, err := k.indexed(index, files); err == nil {
			return list, nil
		}
	}
	c, err := k.Lookaside.Lookup("SHA512", index.SHA512)
	if err != nil || c == nil {
		return nil, errors.Join(ErrNotKept, err)
	}
	if problem := lookaside.Verify(c.Path); problem != "" {
		return nil, errors.New("repomd.xml: " + problem)
	}
	text, err := cache.ReadBounded(c.Path, maxRepomd)
	if err != nil {
		return nil, fmt.Errorf("repomd.xml: %w", diag.Reason(err))
	}
	want := setOf(files)
	x := builtReader{files: len(files) > 0, want: func(path string) bool { return want[path] }, open: k.open}
	return x.read(text)
}

// open opens a metadata file in the cache.
func (k *Kept) open(m metadataFile) (*os.File, error) {
	c, err := k.Lookaside.Lookup(m.hashType, m.hash)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, ErrNotKept
	}
	return os.Open(c.Path)
}

// index reads which metadata a repository had when it was fetched last.
func (k *Kept) index(base string) (keptIndex, error) {
	data, err := cache.ReadBounded(k.path(base), maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return keptIndex{}, ErrNotKept
	}
	if err != nil {
		return keptIndex{}, diag.Reason(err)
	}
	var index keptIndex
	if err := json.Unmarshal(data, &index); err != nil || index.Address != base {
		return keptIndex{}, errors.New("its index is damaged")
	}
	return index, nil
}

// path is where the index of a repository is kept.
func (k *Kept) path(base string) string {
	sum := sha256.Sum256([]byte(base))
	return filepath.Join(k.Dir, hex.EncodeToString(sum[:]))
}
