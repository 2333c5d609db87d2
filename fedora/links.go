package fedora

import (
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

// A flatFile is a regular file with the full path it gets.
type flatFile struct {
	path  string
	entry TreeEntry
}

// A flattener lists the regular files of a commit with links replaced by what
// they lead to; a link to a directory becomes a copy of it.
type flattener struct {
	root   *node
	list   []flatFile
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
			f.list = append(f.list, flatFile{prefix + n.name, at.entry})
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
