package distgit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// A Repo reads objects of one git repository, from its files or, where only git
// knows how they are kept, through one child process (git cat-file --batch)
// started by the first read. It is safe for concurrent use, though requests are
// answered one after the other.
type Repo struct {
	git *Git
	at  Dir
	ctx context.Context

	home  *Pool // gets the process back on Close; nil for a repository opened directly
	place string

	mu      sync.Mutex
	objects *objectStore // nil before the first read, and where git has to read
	foreign bool         // git has to read
	batch   *batch
	closed  bool
	commits map[string]*Commit
	trees   map[string][]TreeEntry
	blobs   map[string][]byte
	held    int // bytes in blobs

	// Walks along first parents are recognised, and ancestors then asked for
	// ahead of time, so that a long history needs few round trips.
	expect string   // the commit that a walk would ask for next
	window int      // how many ancestors to ask for with the next miss
	ahead  []string // trees of the commits asked for ahead, in order

	shallowOnce sync.Once
	shallow     map[string]bool
}

// Bounds of what one Repo keeps in memory and accepts.
const (
	maxWindow      = 64
	maxCachedTrees = 1 << 14
	maxCachedBlobs = 32 << 20 // bytes
	maxObject      = 256 << 20
	maxTree        = 32 << 20
	maxCommit      = 16 << 20
	maxSkip        = 4 << 20 // more than this is not read only to get past it
)

// tooLarge is the error about an object above one of these bounds.
func tooLarge(o object) error {
	return diag.Errorf("fedora/too-large", "%s %s has %d bytes", o.kind, ShortID(o.id), o.size)
}

func newRepo(ctx context.Context, g *Git, at Dir) *Repo {
	return &Repo{git: g, at: at, ctx: ctx,
		commits: map[string]*Commit{}, trees: map[string][]TreeEntry{}, blobs: map[string][]byte{}}
}

// OpenWorktree opens the repository that contains dir: a work tree, a linked
// work tree or a bare repository. It never writes to it and runs no hook. A
// directory in no repository gives an error matching fs.ErrNotExist.
func OpenWorktree(ctx context.Context, dir string) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	at, ok := searchGitDir(abs)
	if !ok {
		return nil, &notFoundError{"a git repository at or above " + dir}
	}
	return newRepo(ctx, &Git{}, at), nil
}

// RootOf returns the top level of the work tree that contains dir, or an error
// that matches fs.ErrNotExist when dir is in none. It starts no process.
func RootOf(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if at, ok := searchGitDir(abs); ok && at.Top != "" {
		return at.Top, nil
	}
	return "", &notFoundError{"a git work tree at or above " + dir}
}

// Top returns the top level of the work tree, or the empty string for a bare repository.
func (r *Repo) Top() string { return r.at.Top }

// Close ends the use of the repository. Its child process ends too, unless the
// store keeps it for the next reader.
func (r *Repo) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle := idleRepo{r.place, r.batch, r.objects}
	r.closed, r.batch, r.objects = true, nil, nil
	if r.home != nil && (idle.batch != nil || idle.objects != nil) {
		r.home.keep(idle)
	} else {
		idle.end()
	}
	return nil
}

// Head returns the commit that HEAD stands for; an error matching
// fs.ErrNotExist when there is no commit yet.
func (r *Repo) Head() (string, error) { return r.ref("HEAD") }

// ref reads a full ref name, through git where Go cannot.
func (r *Repo) ref(name string) (string, error) {
	id, err := r.at.Ref(name)
	if errors.Is(err, ErrRefBackend) {
		return r.RevParse(name)
	}
	return id, err
}

