package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// MaxSpec bounds a spec file; the largest in Fedora has 11 MB.
const MaxSpec = 256 << 20

// ReadTree lists the regular files below a directory, except the spec and
// what belongs to git. Contents are read when they are needed.
func ReadTree(root *os.Root, tree *overlay.Tree, specName string) error {
	return fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && p == ".git" {
			return fs.SkipDir
		}
		if !e.Type().IsRegular() || p == specName {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		tree.Files[p] = overlay.LazyFile(p, info.Mode().Perm(), info.Size(), func() ([]byte, error) { return root.ReadFile(p) })
		return nil
	})
}

// sources opens the files that `source` keys name.
type sources struct {
	root string // absolute, without symbolic links; empty for no bounds
}

// NewSources bounds sources to the git repository of the TOML file, or to its
// directory where there is none.
func NewSources(tomlFile string, outside bool) (*sources, error) {
	if outside {
		return &sources{}, nil
	}
	abs, err := filepath.Abs(tomlFile)
	if err != nil {
		return nil, FileProblem("apply/file", tomlFile, err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return nil, FileProblem("apply/file", tomlFile, err)
	}
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Lstat(filepath.Join(up, ".git")); err == nil {
			return &sources{up}, nil
		}
		if up == filepath.Dir(up) {
			return &sources{dir}, nil
		}
	}
}

func (s *sources) Open(name string) ([]byte, fs.FileMode, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, 0, err
	}
	if rel, err := filepath.Rel(s.root, real); s.root != "" && (err != nil || rel == ".." || strings.HasPrefix(rel, "../")) {
		return nil, 0, &diag.Diagnostic{
			Code: "overlay/source", Message: fmt.Sprintf("source file %q leads outside %s", name, s.root),
			Hint: "--allow-outside lets sources lead anywhere",
		}
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &diag.Diagnostic{Code: "overlay/source", Message: fmt.Sprintf("source file %q is not a regular file", name)}
	}
	data, err := os.ReadFile(real)
	return data, info.Mode().Perm(), err
}
