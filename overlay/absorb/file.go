package absorb

import (
	"bytes"
	"fmt"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"specgraft/overlay"
)

// pending are the files that the goal has and the tree has not, and the other
// way round.
type pending struct {
	add    map[string]*overlay.File
	remove map[string]*overlay.File
}

// files compares the files of both trees. What a patch operation may do is
// left for the search in the spec; the rest is done by leftFiles.
func (s *search) files() error {
	s.pending = pending{map[string]*overlay.File{}, map[string]*overlay.File{}}
	for p, f := range s.tree.Files {
		if s.goal.Files[p] == nil {
			s.pending.remove[p] = f
		}
	}
	var changed []string
	for p, f := range s.goal.Files {
		old := s.tree.Files[p]
		if old == nil {
			s.pending.add[p] = f
			continue
		}
		same, err := sameFile(old, f)
		if err != nil {
			return err
		}
		if !same {
			changed = append(changed, p)
		}
	}
	slices.Sort(changed)
	for _, p := range changed {
		if err := s.changedFile(p); err != nil {
			return err
		}
	}
	return s.renamedFiles()
}

// sameFile reports whether two files have the same content and are both
// executable or both not.
func sameFile(a, b *overlay.File) (bool, error) {
	if a == b {
		return true, nil
	}
	if a.Size() != b.Size() || (a.Mode&0o111 == 0) != (b.Mode&0o111 == 0) {
		return false, nil
	}
	x, err := a.Bytes()
	if err != nil {
		return false, fmt.Errorf("%s: %w", a.Path, err)
	}
	y, err := b.Bytes()
	if err != nil {
		return false, fmt.Errorf("%s: %w", b.Path, err)
	}
	return bytes.Equal(x, y), nil
}

// renamedFiles finds files that have another name in the same directory.
func (s *search) renamedFiles() error {
	for _, to := range slices.Sorted(maps.Keys(s.pending.add)) {
		for _, from := range slices.Sorted(maps.Keys(s.pending.remove)) {
			f, g := s.pending.remove[from], s.pending.add[to]
			if path.Dir(from) != path.Dir(to) || f.Size() == 0 {
				continue
			}
			same, err := sameFile(f, g)
			if err != nil {
				return err
			}
			if same && s.takeFile(overlay.Op{Type: overlay.FileRename, File: escapeGlob(from), Replacement: path.Base(to)}) {
				delete(s.pending.remove, from)
				delete(s.pending.add, to)
				break
			}
		}
	}
	return nil
}

// leftFiles adds and removes what no patch operation took along.
func (s *search) leftFiles() error {
	for _, p := range slices.Sorted(maps.Keys(s.pending.remove)) {
		if s.takeFile(overlay.Op{Type: overlay.FileRemove, File: escapeGlob(p)}) {
			continue
		}
		s.fileProblem(p, "%s cannot be removed by an overlay", p)
	}
	for _, p := range slices.Sorted(maps.Keys(s.pending.add)) {
		f := s.pending.add[p]
		data, err := f.Bytes()
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		if op := addOp(overlay.FileAdd, p, f, data); s.takeFile(op) {
			continue
		}
		s.fileProblem(p, "%s cannot be added by an overlay", p)
	}
	return nil
}

func (s *search) fileProblem(p, format string, args ...any) {
	d := s.res.Problems.Add(token.Position{Filename: p}, "absorb/file", format, args...)
	d.Hint = "overlays create no directories and leave spec files alone"
}

// addOp copies a file into the component. Source is the path that the file is
// to have beside the overlay; the content comes along.
func addOp(t overlay.Type, p string, f *overlay.File, data []byte) overlay.Op {
	if data == nil {
		data = []byte{}
	}
	op := overlay.Op{Type: t, File: p, Source: p, Data: data}
	if f.Mode&0o111 != 0 {
		op.Mode = "0755"
	}
	if t == overlay.PatchAdd {
		op.File = ""
	}
	return op
}

// takeFile applies an operation on files and adds it to the result.
func (s *search) takeFile(op overlay.Op) bool {
	if !s.writable(&op) {
		return false
	}
	t, ok := s.apply(op)
	if !ok {
		return false
	}
	s.res.Steps = append(s.res.Steps, Step{Op: op, Kind: kindOf(&op), Places: t.places})
	return true
}

// changedFile finds operations that give a file its new content.
func (s *search) changedFile(p string) error {
	old, err := s.tree.Files[p].Bytes()
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	f := s.goal.Files[p]
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	sameMode := (s.tree.Files[p].Mode&0o111 == 0) == (f.Mode&0o111 == 0)
	if sameMode && utf8.Valid(old) && utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 && len(old) < 4<<20 {
		if head, ok := bytes.CutSuffix(data, old); ok && bytes.HasSuffix(head, []byte("\n")) && len(head) < 4<<10 {
			lines := strings.Split(strings.TrimSuffix(string(head), "\n"), "\n")
			if s.takeFile(overlay.Op{Type: overlay.FilePrependLines, File: escapeGlob(p), Lines: lines}) {
				return nil
			}
		}
		if ops := fileExpressions(escapeGlob(p), string(old), string(data)); len(ops) > 0 && s.takeFiles(p, ops, data) {
			return nil
		}
	}
	s.takeFile(overlay.Op{Type: overlay.FileRemove, File: escapeGlob(p)})
	if !s.takeFile(addOp(overlay.FileAdd, p, f, data)) {
		s.fileProblem(p, "%s cannot be replaced by an overlay", p)
	}
	return nil
}