// RevParse returns the full name of the commit that a revision stands for: a
// branch, a tag, HEAD, a full or abbreviated name, or one of these with ~N or ^.
// It gives an error matching fs.ErrNotExist when there is no such commit.
func (r *Repo) RevParse(rev string) (string, error) {
	if rev == "" || len(rev) > 1024 || strings.HasPrefix(rev, "-") || strings.ContainsFunc(rev, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return "", diag.Errorf("fedora/bad-ref", "%q is not a valid revision", rev)
	}
	// The second form tells, where the first finds nothing, whether that is
	// because there is too much.
	var id string
	err := r.locked([]string{rev + "^{commit}", rev}, func(i int, o object, body io.Reader) error {
		switch {
		case i == 0 && !o.missing && o.kind == "commit":
			id = o.id
			return r.keepCommit(o, body)
		case i == 0 || id != "":
			return nil
		case o.ambiguous:
			return diag.Errorf("fedora/ambiguous-commit", "the abbreviated commit name %s fits several commits", rev)
		}
		return &notFoundError{"commit " + rev}
	})
	return id, err
}

// Commit returns a commit by its full name. A name that is not there gives an
// error matching fs.ErrNotExist, as do Tree and Blob.
func (r *Repo) Commit(id string) (*Commit, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.commits[id]; c != nil {
		r.follow(c)
		return c, nil
	}
	if !IsObjectID(id) {
		return nil, diag.Errorf("fedora/bad-ref", "%q is not a full commit name", id)
	}
	if err := r.useLocal(); err != nil {
		return nil, r.unreadable(err)
	}
	if r.objects == nil && id == r.expect {
		r.window = min(maxWindow, r.window*4+4)
	} else {
		r.window = 0
	}
	reqs := []string{id}
	for n := 1; n <= r.window; n++ {
		reqs = append(reqs, id+"~"+strconv.Itoa(n))
	}
	r.ahead = r.ahead[:0]
	err := r.exchange(reqs, func(i int, o object, body io.Reader) error {
		if o.missing || o.ambiguous || o.kind != "commit" {
			return nil
		}
		if err := r.keepCommit(o, body); err != nil && i == 0 {
			return err
		}
		if c := r.commits[o.id]; c != nil {
			r.ahead = append(r.ahead, c.Tree)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := r.commits[id]
	if c == nil {
		return nil, &notFoundError{"commit " + ShortID(id)}
	}
	r.follow(c)
	return c, nil
}

// follow notes which commit a walk along first parents would ask for next.
func (r *Repo) follow(c *Commit) {
	r.expect = ""
	if len(c.Parents) > 0 {
		r.expect = c.Parents[0]
	}
}

func (r *Repo) keepCommit(o object, body io.Reader) error {
	data, err := o.read(body, maxCommit)
	if err != nil {
		return err
	}
	c, err := ParseCommit(o.id, data)
	if err != nil {
		return err
	}
	if len(r.commits) > 1<<17 {
		clear(r.commits)
	}
	r.commits[c.ID] = c
	return nil
}

// Tree returns the entries of a tree (by tree or commit name) in git's order.
// The caller must not modify them.
func (r *Repo) Tree(id string) ([]TreeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tree(id)
}

func (r *Repo) tree(id string) ([]TreeEntry, error) {
	if c := r.commits[id]; c != nil {
		id = c.Tree
	}
	if t, ok := r.trees[id]; ok {
		return t, nil
	}
	if !IsObjectID(id) {
		return nil, diag.Errorf("fedora/bad-ref", "%q is not a full object name", id)
	}
	if len(r.trees) > maxCachedTrees {
		clear(r.trees)
	}
	reqs := []string{id + "^{tree}"}
	if i := slices.Index(r.ahead, id); i >= 0 {
		for _, next := range r.ahead[i+1:] {
			if _, ok := r.trees[next]; !ok {
				reqs = append(reqs, next)
			}
		}
		r.ahead = r.ahead[:0]
	}
	var first []TreeEntry
	err := r.exchange(reqs, func(i int, o object, body io.Reader) error {
		if o.missing || o.kind != "tree" {
			if i == 0 {
				return &notFoundError{"tree " + ShortID(id)}
			}
			return nil
		}
		t, err := r.keepTree(o, body)
		if i == 0 {
			first = t
			return err
		}
		return nil
	})
	return first, err
}

func (r *Repo) keepTree(o object, body io.Reader) ([]TreeEntry, error) {
	data, err := o.read(body, maxTree)
	if err != nil {
		return nil, err
	}
	t, err := ParseTree(data, len(o.id)/2)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", ShortID(o.id), err)
	}
	r.trees[o.id] = t
	return t, nil
}

// Blob returns the content of a blob. The caller must not modify it.
func (r *Repo) Blob(id string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b, ok := r.blobs[id]; ok {
		return b, nil
	}
	if !IsObjectID(id) {
		return nil, diag.Errorf("fedora/bad-ref", "%q is not a full object name", id)
	}
	return r.blob(id, id)
}

// blob reads the one blob that an expression stands for.
func (r *Repo) blob(expr, what string) ([]byte, error) {
	var data []byte
	err := r.exchange([]string{expr}, func(_ int, o object, body io.Reader) error {
		if o.missing || o.ambiguous || o.kind != "blob" {
			return &notFoundError{what}
		}
		var err error
		data, err = o.read(body, maxObject)
		return err
	})
	return data, err
}

// Prefetch asks for commits, trees and blobs ahead of Commit, Tree and Blob, so
// that many small reads share one round trip. Names that are not there, and
// what does not fit into the memory set aside, are left to the later call.
func (r *Repo) Prefetch(ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var reqs []string
	for _, id := range ids {
		if r.commits[id] == nil && r.trees[id] == nil && r.blobs[id] == nil && IsObjectID(id) {
			reqs = append(reqs, id)
		}
	}
	r.exchange(reqs, func(_ int, o object, body io.Reader) error {
		if o.missing || o.ambiguous {
			return nil
		}
		switch o.kind {
		case "commit":
			r.keepCommit(o, body)
		case "tree":
			r.keepTree(o, body)
		case "blob":
			if o.size > maxCachedBlobs/4 {
				return nil
			}
			data, err := o.read(body, maxObject)
			if err != nil {
				return err
			}
			if r.held+len(data) > maxCachedBlobs {
				clear(r.blobs)
				r.held = 0
			}
			r.blobs[o.id] = data
			r.held += len(data)
		}
		return nil
	})
}

// Entry returns what is at a slash-separated path in a commit or tree; an error
// matching fs.ErrNotExist when nothing is. The empty path is the tree itself.
func (r *Repo) Entry(id, path string) (TreeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entry(id, path)
}

func (r *Repo) entry(id, path string) (TreeEntry, error) {
	e := TreeEntry{Mode: ModeDir, ID: id}
	path = strings.Trim(path, "/")
	if path == "" || path == "." {
		return e, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		if !e.IsDir() {
			return TreeEntry{}, &notFoundError{path}
		}
		t, err := r.tree(e.ID)
		if err != nil {
			return TreeEntry{}, err
		}
		i := slices.IndexFunc(t, func(e TreeEntry) bool { return e.Name == name })
		if i < 0 {
			return TreeEntry{}, &notFoundError{path}
		}
		e = t[i]
	}
	return e, nil
}

// ReadFile returns the content of the file at a path in a commit or tree; an
// error matching fs.ErrNotExist when there is none. It costs one round trip.
func (r *Repo) ReadFile(id, path string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !IsObjectID(id) || !fs.ValidPath(path) {
		return nil, diag.Errorf("fedora/bad-ref", "%q in %q is not a file of a commit", path, id)
	}
	if strings.Contains(path, "\n") { // cannot be asked for on a line
		e, err := r.entry(id, path)
		if err != nil {
			return nil, err
		}
		return r.blob(e.ID, path)
	}
	return r.blob(id+":"+path, path)
}

// Files lists the files and links below a directory of a commit or tree,
// recursively and sorted as git sorts, names relative to that directory; "" or
// "." is the root. A directory that is not there gives no entries.
func (r *Repo) Files(id, dir string) ([]TreeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.entry(id, dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !e.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.files(nil, e.ID, "", 0)
}

func (r *Repo) files(list []TreeEntry, id, prefix string, depth int) ([]TreeEntry, error) {
	if depth > maxDepth || len(list) > maxFiles {
		return nil, diag.Errorf("fedora/too-large", "more than %d files or %d levels of directories", maxFiles, maxDepth)
	}
	t, err := r.tree(id)
	if err != nil {
		return nil, err
	}
	for _, e := range t {
		e.Name = prefix + e.Name
		switch {
		case e.IsDir():
			if list, err = r.files(list, e.ID, e.Name+"/", depth+1); err != nil {
				return nil, err
			}
		case !e.IsSubmodule():
			list = append(list, e)
		}
	}
	return list, nil
}

// Shallow returns the commits whose parents were not fetched; nil in a full clone.
func (r *Repo) Shallow() map[string]bool {
	r.shallowOnce.Do(func() { r.shallow = r.at.Shallow() })
	return r.shallow
}

// Shallow reads the list of commits whose parents were cut off.
func (g Dir) Shallow() map[string]bool {
	data, err := cache.ReadBounded(filepath.Join(g.Common, "shallow"), maxShallow)
	if err != nil {
		return nil
	}
	var m map[string]bool
	for id := range strings.FieldsSeq(string(data)) {
		if IsObjectID(id) {
			if m == nil {
				m = map[string]bool{}
			}
			m[id] = true
		}
	}
	return m
}

// locked is exchange for callers that do not hold the lock yet.
func (r *Repo) locked(reqs []string, answer func(int, object, io.Reader) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.exchange(reqs, answer)
}

// exchange sends object names to the child process and hands each answer, in
// order, to the function, which may leave the body unread. Its first error
// ends the handing out, not the conversation, and is returned.
func (r *Repo) exchange(reqs []string, outer func(int, object, io.Reader) error) error {
	answer := outer
	if len(reqs) == 0 {
		return nil
	}
	if r.closed {
		return errors.New("repository is closed")
	}
	if err := r.useLocal(); err != nil {
		return r.unreadable(err)
	}
	if r.objects != nil {
		done, err := r.exchangeLocal(reqs, answer)
		if done == len(reqs) || err != nil {
			return err
		}
		// The rest, which is the whole in practice, is for git to understand.
		first := done
		reqs, answer = reqs[done:], func(i int, o object, body io.Reader) error { return outer(first+i, o, body) }
	}
	if r.batch == nil {
		b, err := startBatch(r.ctx, r.git, r.at.GitDir)
		if err != nil {
			return err
		}
		r.batch = b
	}
	var first error
	done := 0
	err := r.batch.exchange(reqs, func(i int, o object, body io.Reader) error {
		done++
		if first == nil {
			first = answer(i, o, body)
		}
		return nil
	})
	if err == errSkip && (first != nil || done == len(reqs)) {
		// Nothing more is wanted of this process, and a new one is cheaper.
		r.batch.stop()
		r.batch = nil
		return first
	}
	if err != nil {
		r.batch.stop()
		said := r.batch.complaint()
		r.batch = nil
		if cerr := context.Cause(r.ctx); cerr != nil {
			return cerr
		}
		if said != "" {
			err = errors.New(said)
		}
		return r.unreadable(err)
	}
	return first
}

// exchangeLocal answers requests without a process until one that git has to
// answer, and returns how many. As in exchange the first error of answer does not
// keep the others from being asked.
func (r *Repo) exchangeLocal(reqs []string, answer func(int, object, io.Reader) error) (int, error) {
	var first error
	for i, req := range reqs {
		o, body, ok, err := r.readLocal(req)
		switch {
		case !ok:
			return i, first
		case err != nil && first == nil:
			return i, r.unreadable(err)
		case err != nil:
			return i, first
		}
		if cerr := context.Cause(r.ctx); cerr != nil {
			return i, cerr
		}
		switch b := body.(type) {
		case nil:
			body = strings.NewReader("")
		case *blobStream:
			b.bad = r.unreadable(b.bad)
		}
		if first = answer(i, o, body); first != nil {
			return i, first
		}
	}
	return len(reqs), nil
}

// unreadable words that objects cannot be read.
func (r *Repo) unreadable(err error) error {
	if _, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return err
	}
	d := diag.Errorf("fedora/unreadable-repository", "repository %s: %v", r.at.GitDir, diag.Reason(err))
	d.Env = true
	return d
}
