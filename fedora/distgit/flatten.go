package distgit

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// Bounds of one commit's tree.
const (
	maxFiles    = 100_000
	maxDepth    = 64
	maxPath     = 4096
	maxName     = 255
	maxSnapshot = 1 << 30 // bytes
	maxLinks    = 40      // links followed for one file, as Linux does
	maxTarget   = 4096    // bytes of a link's target
)

// A node is one name in a commit: a directory, a file or a link.
type node struct {
	name     string
	path     string // from the root of the commit
	entry    TreeEntry
	children map[string]*node // of a directory, else nil
	order    []*node          // children in git's order
	target   string           // of a link
}

// checkName refuses names that must not become part of a path. Git accepts
// none of them either, but a server can send what it likes.
func checkName(dir, name string) error {
	switch {
	case name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.ContainsAny(name, "/\x00"):
		return diag.Errorf("fedora/bad-tree", "the commit holds the forbidden file name %q in %q", name, dir)
	case len(name) > maxName || len(dir)+len(name) > maxPath:
		return diag.Errorf("fedora/bad-tree", "the commit holds a file name of %d bytes in %.40q", len(name), dir)
	}
	return nil
}

// follow walks from the root along a path, through links, and returns the file
// or directory at its end. what names the link that is being resolved.
func follow(root *node, what, path string) (*node, error) {
	var stack []*node // directories from the root to the current one
	cur := root
	links := 0
	rest := strings.Split(path, "/")
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if len(stack) == 0 {
				return nil, badLink("the symbolic link %s leads out of the commit", what)
			}
			cur, stack = stack[len(stack)-1], stack[:len(stack)-1]
			continue
		}
		if cur.children == nil {
			return nil, badLink("the symbolic link %s leads through %q, which is no directory", what, cur.path)
		}
		next := cur.children[name]
		if next == nil {
			return nil, badLink("the symbolic link %s leads to %q, which is not in the commit", what, name)
		}
		if !next.entry.IsSymlink() {
			stack, cur = append(stack, cur), next
			continue
		}
		if links++; links > maxLinks {
			return nil, badLink("the symbolic link %s leads through a loop of links", what)
		}
		if strings.HasPrefix(next.target, "/") {
			return nil, badLink("the symbolic link %s leads to the absolute path %q", what, next.target)
		}
		rest = append(strings.Split(next.target, "/"), rest...)
		if len(rest) > maxPath {
			return nil, badLink("the symbolic link %s leads through too long a path", what)
		}
	}
	return cur, nil
}

// A FlatFile is a regular file with the full path it gets.
type FlatFile struct {
	Path       string
	Executable bool
	ID         string // of the blob
}

// Flatten lists the regular files of a commit, sorted by path, and the name of
// its root tree. Symbolic links inside the commit become the files and copies
// of the directories that they lead to; submodules are left out. A commit that
// is not there gives an error matching fs.ErrNotExist.
func (r *Repo) Flatten(commit string) (tree string, files []FlatFile, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	root, err := readTree(r, commit)
	if err != nil {
		return "", nil, err
	}
	flat := flattener{root: root}
	if err := flat.dir(root, ""); err != nil {
		return "", nil, err
	}
	slices.SortFunc(flat.list, func(a, b FlatFile) int { return cmp.Compare(a.Path, b.Path) })
	return root.entry.ID, flat.list, nil
}

// Blobs reads the blobs of a commit in the order of ids and hands each to the
// function, with its size in bytes.
func (r *Repo) Blobs(commit string, ids []string, each func(id string, size int64, body io.Reader) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := int64(0)
	return r.exchange(ids, func(i int, o object, body io.Reader) error {
		if o.missing || o.kind != "blob" {
			return missingObject(r, commit, ids[i])
		}
		if total += o.size; o.size > maxObject || total > maxSnapshot {
			return diag.Errorf("fedora/too-large", "commit %s holds a file of %d bytes, %d in all", ShortID(commit), o.size, total)
		}
		return each(o.id, o.size, body)
	})
}

// A flattener lists the regular files of a commit with links replaced by what
// they lead to; a link to a directory becomes a copy of it.
type flattener struct {
	root   *node
	list   []FlatFile
	open   []*node // directories on the way to the current one
	visits int     // names looked at, which copies of copies can make many
}

func (f *flattener) dir(d *node, prefix string) error {
	if slices.Contains(f.open, d) {
		return badLink("the symbolic link %s leads to a directory it is in itself", strings.TrimSuffix(prefix, "/"))
	}
	if len(f.open) > maxDepth || len(prefix) > maxPath {
		return diag.Errorf("fedora/too-large", "directories of the commit nest deeper than %d levels at %.60q", maxDepth, prefix)
	}
	f.open = append(f.open, d)
	defer func() { f.open = f.open[:len(f.open)-1] }()
	for _, n := range d.order {
		if f.visits++; f.visits > maxFiles {
			return diag.Errorf("fedora/too-large", "the commit has more than %d files", maxFiles)
		}
		at := n
		if n.entry.IsSymlink() {
			var err error
			if at, err = follow(f.root, prefix+n.name, n.path); err != nil {
				return err
			}
		}
		if at.children == nil {
			f.list = append(f.list, FlatFile{prefix + n.name, at.entry.Mode&0o111 != 0, at.entry.ID})
		} else if err := f.dir(at, prefix+n.name+"/"); err != nil {
			return err
		}
	}
	return nil
}

// badLink is the error about a link that cannot be replaced by a file of its
// own commit.
func badLink(format string, args ...any) error {
	d := diag.Errorf("fedora/bad-symlink", format, args...)
	d.Hint = "links must stay inside their commit; choose a commit without this one with spec.upstream-commit"
	return d
}

// missingObject says that a repository lacks part of a commit it has.
func missingObject(r *Repo, commit, id string) error {
	d := diag.Errorf("fedora/unreadable-repository", "repository %s lacks object %s of commit %s", r.at.GitDir, ShortID(id), ShortID(commit))
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
			return nil, diag.Errorf("fedora/too-large", "directories of commit %s nest deeper than %d levels", ShortID(commit), maxDepth)
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
					return &notFoundError{"commit " + ShortID(commit)}
				}
				return missingObject(r, commit, reqs[i])
			}
			data, err := o.read(body, maxTree)
			if err != nil {
				return err
			}
			entries, err := ParseTree(data, len(o.id)/2)
			if err != nil {
				return diag.Errorf("fedora/bad-tree", "commit %s: %v", ShortID(commit), err)
			}
			dir := level[i]
			dir.entry.ID = o.id
			if count += len(entries); count > maxFiles {
				return diag.Errorf("fedora/too-large", "commit %s has more than %d files", ShortID(commit), maxFiles)
			}
			for _, e := range entries {
				if err := checkName(dir.path, e.Name); err != nil {
					return err
				}
				if dir.children[e.Name] != nil {
					return diag.Errorf("fedora/bad-tree", "commit %s holds the name %q twice in %q", ShortID(commit), e.Name, dir.path)
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
