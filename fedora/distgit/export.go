package distgit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"specgraft/overlay/diag"
)

// maxExport bounds what Export writes in all.
const maxExport = 1 << 30

// Export writes the files of a commit below dest, which should be empty.
// Symbolic links stay links, submodules are left out, and so is everything for
// which skip (of a slash-separated path) is true. Whatever the commit holds,
// nothing is written outside of dest or through a link.
func (r *Repo) Export(ctx context.Context, commit string, dest *os.Root, skip func(path string) bool) error {
	list, err := r.Files(commit, "")
	if err != nil {
		return err
	}
	wanted := list[:0:0]
	links := map[string]bool{}
	for _, e := range list {
		if skip != nil && skip(e.Name) {
			continue
		}
		if !fs.ValidPath(e.Name) || hasGitElement(e.Name) {
			return diag.Errorf("fedora/bad-tree", "commit %.12s has a file called %q", commit, e.Name)
		}
		wanted = append(wanted, e)
		if e.IsSymlink() {
			links[e.Name] = true
		}
	}
	made := map[string]bool{".": true}
	total := int64(0)
	const batch = 512
	for i, e := range wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i%batch == 0 {
			var ids []string
			for _, ahead := range wanted[i:min(i+batch, len(wanted))] {
				ids = append(ids, ahead.ID)
			}
			r.Prefetch(ids...)
		}
		data, err := r.Blob(e.ID)
		if err != nil {
			return fmt.Errorf("read %s: %w", e.Name, err)
		}
		if total += int64(len(data)); total > maxExport {
			return diag.Errorf("fedora/too-large", "commit %.12s has more than %d MiB of files", commit, maxExport>>20)
		}
		dir := path.Dir(e.Name)
		for up := dir; up != "."; up = path.Dir(up) {
			if links[up] {
				return diag.Errorf("fedora/bad-tree", "commit %.12s has %q below a symbolic link", commit, e.Name)
			}
		}
		if !made[dir] {
			if err := dest.MkdirAll(dir, 0o777); err != nil {
				return exportFailure(e.Name, err)
			}
			made[dir] = true
		}
		switch {
		case e.IsSymlink():
			err = dest.Symlink(string(data), e.Name)
		case e.Mode&0o111 != 0:
			err = dest.WriteFile(e.Name, data, 0o755)
		default:
			err = dest.WriteFile(e.Name, data, 0o644)
		}
		if err != nil {
			return exportFailure(e.Name, err)
		}
	}
	return nil
}

// hasGitElement reports whether a path leads through something called .git.
func hasGitElement(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(part, ".git") {
			return true
		}
	}
	return false
}

func exportFailure(name string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return diag.Errorf("fedora/bad-tree", "the commit has %q twice", name)
	}
	return diag.Environment(diag.Errorf("fedora/cache", "write a temporary copy of %s: %v", name, diag.Reason(err)), "check the space in the temporary directory")
}
