package overlay

import "testing"

func TestExpectPlaces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		op     Op
		places int
		want   int // 0 for none
	}{
		{Op{Type: SearchReplace}, 2, 2},
		{Op{Type: SearchReplace}, 0, 0},
		{Op{Type: AddTag}, 1, 0},
		{Op{Type: FileRename}, 1, 0},
		{Op{Type: AppendLines}, 1, 0},
		{Op{Type: AppendLines, Section: "%build"}, 3, 3},
	} {
		test.op.ExpectPlaces(test.places)
		got := 0
		if test.op.Expect != nil {
			got = *test.op.Expect
		}
		if got != test.want {
			t.Errorf("%s in section %q with %d places expects %d, want %d", test.op.Type, test.op.Section, test.places, got, test.want)
		}
	}
}
