package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A File is one file of a rendered directory.
type File struct {
	Path   string // slash-separated, below the directory
	Mode   string // "0644", "0755", or "link" for a symbolic link
	SHA256 string // of the content, in hex; of a link, of where it leads
}

// maxFiles bounds the files of one directory.
const maxFiles = 100_000

// ReadTree lists the files of a directory, sorted by path. What is neither a file
// nor a directory nor a link has the mode "special" and no digest.
func ReadTree(dir string) ([]File, error) { return readTree(dir, nil) }

// readTree is ReadTree without the directories that skip names.
func readTree(dir string, skip func(path string) bool) ([]File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var files []File
	err = fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && skip != nil && skip(p) {
			return fs.SkipDir
		}
		if err != nil || e.IsDir() {
			return err
		}
		if len(files) >= maxFiles {
			return fmt.Errorf("%s has more than %d files", dir, maxFiles)
		}
		f := File{Path: p}
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			to, err := root.Readlink(p)
			if err != nil {
				return err
			}
			sum := sha256.Sum256([]byte(to))
			f.Mode, f.SHA256 = "link", hex.EncodeToString(sum[:])
		case e.Type().IsRegular():
			if f.Mode, f.SHA256, err = readFile(root, p); err != nil {
				return err
			}
		default:
			f.Mode = "special"
		}
		files = append(files, f)
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, err
}

func readFile(root *os.Root, name string) (mode, sum string, err error) {
	f, err := root.Open(name)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", "", err
	}
	mode = "0644" // as in git, only the owner's execute bit counts
	if st.Mode()&0o100 != 0 {
		mode = "0755"
	}
	return mode, hex.EncodeToString(h.Sum(nil)), nil
}

// TreeDigest returns the digest of a directory: SHA-256 over a line for each file,
// sorted by path, of its mode, its own SHA-256 and its path, with a blank between
// them. Which machine and umask made the directory does not count, nor do times.
//
//	cd DIR && for f in $(find . -type f -printf '%P\n' | LC_ALL=C sort); do
//	  test -x $f && m=0755 || m=0644; echo $m $(sha256sum <$f | cut -c1-64) $f; done | sha256sum
func TreeDigest(files []File) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %s %s\n", f.Mode, f.SHA256, f.Path)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Difference returns the first file, in the order of paths, in which a directory
// differs from what it should be, and how; "" when nothing does.
func Difference(want, have []File) (path, how string) {
	for len(want)+len(have) > 0 {
		switch {
		case len(have) == 0 || len(want) > 0 && want[0].Path < have[0].Path:
			return want[0].Path, "is missing"
		case len(want) == 0 || have[0].Path < want[0].Path:
			return have[0].Path, "was added"
		case want[0].SHA256 != have[0].SHA256 || (want[0].Mode == "link") != (have[0].Mode == "link"):
			return want[0].Path, "has another content"
		case want[0].Mode != have[0].Mode:
			return want[0].Path, fmt.Sprintf("has the mode %s, not %s", have[0].Mode, want[0].Mode)
		}
		want, have = want[1:], have[1:]
	}
	return "", ""
}
