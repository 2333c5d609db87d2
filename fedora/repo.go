package fedora

import (
	"context"
	"errors"
)

// A Repo reads objects of one git repository through one child process. It is
// safe for concurrent use, though requests are answered one after the other.
type Repo struct{}

// OpenWorktree opens the repository that contains dir: a work tree, a linked
// work tree or a bare repository. It never writes to it and runs no hook.
func OpenWorktree(ctx context.Context, dir string) (*Repo, error) {
	return nil, errors.New("not there yet")
}

// RootOf returns the top level of the work tree that contains dir, or an error
// that matches fs.ErrNotExist when dir is in none. It starts no process.
func RootOf(dir string) (string, error) { return "", errors.New("not there yet") }

// Close ends the child process.
func (r *Repo) Close() error { return nil }

// Head returns the commit that HEAD stands for; an error matching
// fs.ErrNotExist when there is no commit yet.
func (r *Repo) Head() (string, error) { return "", errors.New("not there yet") }

// RevParse returns the full name of the commit that a revision stands for: a
// branch, a tag, HEAD, a full or abbreviated name, or one of these with ~N or ^.
func (r *Repo) RevParse(rev string) (string, error) { return "", errors.New("not there yet") }

// Commit returns a commit by its full name. A name that is not there gives an
// error matching fs.ErrNotExist, as do Tree and Blob.
func (r *Repo) Commit(id string) (*Commit, error) { return nil, errors.New("not there yet") }

// Tree returns the entries of a tree (by tree or commit name) in git's order.
func (r *Repo) Tree(id string) ([]TreeEntry, error) { return nil, errors.New("not there yet") }

// Blob returns the content of a blob. The caller must not modify it.
func (r *Repo) Blob(id string) ([]byte, error) { return nil, errors.New("not there yet") }

// Prefetch asks for objects ahead of Commit, Tree and Blob, so that many small
// reads share one round trip. Names that are not there are ignored.
func (r *Repo) Prefetch(ids ...string) {}

// Entry returns what is at a slash-separated path in a commit or tree; an error
// matching fs.ErrNotExist when nothing is.
func (r *Repo) Entry(id, path string) (TreeEntry, error) {
	return TreeEntry{}, errors.New("not there yet")
}

// ReadFile returns the content of the file at a path in a commit or tree; an
// error matching fs.ErrNotExist when there is none.
func (r *Repo) ReadFile(id, path string) ([]byte, error) { return nil, errors.New("not there yet") }

// Files lists the files below a directory of a commit or tree, recursively,
// names relative to that directory; "" or "." is the root. A directory that is
// not there gives no entries.
func (r *Repo) Files(id, dir string) ([]TreeEntry, error) { return nil, errors.New("not there yet") }

// Shallow returns the commits whose parents were not fetched; nil in a full clone.
func (r *Repo) Shallow() map[string]bool { return nil }

// Top returns the top level of the work tree, or the empty string for a bare repository.
func (r *Repo) Top() string { return "" }

// PathLog returns, for each file at or below any of paths (relative to the top
// level), the commits that "git log HEAD -- FILE" lists, newest first, all from
// one child process.
func (r *Repo) PathLog(ctx context.Context, head string, paths ...string) (map[string][]string, error) {
	return nil, errors.New("not there yet")
}
