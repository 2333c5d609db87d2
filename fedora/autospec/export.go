package autospec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"specgraft/fedora/distgit"
)

// A File is a file of the work tree that the last synthetic commit carries.
type File struct {
	Path       string // slash-separated
	Data       []byte
	Executable bool
}

// Export writes the graph as a real git repository to dir, which must not exist
// or be empty: the same commits with real names, and the files of the work
// tree. from is the repository behind the graph's Log, nil when there is none.
// Of a graph without synthetic commits the history is copied and files are
// not looked at.
func (g *Graph) Export(ctx context.Context, dir string, from *distgit.Repo, files []File) error {
	if len(g.sequence) == 0 {
		return distgit.WriteRepository(ctx, dir, from, []string{g.head}, nil, g.head)
	}
	long := len(g.base) == 2*sha256.Size
	var objects []distgit.Object
	put := func(kind string, data []byte) string {
		o := distgit.Object{Kind: kind, Data: data}
		objects = append(objects, o)
		return o.ID(long)
	}
	tree := putTree(put, files)
	head, below := g.base, g.base
	baseTree := ""
	var copies []string
	if below != "" {
		c, err := g.log.commit(below)
		if err != nil {
			return err
		}
		if err := g.log.fill(c); err != nil {
			return err
		}
		baseTree = c.tree
		copies = append(copies, below)
	}
	for i, c := range g.sequence {
		if err := g.look(c); err != nil {
			return err
		}
		switch {
		case i == len(g.sequence)-1 || g.base == "":
			baseTree = tree
		case c.sameTree != nil && c.sameTree.work == nil && c.tree != "":
			if baseTree = c.tree; baseTree != copies[len(copies)-1] {
				copies = append(copies, baseTree)
			}
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "tree %s\n", baseTree)
		if head != "" {
			fmt.Fprintf(&b, "parent %s\n", head)
		}
		author, committer, err := g.signatures(c)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "author %s\ncommitter %s\n", author, committer)
		if c.encoding != "" {
			fmt.Fprintf(&b, "encoding %s\n", c.encoding)
		}
		b.WriteByte('\n')
		b.WriteString(c.message)
		if !strings.HasSuffix(c.message, "\n") {
			b.WriteByte('\n')
		}
		head = put("commit", b.Bytes())
	}
	return distgit.WriteRepository(ctx, dir, from, copies, objects, head)
}

// signatures returns the author and committer headers of a commit. Those of
// upstream are taken over, the committer under the author's name when only the
// time is known.
func (g *Graph) signatures(c *commit) (author, committer string, err error) {
	when := fmt.Sprintf("%d +0000", c.time)
	if !strings.HasSuffix(c.author, ">") {
		h, err := g.log.history()
		if err != nil {
			return "", "", err
		}
		raw, err := h.Commit(c.sameTree.id)
		if err != nil {
			return "", "", err
		}
		who := raw.Committer
		return c.author, fmt.Sprintf("%s <%s> %d %s", who.Name, who.Email, who.When.Unix(), who.When.Format("-0700")), nil
	}
	user, err := parseIdent(c.author)
	if err != nil {
		return "", "", badCommit(c, err)
	}
	line := fmt.Sprintf("%s <%s> %s", user.Name, user.Email, when)
	return line, line, nil
}

// putTree stores files as git trees and returns the name of the topmost one.
func putTree(put func(kind string, data []byte) string, files []File) string {
	type item struct{ mode, id string }
	items := map[string]item{} // directories with a slash at the end, as git sorts them
	below := map[string][]File{}
	for _, f := range files {
		if dir, rest, ok := strings.Cut(f.Path, "/"); ok {
			f.Path = rest
			below[dir] = append(below[dir], f)
			continue
		}
		mode := "100644"
		if f.Executable {
			mode = "100755"
		}
		items[f.Path] = item{mode, put("blob", f.Data)}
	}
	for dir, files := range below {
		items[dir+"/"] = item{"40000", putTree(put, files)}
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(items)) {
		raw, _ := hex.DecodeString(items[name].id)
		fmt.Fprintf(&b, "%s %s\x00%s", items[name].mode, strings.TrimSuffix(name, "/"), raw)
	}
	return put("tree", b.Bytes())
}
