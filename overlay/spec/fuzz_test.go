package spec_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/spec"
)

func FuzzParse(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := spec.Parse("x.spec", b)
		if !bytes.Equal(s.Bytes(), b) {
			t.Fatalf("Bytes differs from the input")
		}
		n := s.Normalized()
		if len(n) > 0 && n[len(n)-1] != '\n' {
			t.Fatalf("Normalized does not end in LF")
		}
		if s.Len() != spec.Parse("x.spec", n).Len() {
			t.Fatalf("Normalized has another number of lines")
		}
		end := 0
		for i, sec := range s.Sections() {
			if sec.Start != end || sec.End < sec.Body() && i > 0 {
				t.Fatalf("section %d is [%d, %d) behind %d", i, sec.Start, sec.End, end)
			}
			end = sec.End
		}
		if end != s.Len() {
			t.Fatalf("sections end at %d of %d lines", end, s.Len())
		}
	})
}

// FuzzEdit makes random edits. Afterwards the bytes parse into the same lines
// and kinds as the edited document has, and undoing gives back the input.
func FuzzEdit(f *testing.F) {
	for i, s := range samples {
		f.Add([]byte(s), []byte{0, 0, 3, 1, byte(i), 2, 2, 1, 9, 3, 0, 0, 9, 9, 9, 1, 7, 8})
	}
	texts := []string{"", "x", "%build", "Tag: v", "a\nb", "a\r\nb\r", "\n", "\r", "%package -n x\nTag: v\n", "\xff", "%if 1", "%endif\n"}
	f.Fuzz(func(t *testing.T, b, edits []byte) {
		s := spec.Parse("x.spec", b)
		o := &spec.Origin{Step: "fuzz"}
		for ; len(edits) >= 3; edits = edits[3:] {
			text := texts[int(edits[2])%len(texts)]
			i := 0
			if n := s.Len(); n > 0 {
				i = int(edits[1]) * n / 256
			}
			all := make([]int, 0, s.Len()+1)
			for k := i % 3; k < s.Len(); k += 1 + int(edits[2])%3 {
				all = append(all, k)
			}
			switch op := edits[0] % 12; {
			case op == 0 || s.Len() == 0:
				s.InsertBefore(i, o, text)
			case op == 1:
				s.InsertAfter(i, o, text, text)
			case op == 2:
				s.InsertAfter(s.Len()-1, o, text)
			case op < 5:
				s.Replace(i, o, text)
			case op == 5:
				s.Delete(i, o)
			case op == 6:
				s.DeleteRange(i, min(i+3, s.Len()), o)
			case op == 7:
				s.DeleteLines(all, o)
			case op == 8:
				s.InsertAt(append(all, s.Len()), o, text)
			case op == 9:
				var ranges []spec.Range
				for n, k := range all {
					r := spec.Range{Start: k, End: min(k+n%3, s.Len()), Text: []string{text, s.Line(k).Text}[:1+n%2]}
					if len(ranges) == 0 || ranges[len(ranges)-1].End <= k {
						ranges = append(ranges, r)
					}
				}
				s.Rewrite(ranges, o)
			default:
				s.Reclassify()
			}
		}
		s.Reclassify()
		again := spec.Parse("x.spec", s.Bytes())
		if d := cmp.Diff(view(again), view(s)); d != "" {
			t.Fatalf("the view of the edited file is not that of its bytes (-bytes +edited):\n%s", d)
		}
		if !bytes.Equal(again.Normalized(), s.Normalized()) {
			t.Fatalf("normalised bytes differ")
		}
		for i := range s.Len() {
			if a, b := s.Line(i), again.Line(i); a.Text != b.Text || a.EOL != b.EOL {
				t.Fatalf("line %d is %q %q, parsed anew %q %q", i, a.Text, a.EOL, b.Text, b.EOL)
			}
		}
		var texts []string
		for before := spec.Parse("x.spec", b); len(texts) < before.Len(); {
			texts = append(texts, before.Line(len(texts)).Text)
		}
		texts = spec.Replay(texts, s.Log(), func(e *spec.Edit, old []string) []string {
			for k := range old {
				if old[k] != e.Old[k].Text {
					t.Fatalf("replayed %q where %q stood", old[k], e.Old[k].Text)
				}
			}
			var now []string
			for k := range e.New {
				now = append(now, e.New[k].Text)
			}
			return now
		})
		for i := range s.Len() {
			if len(texts) != s.Len() || texts[i] != s.Line(i).Text {
				t.Fatalf("replay gives %q", texts)
			}
		}
		wholeUpstream(t, s, spec.Parse("x.spec", b).Len())
		s.Undo(0)
		if !bytes.Equal(s.Bytes(), b) {
			t.Fatalf("undo gives %q, want %q", s.Bytes(), b)
		}
		if d := cmp.Diff(view(spec.Parse("x.spec", b)), view(s)); d != "" {
			t.Fatalf("undo leaves another view:\n%s", d)
		}
	})
}

// wholeUpstream puts the removed lines back where they stood and finds the
// numbers of the file as read from 1 to n.
func wholeUpstream(t *testing.T, s *spec.File, n int) {
	t.Helper()
	var nums []int
	gone := s.Removed()
	for i := 0; i <= s.Len(); i++ {
		for _, r := range gone {
			if r.Before == i {
				nums = append(nums, r.Num)
			}
		}
		if i < s.Len() && s.Line(i).Num > 0 {
			nums = append(nums, s.Line(i).Num)
		}
	}
	for i := range nums {
		if nums[i] != i+1 {
			t.Fatalf("line %d where %d should stand: %v", nums[i], i+1, nums)
		}
	}
	if len(nums) != n {
		t.Fatalf("%d of %d lines are accounted for", len(nums), n)
	}
}
