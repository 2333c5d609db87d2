package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/overlay/diag"
)

// filePrependLines puts lines on top of every matching file.
func (r *run) filePrependLines() *diag.Diagnostic {
	files, d := r.matchFiles()
	if d != nil {
		return d
	}
	head := strings.Join(r.op.Lines, "\n") + "\n"
	for _, p := range files {
		old, d := r.content(p)
		if d != nil {
			return d
		}
		r.changeFile(p, slices.Concat([]byte(head), old), 1)
	}
	r.rep.Places = len(files)
	return nil
}

// fileSearchReplace lets the expression see each file as a whole.
func (r *run) fileSearchReplace() *diag.Diagnostic {
	files, d := r.matchFiles()
	if d != nil {
		return d
	}
	m := r.op.matcher()
	matched := false
	for _, p := range files {
		old, d := r.content(p)
		if d != nil {
			return d
		}
		text := string(old)
		if m.must != "" && !strings.Contains(text, m.must) {
			continue
		}
		if d := r.affords(&m, text); d != nil {
			return d
		}
		n := len(m.FindAllStringIndex(text, -1))
		matched = matched || n > 0
		if with := m.replaceString(text); with != text {
			r.changeFile(p, []byte(with), n)
			r.rep.Places += n
		}
	}
	if len(r.rep.Files) > 0 {
		return nil
	}
	names := fmt.Sprintf("%q", files[0])
	if len(files) > 1 {
		names = fmt.Sprintf("the %d files that match %q", len(files), r.op.File)
	}
	if matched {
		d := r.fail("replacement", "overlay/no-change", "what matches %s in %s is already as wanted", quoteRegex(r.op.Regex), names)
		d.Hint = "remove the overlay, or correct its replacement"
		return d
	}
	d = r.fail("regex", "overlay/no-match", "nothing matches %s in %s", quoteRegex(r.op.Regex), names)
	if strings.HasPrefix(r.op.Regex, "^") || strings.HasSuffix(r.op.Regex, "$") {
		d.Hint = "the expression sees the file as a whole: begin it with (?m) for ^ and $ to mean lines"
	}
	return d
}

// fileAdd copies a file into the component.
func (r *run) fileAdd() *diag.Diagnostic {
	r.rep.Places = 1
	return r.addFile(r.op.File)
}

// addFile copies the operation's source to a path that must be free. The mode
// of the source is not kept.
func (r *run) addFile(name string) *diag.Diagnostic {
	dst := path.Clean(name)
	if d := r.mayWrite("file", name, dst); d != nil {
		return d
	}
	if d := r.isFree("file", dst); d != nil {
		return d
	}
	if dir := path.Dir(dst); !r.hasDir(dir) {
		d := r.fail("file", "overlay/file-path", "cannot add %q: the component has no directory %q", dst, dir)
		d.Hint = "overlays create no directories"
		return d
	}
	data := r.op.Data
	if data == nil {
		var d *diag.Diagnostic
		if data, d = r.readSource(); d != nil {
			return d
		}
	}
	mode := fs.FileMode(0o644)
	if r.op.Mode == "0755" {
		mode = 0o755
	}
	r.setFile(dst, NewFile(dst, mode, data, r.origin))
	r.rep.Files = append(r.rep.Files, FileChange{Change: FileAdded, Path: dst})
	return nil
}

func (r *run) readSource() ([]byte, *diag.Diagnostic) {
	if r.opt.Source == nil {
		return nil, r.fail("source", "overlay/source", "source %q cannot be read here", r.op.Source)
	}
	data, _, err := r.opt.Source(r.op.Source)
	if err == nil {
		return data, nil
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		c := *d
		if c.Pos.Line == 0 {
			c.Pos = r.op.At("source")
		}
		c.Message = r.op.Name() + ": " + c.Message
		return nil, &c
	}
	if errors.Is(err, fs.ErrNotExist) {
		d := r.fail("source", "overlay/source", "source file %q does not exist", r.op.Source)
		d.Hint = "`source` is relative to the TOML file that holds the overlay"
		return nil, d
	}
	d := r.fail("source", "overlay/source", "source file %q: %v", r.op.Source, err)
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		d.Message = fmt.Sprintf("%s: source file %q: %v", r.op.Name(), r.op.Source, p.Err)
	}
	d.Env = !errors.Is(err, fs.ErrInvalid)
	return nil, d
}

// fileRemove removes every matching file.
func (r *run) fileRemove() *diag.Diagnostic {
	files, d := r.matchFiles()
	if d != nil {
		return d
	}
	for _, p := range files {
		r.deleteFile(p)
	}
	r.rep.Places = len(files)
	return nil
}

// fileRename gives one file a new name in its directory. Unlike the
// reference it never overwrites another file.
func (r *run) fileRename() *diag.Diagnostic {
	files, d := r.matchFiles()
	if d != nil {
		return d
	}
	if len(files) > 1 {
		d := r.fail("file", "overlay/many-files", "%q matches %d files, but one is needed: %s", r.op.File, len(files), strings.Join(files[:min(len(files), 5)], ", "))
		d.Hint = "narrow the pattern"
		return d
	}
	old := files[0]
	dst := path.Join(path.Dir(old), r.op.Replacement)
	if d := r.mayWrite("replacement", r.op.Replacement, dst); d != nil {
		return d
	}
	if d := r.isFree("replacement", dst); d != nil {
		return d
	}
	f := r.tree.Files[old]
	r.setFile(old, nil)
	r.setFile(dst, f.renamed(dst, r.origin))
	r.rep.Files = append(r.rep.Files, FileChange{Change: FileRenamed, Path: dst, Old: old})
	r.rep.Places = 1
	return nil
}

