package rebase

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"

	"specgraft/components/edit"
	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// JournalName is the file in the project's directory that says which edits are
// under way. It is there only while files are being written: whoever finds it
// can carry the edits on or take them back.
const JournalName = ".specgraft-rebase.json"

// maxJournal bounds a journal, which has the files of one rebase in it, and each of
// these.
const maxJournal = 256 << 20

// A journal holds edits that belong together.
type journal struct {
	Version int           `json:"version"`
	Command string        `json:"command"`
	Files   []journalFile `json:"files"`
}

type journalFile struct {
	Path   string `json:"path"` // slash path below the top of the project's repository
	Before []byte `json:"before"`
	After  []byte `json:"after"`
	Remove bool   `json:"remove,omitempty"`
}

func filePos(path string) token.Position { return token.Position{Filename: path} }

func journalProblem(path string, err error) error {
	return &diag.Diagnostic{Pos: filePos(path), Code: "rebase/write", Message: diag.Reason(err).Error(), Env: true}
}

// Write makes edits of several files. Every file is replaced at once, and what
// is under way is noted down first: after a kill at any point each file is old
// or new, and Resume or Abort brings the rest in line. Nothing is written when a
// file has changed since the project was loaded.
//
// Files lie below root, which holds the project's directory dir; a journal that
// names others is refused.
func Write(dir, root, command string, edits []FileEdit) error {
	if len(edits) == 0 {
		return nil
	}
	if Interrupted(dir) {
		return interrupted(dir)
	}
	if err := unchanged(edits); err != nil {
		return err
	}
	j := &journal{Version: 1, Command: command}
	for _, e := range edits {
		p := e.Path
		if rel, err := filepath.Rel(root, p); err == nil && filepath.IsLocal(rel) {
			p = filepath.ToSlash(rel)
		}
		j.Files = append(j.Files, journalFile{p, e.Before, e.After, e.After == nil})
	}
	data, err := json.MarshalIndent(j, "", " ")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, JournalName)
	if err := edit.WriteFile(file, append(data, '\n')); err != nil {
		return journalProblem(file, err)
	}
	return j.run(dir, root, false)
}

// Interrupted reports whether edits were begun and not finished.
func Interrupted(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, JournalName))
	return err == nil
}

func interrupted(dir string) error {
	return &diag.Diagnostic{Pos: filePos(JournalName), Code: "rebase/interrupted", Message: "an earlier command was interrupted while it wrote configuration files",
		Hint: "`specgraft rebase --continue` carries it on, `specgraft rebase --abort` takes it back"}
}

// Check returns an error when edits were begun and not finished.
func Check(dir string) error {
	if Interrupted(dir) {
		return interrupted(dir)
	}
	return nil
}

// Resume carries interrupted edits on, or takes them back. It returns the files
// that it wrote. Nothing is written when any of the files is neither as it was
// nor as it is to be.
func Resume(dir, root string, back bool) ([]string, error) {
	file := filepath.Join(dir, JournalName)
	data, err := cache.ReadBounded(file, maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &diag.Diagnostic{Code: "rebase/not-interrupted", Message: "no rebase was interrupted here"}
	}
	if err != nil {
		return nil, journalProblem(file, err)
	}
	var j journal
	if err := json.Unmarshal(data, &j); err != nil || j.Version != 1 {
		return nil, &diag.Diagnostic{Pos: filePos(JournalName), Code: "rebase/interrupted", Message: "the journal cannot be read",
			Hint: "remove it, and look with version control what was written"}
	}
	var written []string
	for _, f := range j.Files {
		written = append(written, f.Path)
	}
	return written, j.run(dir, root, back)
}

// run brings all files of the journal to one side, and removes it.
func (j *journal) run(dir, root string, back bool) error {
	var list diag.List
	todo := make([]bool, len(j.Files))
	for i, f := range j.Files {
		p := filepath.Join(root, filepath.FromSlash(f.Path))
		if !within(root, f.Path) {
			list.Add(filePos(f.Path), "rebase/interrupted", "the journal names a file outside of the project")
			continue
		}
		now, err := cache.ReadBounded(p, maxJournal)
		gone := errors.Is(err, fs.ErrNotExist)
		if err != nil && !gone {
			return journalProblem(p, err)
		}
		isOld := !gone && bytes.Equal(now, f.Before)
		isNew := gone && f.Remove || !gone && !f.Remove && bytes.Equal(now, f.After)
		if !isOld && !isNew {
			d := list.Add(filePos(f.Path), "rebase/changed", "the file has changed on disk meanwhile; no file was touched")
			d.Hint = fmt.Sprintf("put it back as it was before `%s` or as that left it; or remove %s to keep all as it is", j.Command, JournalName)
		}
		todo[i] = isOld && !back || isNew && back
	}
	if err := list.Err(); err != nil {
		return err
	}
	for i, f := range j.Files {
		if !todo[i] {
			continue
		}
		p := filepath.Join(root, filepath.FromSlash(f.Path))
		var err error
		switch {
		case !back && f.Remove:
			err = os.Remove(p)
		case back:
			err = edit.WriteFile(p, f.Before)
		default:
			err = edit.WriteFile(p, f.After)
		}
		if err != nil {
			return journalProblem(p, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, JournalName)); err != nil {
		return journalProblem(filepath.Join(dir, JournalName), err)
	}
	return nil
}

// within reports whether a slash path leads to a place below root, also through
// symbolic links.
func within(root, p string) bool {
	if !filepath.IsLocal(filepath.FromSlash(p)) {
		return false
	}
	top, err := filepath.EvalSymlinks(root)
	if err != nil {
		return false
	}
	at := filepath.Join(root, filepath.FromSlash(p))
	if real, err := filepath.EvalSymlinks(at); err == nil {
		at = real
	} else if real, err := filepath.EvalSymlinks(filepath.Dir(at)); err == nil {
		at = filepath.Join(real, filepath.Base(at))
	}
	rel, err := filepath.Rel(top, at)
	return err == nil && filepath.IsLocal(rel)
}
