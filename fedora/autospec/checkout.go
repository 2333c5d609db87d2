package autospec

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// A Checkout is a spec on disk, usually at the top of a git work tree.
type Checkout struct {
	Path string // of the spec
	// Input is filled in but for Now, ToolVersion, Evaluator and
	// NoErrorOnUnparseable.
	Input Input
	// HeadTime is the committer date of HEAD, the zero time without git.
	HeadTime time.Time
	// Shallow says that the repository lacks the commits behind some.
	Shallow bool

	root *os.Root
	repo *distgit.Repo
}

// OpenCheckout reads a spec, given by its file name or by its directory, whose
// base name then is the name of the spec. The git repository must be at the
// spec's own directory; one further up does not count, and without any the spec
// is one that is not in git.
func OpenCheckout(ctx context.Context, path string) (*Checkout, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, missing(path, err)
	}
	if info.IsDir() {
		path = filepath.Join(path, filepath.Base(abs)+".spec")
		abs = filepath.Join(abs, filepath.Base(abs)+".spec")
	}
	name, ok := strings.CutSuffix(filepath.Base(abs), ".spec")
	if !ok {
		return nil, &diag.Diagnostic{Code: "autospec/no-spec", Message: fmt.Sprintf("%s is no spec file", path),
			Hint: "name a file that ends in .spec, or the directory of a package"}
	}
	c := &Checkout{Path: path, Input: Input{Name: name}}
	if c.root, err = os.OpenRoot(filepath.Dir(abs)); err != nil {
		return nil, missing(path, err)
	}
	if err := c.read(ctx, filepath.Dir(abs)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func missing(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &diag.Diagnostic{Code: "autospec/no-spec", Message: fmt.Sprintf("%s does not exist", path),
			Hint: "name a file that ends in .spec, or a directory that holds a spec of its own name"}
	}
	return &diag.Diagnostic{Code: "autospec/no-spec", Env: true, Message: err.Error()}
}

// Close ends the reading of history and files.
func (c *Checkout) Close() error {
	var err error
	if c.repo != nil {
		err = c.repo.Close()
	}
	return errors.Join(err, c.root.Close())
}

func (c *Checkout) read(ctx context.Context, dir string) error {
	specName := c.Input.Name + ".spec"
	var err error
	// The spec itself may be a link to anywhere: it is what the user named.
	if c.Input.Spec, err = os.ReadFile(filepath.Join(dir, specName)); err != nil {
		return missing(c.Path, err)
	}
	c.Input.Files = c.root.FS()
	top, err := distgit.RootOf(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if here, err := os.Stat(dir); err != nil {
		return err
	} else if there, err := os.Stat(top); err != nil || !os.SameFile(here, there) {
		return err
	}
	if c.repo, err = distgit.OpenWorktree(ctx, top); err != nil {
		return err
	}
	head, err := c.repo.Head()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing committed yet
	}
	if err != nil {
		return err
	}
	commit, err := c.repo.Commit(head)
	if err != nil {
		return err
	}
	c.HeadTime = commit.Committer.When
	c.Shallow = len(c.repo.Shallow()) > 0
	c.Input.Graph = Upstream(NewLog(specName, func() (History, error) { return c.repo, nil }), head)
	return c.compare(ctx, commit)
}

// compare finds out whether tracked files differ from HEAD. Line ending
// conversions that git is configured for are not applied.
func (c *Checkout) compare(ctx context.Context, head *distgit.Commit) error {
	files, err := c.repo.Files(head.Tree, "")
	if err != nil {
		return err
	}
	var id distgit.Identity
	known := false
	identity := func() error {
		if known {
			return nil
		}
		known = true
		id, err = c.repo.Identity(ctx)
		return err
	}
	for _, f := range files {
		same, modeDiffers, err := c.sameFile(f)
		if err != nil {
			return err
		}
		if same && modeDiffers {
			if err := identity(); err != nil {
				return err
			}
			same = !id.FileMode
		}
		if same {
			continue
		}
		c.Input.Dirty = true
		if f.Name == "changelog" {
			_, err := c.root.Lstat(f.Name)
			c.Input.ChangelogRemoved = errors.Is(err, fs.ErrNotExist)
		}
	}
	if !c.Input.Dirty {
		return nil
	}
	if err := identity(); err != nil {
		return err
	}
	// One without the other is as good as none.
	if id.Name != "" && id.Email != "" {
		c.Input.User = User{id.Name, id.Email}
	}
	return nil
}

// sameFile compares a file on disk with one in git. modeDiffers says that
// only the executable bit is another one.
func (c *Checkout) sameFile(f distgit.TreeEntry) (same, modeDiffers bool, err error) {
	info, err := c.root.Lstat(f.Name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() == f.IsSymlink() {
		return false, false, nil
	}
	if err != nil {
		// A name that became a directory, or one below what is now a file.
		return false, false, nil
	}
	var content io.Reader
	size := info.Size()
	switch {
	case info.Mode().IsRegular():
		r, err := c.root.Open(f.Name)
		if err != nil {
			return false, false, fmt.Errorf("read %s: %w", f.Name, err)
		}
		defer r.Close()
		content = r
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := c.root.Readlink(f.Name)
		if err != nil {
			return false, false, fmt.Errorf("read %s: %w", f.Name, err)
		}
		content, size = strings.NewReader(target), int64(len(target))
	default:
		return false, false, nil
	}
	h := sha1.New()
	if len(f.ID) == 2*sha256.Size {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", size)
	if _, err := io.Copy(h, content); err != nil {
		return false, false, fmt.Errorf("read %s: %w", f.Name, err)
	}
	modeDiffers = f.IsRegular() && (f.Mode&0o100 != 0) != (info.Mode()&0o100 != 0)
	return hex.EncodeToString(h.Sum(nil)) == f.ID, modeDiffers, nil
}