// mayWrite refuses names outside the component's directory, spec files and
// git's own directory.
func (r *run) mayWrite(key, name, dst string) *diag.Diagnostic {
	switch {
	case name == "" || strings.HasSuffix(name, "/") || dst == "." || strings.ContainsRune(dst, 0):
		return r.fail(key, "overlay/file-path", "%q is no file name", name)
	case path.IsAbs(dst) || dst == ".." || strings.HasPrefix(dst, "../"):
		return r.fail(key, "overlay/file-path", "%q leads outside the component's directory", name)
	case isSpec(dst):
		d := r.fail(key, "overlay/file-path", "%q is a spec file", name)
		d.Hint = "file overlays leave spec files alone; use the spec overlays"
		return d
	case inGit(dst):
		return r.fail(key, "overlay/file-path", "%q belongs to git", name)
	}
	return nil
}

// isFree refuses a path that is taken.
func (r *run) isFree(key, dst string) *diag.Diagnostic {
	f := r.tree.Files[dst]
	if f == nil && dst != path.Base(r.spec.Name()) && !r.hasDir(dst) {
		return nil
	}
	d := r.fail(key, "overlay/file-exists", "%q exists already", dst)
	if f != nil && f.Origin != nil && f.Origin.Pos.Line > 0 {
		d.Related = []diag.Related{{Pos: f.Origin.Pos, Message: "put there by this " + f.Origin.Step}}
	} else if f != nil {
		d.Hint = "upstream has it; remove it first with file-remove, or edit it with file-search-replace"
	}
	return d
}

func isSpec(p string) bool { return path.Ext(p) == ".spec" }

func inGit(p string) bool { return p == ".git" || strings.HasPrefix(p, ".git/") }

func (r *run) deleteFile(p string) {
	r.setFile(p, nil)
	r.rep.Files = append(r.rep.Files, FileChange{Change: FileDeleted, Path: p})
}

func (r *run) changeFile(p string, data []byte, matches int) {
	r.setFile(p, NewFile(p, r.tree.Files[p].Mode, data, r.origin))
	r.rep.Files = append(r.rep.Files, FileChange{Change: FileModified, Path: p, Matches: matches})
}

func (r *run) content(p string) ([]byte, *diag.Diagnostic) {
	data, err := r.tree.Files[p].Bytes()
	if err != nil {
		d := r.fail("file", "overlay/file-content", "%q cannot be read: %v", p, err)
		d.Env = true
		return nil, d
	}
	return data, nil
}

// matchFiles returns the files that the operation's pattern matches, sorted;
// an error when there is none. Spec files and git's own are left out.
func (r *run) matchFiles() ([]string, *diag.Diagnostic) {
	var files []string
	left, _ := matchFile(r.op.File, path.Base(r.spec.Name())) // matches, but is left alone
	for p := range r.tree.Files {
		if ok, err := matchFile(r.op.File, p); !ok || err != nil {
			continue
		}
		if isSpec(p) || inGit(p) {
			left = true
			continue
		}
		files = append(files, p)
	}
	if len(files) > 0 {
		slices.Sort(files)
		return files, nil
	}
	if c := path.Clean(r.op.File); c == ".." || strings.HasPrefix(c, "../") {
		return nil, r.fail("file", "overlay/file-path", "%q leads outside the component's directory", r.op.File)
	}
	d := r.fail("file", "overlay/no-match", "no file matches %q", r.op.File)
	switch {
	case left || isSpec(r.op.File):
		d.Hint = "file overlays leave spec files alone; use the spec overlays"
	case r.tree.Files[path.Clean(r.op.File)] != nil:
		d.Hint = fmt.Sprintf("write it as %q", path.Clean(r.op.File))
	default:
		var names []string
		for p := range r.tree.Files {
			names = append(names, p)
		}
		slices.Sort(names)
		if n := diag.Nearest(r.op.File, names); n != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", n)
		} else if len(names) == 0 {
			d.Hint = "the component has no files beside its spec"
		}
	}
	for _, gone := range slices.Backward(r.applier.rep.Applied) {
		for _, c := range gone.Files {
			from := c.Path
			if c.Change == FileRenamed {
				from = c.Old
			}
			if ok, _ := matchFile(r.op.File, from); ok && (c.Change == FileDeleted || c.Change == FileRenamed) {
				d.Related = append(d.Related, diag.Related{Pos: gone.Origin.Pos, Message: fmt.Sprintf("%q was %s by this %s", from, c.Change, gone.Origin.Step)})
				return nil, d
			}
		}
	}
	return nil, d
}

// unescapeMeta makes escaped wildcards literal and leaves other backslashes.
var unescapeMeta = strings.NewReplacer(`\*`, `*`, `\?`, `?`, `\[`, `[`, `\]`, `]`, `\{`, `{`, `\}`, `}`)

// matchFile reports whether a path matches a doublestar glob. A pattern
// without wildcard is the literal name: backslashes that escape nothing are
// part of it, as in systemd unit names.
func matchFile(pattern, name string) (bool, error) {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*', '?', '[', '{':
			return doublestar.Match(pattern, name)
		case '\\':
			i++
		}
	}
	return unescapeMeta.Replace(pattern) == name, nil
}
