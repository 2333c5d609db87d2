package distgit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"specgraft/overlay/diag"
)

// A Commit is one parsed git commit. Names, mail addresses and the message are
// the bytes of the object: git does not promise that they are UTF-8, Encoding
// says what the author claimed.
type Commit struct {
	ID        string   // full hexadecimal name
	Tree      string   // name of the root tree
	Parents   []string // in the order of the commit; empty for a root
	Author    Ident
	Committer Ident
	Encoding  string // value of the encoding header, empty when there is none
	Message   string // everything behind the blank line, unchanged

	// AuthorLine is the author header as it stands. Programs disagree on how
	// to take a malformed one apart, so Author alone does not tell.
	AuthorLine string
}

// Subject returns the first paragraph of the message on one line, which is what
// git's %s prints.
func (c *Commit) Subject() string {
	var subject []string
	for line := range strings.SplitSeq(c.Message, "\n") {
		line = strings.TrimRight(line, " \t\r\v\f")
		if line == "" {
			if len(subject) > 0 {
				break
			}
			continue
		}
		subject = append(subject, line)
	}
	return strings.Join(subject, " ")
}

// An Ident is who did something, and when. When carries the recorded zone.
type Ident struct {
	Name  string
	Email string
	When  time.Time
}

// Git modes of tree entries.
const (
	ModeDir        = 0o040000
	ModeRegular    = 0o100644
	ModeExecutable = 0o100755
	ModeSymlink    = 0o120000
	ModeSubmodule  = 0o160000
)

// A TreeEntry is one name in a git tree.
type TreeEntry struct {
	Name string
	Mode uint32 // git's mode, see ModeDir and its siblings
	ID   string // hexadecimal object name
}

// IsDir reports whether the entry is a tree.
func (e TreeEntry) IsDir() bool { return e.Mode&0o170000 == ModeDir }

// IsRegular reports whether the entry is a file, executable or not. Old
// repositories know modes such as 100664, which count as regular.
func (e TreeEntry) IsRegular() bool { return e.Mode&0o170000 == 0o100000 }

// IsSymlink reports whether the entry is a symbolic link.
func (e TreeEntry) IsSymlink() bool { return e.Mode&0o170000 == ModeSymlink }

// IsSubmodule reports whether the entry names a commit of another repository.
func (e TreeEntry) IsSubmodule() bool { return e.Mode&0o170000 == ModeSubmodule }

// ParseCommit parses the content of a commit object. It fails only when the
// tree or a parent is not an object name; a broken author line gives an empty
// Ident, as such commits exist and their trees are fine.
func ParseCommit(id string, data []byte) (*Commit, error) {
	c := &Commit{ID: id}
	text := string(data)
	for {
		line, rest, found := strings.Cut(text, "\n")
		if line == "" {
			if found {
				c.Message = rest
			}
			break
		}
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			if c.Tree == "" {
				c.Tree = value
			}
		case "parent":
			if !IsObjectID(value) {
				return nil, fmt.Errorf("commit %s has the malformed parent %q", ShortID(id), value)
			}
			c.Parents = append(c.Parents, value)
		case "author":
			if c.AuthorLine == "" {
				c.Author, c.AuthorLine = parseIdent(value), value
			}
		case "committer":
			if c.Committer.When.IsZero() {
				c.Committer = parseIdent(value)
			}
		case "encoding":
			c.Encoding = value
		}
		// Everything else (gpgsig and its indented continuation lines,
		// mergetag, headers to come) says nothing about content or order.
		if !found {
			break
		}
		text = rest
	}
	if !IsObjectID(c.Tree) {
		return nil, fmt.Errorf("commit %s names no tree", ShortID(id))
	}
	return c, nil
}

// parseIdent splits "Name <mail> seconds zone". Like git it takes the mail
// between the first "<" and the next ">", and the date from the end.
func parseIdent(s string) Ident {
	var id Ident
	open := strings.IndexByte(s, '<')
	if open < 0 {
		return id
	}
	id.Name = strings.TrimSpace(s[:open])
	mail, _, ok := strings.Cut(s[open+1:], ">")
	if !ok {
		return id
	}
	id.Email = strings.TrimSpace(mail)
	last := strings.LastIndexByte(s, '>')
	fields := strings.Fields(s[last+1:])
	id.When = time.Unix(0, 0).UTC()
	if len(fields) == 0 {
		return id
	}
	sec, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || sec < 0 || sec > 1<<40 {
		return id
	}
	zone := time.UTC
	if len(fields) > 1 {
		if n, err := strconv.Atoi(fields[1]); err == nil && n != 0 && n > -10000 && n < 10000 {
			zone = time.FixedZone("", (n/100)*3600+(n%100)*60)
		}
	}
	id.When = time.Unix(sec, 0).In(zone)
	return id
}

// ParseTree parses the content of a tree object. idLen is the length of a
// binary object name, 20 for SHA-1 and 32 for SHA-256.
func ParseTree(data []byte, idLen int) ([]TreeEntry, error) {
	// Names and ids become parts of two strings: histories have many trees.
	text := string(data)
	n := len(text)/(idLen+12) + 1
	entries := make([]TreeEntry, 0, n)
	ids := make([]byte, 0, 2*idLen*n)
	for at := 0; at < len(text); {
		sp := strings.IndexByte(text[at:], ' ')
		if sp < 1 || sp > 7 {
			return nil, errors.New("tree entry has a malformed mode")
		}
		mode, err := strconv.ParseUint(text[at:at+sp], 8, 32)
		if err != nil {
			return nil, errors.New("tree entry has a malformed mode")
		}
		at += sp + 1
		nul := strings.IndexByte(text[at:], 0)
		if nul < 1 || len(text)-at < nul+1+idLen {
			return nil, errors.New("tree entry is cut off")
		}
		entries = append(entries, TreeEntry{Name: text[at : at+nul], Mode: uint32(mode)})
		at += nul + 1
		ids = hex.AppendEncode(ids, data[at:at+idLen])
		at += idLen
	}
	all := string(ids)
	for i := range entries {
		entries[i].ID = all[2*idLen*i : 2*idLen*(i+1)]
	}
	return entries, nil
}

// IsObjectID reports whether s is a full object name, SHA-1 or SHA-256.
func IsObjectID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && isHex(s)
}

// isHex reports whether s consists of lower-case hexadecimal digits alone.
func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// ShortID abbreviates an object name for a message.
func ShortID(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// CheckCommitName accepts 7 to 64 hexadecimal digits, in any case, and returns
// them in lower case.
func CheckCommitName(s string) (string, error) {
	lower := strings.ToLower(s)
	if len(s) < 7 || len(s) > 64 || !isHex(lower) {
		return "", diag.Errorf("fedora/bad-ref", "%q is not a commit name of 7 to 40 hexadecimal digits", s)
	}
	return lower, nil
}

// A notFoundError says that an object, ref or path is not in a repository. It
// matches fs.ErrNotExist.
type notFoundError struct{ what string }

func (e *notFoundError) Error() string        { return e.what + " is not there" }
func (e *notFoundError) Is(target error) bool { return target == fs.ErrNotExist }