// takeFiles applies operations on one file if they give it the content.
func (s *search) takeFiles(p string, ops []overlay.Op, data []byte) bool {
	steps, files := len(s.res.Steps), maps.Clone(s.tree.Files)
	for _, op := range ops {
		if !s.takeFile(op) {
			s.res.Steps, s.tree.Files = s.res.Steps[:steps], files
			return false
		}
	}
	if got, err := s.tree.Files[p].Bytes(); err != nil || !bytes.Equal(got, data) {
		s.res.Steps, s.tree.Files = s.res.Steps[:steps], files
		return false
	}
	return true
}

// maxFileHunks and maxFileLines bound what is said by expressions; larger
// changes become a new file.
const (
	maxFileHunks = 6
	maxFileLines = 40
)

// fileExpressions returns expressions that turn one text into the other, or
// nil when there would be many.
func fileExpressions(pattern, old, new string) []overlay.Op {
	set := lineSet{}
	number := func(text string) (ids []int32, lines []string) {
		lines = strings.Split(text, "\n")
		for _, l := range lines {
			ids = append(ids, set.number(l))
		}
		return ids, lines
	}
	have, oldLines := number(old)
	want, newLines := number(new)
	hunks := compare(have, want)
	if op, ok := oneWord(pattern, hunks, oldLines, newLines); ok {
		return []overlay.Op{op}
	}
	if len(hunks) > maxFileHunks || distance(hunks) > maxFileLines {
		return nil
	}
	var ops []overlay.Op
	for _, h := range slices.Backward(hunks) { // so that places above stay as they are
		v, ok := uniqueIn(have, h)
		if !ok {
			return nil
		}
		regex, _ := linesRegex(oldLines[v.oldStart:v.oldEnd], v.newStart == v.newEnd)
		if !strings.HasPrefix(regex, "(?m)") {
			regex = "(?m)" + regex
		}
		ops = append(ops, overlay.Op{Type: overlay.FileSearchReplace, File: pattern, Regex: regex, Replacement: strings.Join(newLines[v.newStart:v.newEnd], "\n")})
	}
	slices.Reverse(ops)
	return ops
}

// uniqueIn widens a difference until its old lines stand once in the text.
func uniqueIn(have []int32, h hunk) (hunk, bool) {
	for n := range maxContext + 1 {
		for up := n; up >= 0; up-- {
			v := hunk{h.oldStart - up, h.oldEnd + n - up, h.newStart - up, h.newEnd + n - up}
			if v.oldStart < 0 || v.oldEnd > len(have) || v.oldStart == v.oldEnd {
				continue
			}
			lines, times := have[v.oldStart:v.oldEnd], 0
			for i := 0; i+len(lines) <= len(have) && times < 2; i++ {
				if slices.Equal(have[i:i+len(lines)], lines) {
					times++
				}
			}
			if times == 1 {
				return v, true
			}
		}
	}
	return hunk{}, false
}

// oneWord returns the expression for a text in which one word is replaced
// wherever it stands.
func oneWord(pattern string, hunks []hunk, old, new []string) (overlay.Op, bool) {
	tok, with := "", ""
	for _, h := range hunks {
		if h.oldEnd-h.oldStart != h.newEnd-h.newStart {
			return overlay.Op{}, false
		}
		for i := range h.oldEnd - h.oldStart {
			a, b := old[h.oldStart+i], new[h.newStart+i]
			if tok == "" {
				l := commonPrefix(a, b)
				r := len(a) - commonSuffix(a[l:], b[l:])
				l, r = wordStart(a, l), wordEnd(a, r)
				tok, with = a[l:r], b[l:len(b)-(len(a)-r)]
			}
			if strings.TrimSpace(tok) == "" || strings.ReplaceAll(a, tok, with) != b {
				return overlay.Op{}, false
			}
		}
	}
	if tok == "" || strings.ReplaceAll(strings.Join(old, "\n"), tok, with) != strings.Join(new, "\n") {
		return overlay.Op{}, false
	}
	return overlay.Op{Type: overlay.FileSearchReplace, File: pattern, Regex: quoteMeta(tok), Replacement: with}, true
}

// escapeGlob writes a file name as a pattern that matches it alone.
func escapeGlob(name string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(name)
}

// patchFor returns the operation that lists a new patch and brings its file.
func (s *search) patchFor(tag, value string) (overlay.Op, bool) {
	f := s.pending.add[value]
	if f == nil || tag != "" && !strings.HasPrefix(strings.ToLower(tag), "patch") {
		return overlay.Op{}, false
	}
	data, err := f.Bytes()
	if err != nil {
		return overlay.Op{}, false
	}
	return addOp(overlay.PatchAdd, value, f, data), true
}

// patchGone returns the operation that removes a patch and its file.
func (s *search) patchGone(value string) (overlay.Op, bool) {
	name := path.Base(value)
	if s.pending.remove[name] == nil || strings.ContainsAny(name, `*?[]{}\`) {
		return overlay.Op{}, false
	}
	return overlay.Op{Type: overlay.PatchRemove, File: "**/" + name}, true
}

// filesFit reports whether an operation changed only files that differ, and
// the way the goal has them; what it did is no longer pending.
func (s *search) filesFit(before map[string]*overlay.File) bool {
	var done []string
	for p := range before {
		if s.tree.Files[p] == nil {
			if s.pending.remove[p] == nil {
				return false
			}
			done = append(done, p)
		}
	}
	for p, f := range s.tree.Files {
		if before[p] == f {
			continue
		}
		want := s.pending.add[p]
		if want == nil {
			return false
		}
		if same, err := sameFile(f, want); err != nil || !same {
			return false
		}
		done = append(done, p)
	}
	for _, p := range done {
		delete(s.pending.remove, p)
		delete(s.pending.add, p)
	}
	return true
}
