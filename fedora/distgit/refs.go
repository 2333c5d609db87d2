package distgit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// ErrRefBackend says that refs are stored in a way only git itself can read.
var ErrRefBackend = errors.New("refs are not stored as files")

// Bounds on what is read of files with refs.
const (
	maxRef        = 4096
	maxPackedRefs = 256 << 20
	maxShallow    = 64 << 20
)

// A Dir is the place of a repository on disk: where its HEAD is, and where
// what linked work trees share is.
type Dir struct {
	GitDir string // --git-dir
	Common string // objects and refs; equals dir but in linked work trees
	Top    string // top level of the work tree, empty for a bare repository
}

// FindDir recognises a repository at exactly path: a bare one, a work tree
// with a .git directory, or one with a .git file that points elsewhere.
func FindDir(path string) (Dir, bool) {
	dot := filepath.Join(path, ".git")
	if fi, err := os.Stat(dot); err == nil {
		if fi.IsDir() && isGitDir(dot) {
			return Dir{GitDir: dot, Common: dot, Top: path}, true
		}
		if !fi.Mode().IsRegular() {
			return Dir{}, false
		}
		if target, ok := readPointer(dot, "gitdir: "); ok {
			if !filepath.IsAbs(target) {
				target = filepath.Join(path, target)
			}
			common := target
			if c, ok := readPointer(filepath.Join(target, "commondir"), ""); ok {
				if !filepath.IsAbs(c) {
					c = filepath.Join(target, c)
				}
				common = c
			}
			if _, err := os.Stat(filepath.Join(target, "HEAD")); err == nil && isDir(filepath.Join(common, "objects")) {
				return Dir{GitDir: target, Common: common, Top: path}, true
			}
		}
	}
	if isGitDir(path) {
		return Dir{GitDir: path, Common: path}, true
	}
	return Dir{}, false
}

// searchGitDir looks for a repository at path and then at its parents.
func searchGitDir(path string) (Dir, bool) {
	for {
		if g, ok := FindDir(path); ok {
			return g, true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return Dir{}, false
		}
		path = parent
	}
}

func isGitDir(path string) bool {
	if _, err := os.Lstat(filepath.Join(path, "HEAD")); err != nil {
		return false
	}
	return isDir(filepath.Join(path, "objects")) && isDir(filepath.Join(path, "refs"))
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// readPointer reads a one-line file with a path in it.
func readPointer(path, prefix string) (string, bool) {
	data, err := cache.ReadBounded(path, 4096+int64(len(prefix)))
	if err != nil {
		return "", false
	}
	target, ok := strings.CutPrefix(strings.TrimRight(string(data), "\r\n"), prefix)
	return target, ok && target != ""
}

// Ref returns the object that a full ref name such as refs/heads/f43 or HEAD
// stands for. It is read in Go, because a process per repository would cost
// more than everything else a warm run does. A ref that does not exist gives
// an error matching fs.ErrNotExist, another storage format ErrRefBackend.
func (g Dir) Ref(name string) (string, error) {
	for range 6 { // git follows five symbolic refs
		base := g.Common
		if !strings.HasPrefix(name, "refs/") {
			base = g.GitDir
		}
		data, err := cache.ReadBounded(filepath.Join(base, filepath.FromSlash(name)), maxRef)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && !isDir(filepath.Join(base, filepath.FromSlash(name))) {
				return "", err
			}
			return g.PackedRef(name)
		}
		target, symbolic := bytes.CutPrefix(data, []byte("ref:"))
		if !symbolic {
			id, _, _ := strings.Cut(strings.TrimRight(string(data), " \t\r\n"), "\n")
			if !IsObjectID(id) {
				return "", fmt.Errorf("ref %s does not hold an object name", name)
			}
			return id, nil
		}
		name = strings.TrimSpace(string(target))
		if name == "refs/heads/.invalid" {
			return "", ErrRefBackend // how a reftable repository keeps old programs out
		}
		if err := CheckRefName(name); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("symbolic refs of %s form a loop", name)
}

// PackedRefs is the file that refs stand in which have none of their own.
func (g Dir) PackedRefs() string { return filepath.Join(g.Common, "packed-refs") }

// PackedRef is Ref for what stands in packed-refs alone.
func (g Dir) PackedRef(name string) (string, error) {
	data, err := cache.ReadBounded(g.PackedRefs(), maxPackedRefs)
	switch {
	case errors.Is(err, cache.ErrTooLong):
		return "", ErrRefBackend
	case errors.Is(err, fs.ErrNotExist) && isDir(filepath.Join(g.Common, "reftable")):
		return "", ErrRefBackend
	case errors.Is(err, fs.ErrNotExist):
		return "", &notFoundError{"ref " + name}
	case err != nil:
		return "", err
	}
	if id, ok := findPackedRef(data, name); ok {
		return id, nil
	}
	return "", &notFoundError{"ref " + name}
}

// findPackedRef returns the object of a ref in the text of a packed-refs file.
// Lines are "ID NAME"; "#" begins the header and "^" the object behind a tag.
func findPackedRef(data []byte, name string) (string, bool) {
	needle := []byte(" " + name)
	for at := 0; at < len(data); {
		i := bytes.Index(data[at:], needle)
		if i < 0 {
			return "", false
		}
		i += at
		at = i + len(needle)
		if at < len(data) && data[at] != '\n' && data[at] != '\r' {
			continue
		}
		start := bytes.LastIndexByte(data[:i], '\n') + 1
		if id := string(data[start:i]); IsObjectID(id) {
			return id, true
		}
	}
	return "", false
}

// Branches lists the branch names of a repository, sorted, for messages; it
// reads files alone and gives nothing for other storage formats.
func (g Dir) Branches() []string {
	seen := map[string]bool{}
	root := filepath.Join(g.Common, "refs", "heads")
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasSuffix(path, ".lock") {
			seen[filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))] = true
		}
		return nil
	})
	if data, err := cache.ReadBounded(g.PackedRefs(), maxPackedRefs); err == nil {
		for line := range strings.SplitSeq(string(data), "\n") {
			if id, name, ok := strings.Cut(line, " "); ok && IsObjectID(id) {
				if b, ok := strings.CutPrefix(name, "refs/heads/"); ok {
					seen[b] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// CheckRefName holds a name to the rules of git-check-ref-format, so that it
// can neither be taken for an option nor leave the refs directory.
func CheckRefName(name string) error {
	bad := name == "" || len(name) > 1024 || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "/") ||
		strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".") || name == "@" ||
		strings.Contains(name, "..") || strings.Contains(name, "//") || strings.Contains(name, "@{") ||
		strings.ContainsAny(name, " ~^:?*[\\\x7f")
	for i := range len(name) {
		bad = bad || name[i] < 0x20
	}
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return diag.Errorf("fedora/bad-ref", "%q is not a valid branch name", name)
	}
	return nil
}

// WriteRef creates or replaces a loose ref the way git does: a lock file that
// must not exist, then a rename.
func (g Dir) WriteRef(name, id string) error {
	path := filepath.Join(g.Common, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(id + "\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(path+".lock", path)
	}
	if err != nil {
		os.Remove(path + ".lock")
	}
	return err
}
