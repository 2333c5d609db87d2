package fedora

import (
	"cmp"
	"context"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// A Snapshot is the file tree of one upstream commit.
type Snapshot struct {
	Commit string // full object name
	Tree   string // object name of the root tree
	// Files is sorted by path. Symbolic links inside the commit have become
	// the regular files they lead to; submodules are left out.
	Files []File

	store *Store
	url   string
	again func(context.Context) (*snapFile, error) // makes the file once more, nil for a git commit
	mu    sync.Mutex
	file  *snapFile
}

// Lookup returns the file at a slash-separated path, or nil.
func (s *Snapshot) Lookup(path string) *File {
	i, ok := slices.BinarySearchFunc(s.Files, path, func(f File, p string) int { return cmp.Compare(f.Path, p) })
	if !ok {
		return nil
	}
	return &s.Files[i]
}

// A File is one regular file of a snapshot. Its content is read on demand.
type File struct {
	Path string      // slash-separated, relative, clean
	Mode fs.FileMode // 0644 or 0755
	Size int64       // bytes
	ID   string      // git blob name, hexadecimal

	of    *Snapshot
	index int
}

// Bytes returns the content. It is checked against the checksum in the cache,
// and a damaged cache file is made again from the repository. The caller must
// not modify the bytes. It is safe for concurrent use.
func (f *File) Bytes() ([]byte, error) {
	s := f.of
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	data, err := file.bytes(f.index)
	if err == nil {
		return data, nil
	}
	// Damaged, or pruned by somebody else in the meantime.
	again := s.again
	if again == nil {
		again = func(ctx context.Context) (*snapFile, error) { return s.store.rebuildSnapshot(ctx, s.url, s.Commit) }
	}
	if file, err = again(context.Background()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.file = file
	s.mu.Unlock()
	if f.index >= len(file.files) || file.files[f.index].ID != f.ID {
		return nil, diag.Environment(diag.Errorf("fedora/cache", "the snapshot of commit %s changed while it was in use", short(s.Commit)), "run the command again")
	}
	if data, err = file.bytes(f.index); err != nil {
		return nil, cache.AsFailure(err)
	}
	return data, nil
}

// scratch holds buffers for reading small snapshot files.
var scratch = sync.Pool{New: func() any { b := make([]byte, smallSnap); return &b }}

// Snapshot returns the files of a commit, which must be a full object name as
// Resolve returns it. The first read starts one git process and keeps the
// result; later ones, also of later runs, read one file. Unless the store is
// offline, a commit that is not in the mirror is fetched once.
func (s *Store) Snapshot(ctx context.Context, url, commit string) (*Snapshot, error) {
	if !isObjectID(commit) {
		return nil, diag.Errorf("fedora/bad-ref", "%q is not a full commit name", commit)
	}
	file, err := s.cachedSnapshot(commit)
	if err != nil {
		if file, err = s.rebuildSnapshot(ctx, url, commit); err != nil {
			return nil, err
		}
	}
	snap := &Snapshot{Commit: commit, Tree: file.tree, Files: file.files, store: s, url: url, file: file}
	for i := range snap.Files {
		snap.Files[i].of, snap.Files[i].index = snap, i
	}
	return snap, nil
}

func (s *Store) cachedSnapshot(commit string) (*snapFile, error) {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	return readSnapFile(snapPath(s.opt.CacheDir, commit), commit, *buf)
}

// rebuildSnapshot reads a commit from its repository and replaces the cache file.
func (s *Store) rebuildSnapshot(ctx context.Context, url, commit string) (*snapFile, error) {
	var file *snapFile
	err := s.withCommit(ctx, url, commit, func(r *Repo) error {
		path := snapPath(s.opt.CacheDir, commit)
		err := cache.WriteAtomic(path, func(w io.Writer) error { return writeSnapshot(r, commit, w) })
		if err != nil {
			return err
		}
		buf := make([]byte, smallSnap)
		file, err = readSnapFile(path, commit, buf)
		return cache.AsFailure(err)
	})
	return file, err
}

// writeSnapshot reads the files of a commit and writes them as a snapshot file.
func writeSnapshot(r *Repo, commit string, w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	root, err := readTree(r, commit)
	if err != nil {
		return err
	}
	flat := flattener{root: root}
	if err := flat.dir(root, ""); err != nil {
		return err
	}
	files := flat.list
	slices.SortFunc(files, func(a, b flatFile) int { return cmp.Compare(a.path, b.path) })

	// Each distinct blob once, specs first, because they are what is read.
	seen := map[string]bool{}
	var ids []string
	for _, specs := range []bool{true, false} {
		for _, f := range files {
			if strings.HasSuffix(f.path, ".spec") == specs && !seen[f.entry.ID] {
				seen[f.entry.ID] = true
				ids = append(ids, f.entry.ID)
			}
		}
	}
	sw := newSnapWriter(w)
	type stored struct {
		snapEntry
		size int64
	}
	where := make(map[string]stored, len(ids))
	total := int64(0)
	err = r.exchange(ids, func(i int, o object, body io.Reader) error {
		if o.missing || o.kind != "blob" {
			return missingObject(r, commit, ids[i])
		}
		if total += o.size; o.size > maxObject || total > maxSnapshot {
			return diag.Errorf("fedora/too-large", "commit %s holds a file of %d bytes, %d in all", short(commit), o.size, total)
		}
		e, err := sw.blob(body, o.size)
		where[o.id] = stored{e, o.size}
		return err
	})
	if err != nil {
		return err
	}
	x := &snapIndex{commit: commit, tree: root.entry.ID}
	for _, f := range files {
		mode := fs.FileMode(0o644)
		if f.entry.Mode&0o111 != 0 {
			mode = 0o755
		}
		at := where[f.entry.ID]
		x.files = append(x.files, File{Path: f.path, Mode: mode, Size: at.size, ID: f.entry.ID})
		x.where = append(x.where, at.snapEntry)
	}
	return sw.finish(x)
}

// missingObject says that a repository lacks part of a commit it has.
func missingObject(r *Repo, commit, id string) error {
	d := diag.Errorf("fedora/unreadable-repository", "repository %s lacks object %s of commit %s", r.at.dir, short(id), short(commit))
	d.Env = true
	return d
}

// readTree reads all directories and link targets of a commit, level by level,
// each level in one round trip.
func readTree(r *Repo, commit string) (*node, error) {
	root := &node{children: map[string]*node{}}
	level := []*node{root}
	count := 0
	var links []*node
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxDepth {
			return nil, diag.Errorf("fedora/too-large", "directories of commit %s nest deeper than %d levels", short(commit), maxDepth)
		}
		reqs := make([]string, len(level))
		for i, n := range level {
			reqs[i] = n.entry.ID
		}
		if depth == 0 {
			reqs[0] = commit + "^{tree}"
		}
		var next []*node
		err := r.exchange(reqs, func(i int, o object, body io.Reader) error {
			if o.missing || o.kind != "tree" {
				if depth == 0 {
					return &notFoundError{"commit " + short(commit)}
				}
				return missingObject(r, commit, reqs[i])
			}
			data, err := o.read(body, maxTree)
			if err != nil {
				return err
			}
			entries, err := ParseTree(data, len(o.id)/2)
			if err != nil {
				return diag.Errorf("fedora/bad-tree", "commit %s: %v", short(commit), err)
			}
			dir := level[i]
			dir.entry.ID = o.id
			if count += len(entries); count > maxFiles {
				return diag.Errorf("fedora/too-large", "commit %s has more than %d files", short(commit), maxFiles)
			}
			for _, e := range entries {
				if err := checkName(dir.path, e.Name); err != nil {
					return err
				}
				if dir.children[e.Name] != nil {
					return diag.Errorf("fedora/bad-tree", "commit %s holds the name %q twice in %q", short(commit), e.Name, dir.path)
				}
				n := &node{name: e.Name, path: e.Name, entry: e}
				if dir.path != "" {
					n.path = dir.path + "/" + e.Name
				}
				switch {
				case e.IsDir():
					n.children = map[string]*node{}
					next = append(next, n)
				case e.IsSymlink():
					links = append(links, n)
				case !e.IsRegular(): // a submodule: content of another repository
					continue
				}
				dir.children[e.Name] = n
				dir.order = append(dir.order, n)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		level = next
	}
	reqs := make([]string, len(links))
	for i, n := range links {
		reqs[i] = n.entry.ID
	}
	err := r.exchange(reqs, func(i int, o object, body io.Reader) error {
		if o.missing || o.kind != "blob" {
			return missingObject(r, commit, reqs[i])
		}
		if o.size > maxTarget {
			return badLink("the symbolic link %s has a target of %d bytes", links[i].path, o.size)
		}
		target, err := o.read(body, maxTarget)
		links[i].target = string(target)
		return err
	})
	return root, err
}
