package semantic

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Packaging is one side of a comparison: a spec and what stands beside it.
type Packaging struct {
	Name string // of the spec, for positions
	Spec []byte
	// FS has the files that the spec includes or loads, and the `sources` file.
	// Nil means that there are none.
	FS fs.FS
	// Files has a digest of each file beside the spec, by its path with slashes;
	// equal digests mean equal content. Nil means that the files are not
	// compared.
	Files map[string]string
}

const (
	maxSpec  = 64 << 20
	maxFiles = 100_000
)

// Open reads a spec file, or a directory with one spec and its files. Files
// beside a spec file are not compared. Links out of the directory are not
// followed. An error that is no fs.PathError says what is wrong with what the
// path names.
func Open(path string) (Packaging, error) {
	st, err := os.Stat(path)
	if err != nil {
		return Packaging{}, err
	}
	if !st.IsDir() && !st.Mode().IsRegular() {
		return Packaging{}, errors.New("neither a file nor a directory")
	}
	dir, name := filepath.Split(path)
	if st.IsDir() {
		dir, name = path, ""
	} else if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Packaging{}, err
	}
	p := Packaging{FS: root.FS()}
	if name == "" {
		if name, err = specIn(p.FS, filepath.Base(path)); err != nil {
			return Packaging{}, err
		}
		if p.Files, err = Digests(p.FS, name); err != nil {
			return Packaging{}, err
		}
	}
	p.Name = filepath.ToSlash(filepath.Join(dir, name))
	p.Spec, err = readAll(p.FS, name, maxSpec)
	return p, err
}

// specIn returns the name of the spec in a directory: that of the directory's
// own name when there are several.
func specIn(fsys fs.FS, base string) (string, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return "", err
	}
	var specs []string
	for _, e := range list {
		if strings.HasSuffix(e.Name(), ".spec") && !e.IsDir() {
			specs = append(specs, e.Name())
		}
	}
	switch {
	case len(specs) == 1:
		return specs[0], nil
	case slices.Contains(specs, base+".spec"):
		return base + ".spec", nil
	case len(specs) == 0:
		return "", errors.New("there is no spec in the directory")
	}
	return "", fmt.Errorf("there are %d specs in the directory, name one of them", len(specs))
}

// Digests returns the digests of all files of a tree but the spec, for
// Packaging.Files. A symbolic link counts by where it leads. What begins with
// .git is left out.
func Digests(fsys fs.FS, specName string) (map[string]string, error) {
	out := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == ".git":
			return fs.SkipDir
		case e.IsDir() || p == specName:
			return nil
		case len(out) >= maxFiles:
			return fmt.Errorf("more than %d files", maxFiles)
		case e.Type()&fs.ModeSymlink != 0:
			to, err := fs.ReadLink(fsys, p)
			out[p] = "link:" + to
			return err
		case !e.Type().IsRegular():
			out[p] = "special"
			return nil
		}
		out[p], err = digest(fsys, p)
		return err
	})
	return out, err
}

// Digest returns the digest of content as Digests has it.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func digest(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func readAll(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: more than %d MiB is no spec", name, limit>>20)
	}
	return b, err
}

// digests returns what is known of the content of files, those that the
// `sources` file names included.
func (p *Packaging) digests() map[string]string {
	out := map[string]string{}
	if p.FS != nil {
		if b, err := readAll(p.FS, "sources", 16<<20); err == nil {
			for line := range strings.Lines(string(b)) {
				if name, sum, ok := sourcesLine(line); ok {
					out[name] = sum
				}
			}
		}
	}
	for name, d := range p.Files {
		if name != "sources" {
			out[name] = d
		}
	}
	return out
}

// sourcesLine reads a line of a `sources` file in one of its two forms:
// "SHA512 (NAME) = HEX" and "HEX  NAME".
func sourcesLine(line string) (name, sum string, ok bool) {
	line = strings.TrimSpace(line)
	if kind, rest, found := strings.Cut(line, " ("); found && !strings.Contains(kind, " ") {
		i := strings.LastIndex(rest, ") = ")
		if i < 0 {
			return "", "", false
		}
		return rest[:i], strings.ToLower(kind) + ":" + strings.ToLower(rest[i+4:]), true
	}
	f := strings.Fields(line)
	if len(f) != 2 || len(f[0]) != 32 {
		return "", "", false
	}
	return f[1], "md5:" + strings.ToLower(f[0]), true
}
