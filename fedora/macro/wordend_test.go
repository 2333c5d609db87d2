package macro

import "testing"

func TestWordEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, separators string
		rich             bool
		want             string
	}{
		{"a b", " ", false, "a"},
		{"a,b", " ", false, "a,b"},
		{"a,b", depSeparators, false, "a"},
		{"a\tb", depSeparators, true, "a"},
		{"f(x)) and", " ", true, "f(x)"},
		{"f(x)) and", " ", false, "f(x))"},
		{"a)", depSeparators, true, "a"},
		{"f((x", depSeparators, true, "f((x"},
		{"", " ", true, ""},
	} {
		if got := test.text[:wordEnd(test.text, 0, test.separators, test.rich)]; got != test.want {
			t.Errorf("the word of %q is %q, want %q", test.text, got, test.want)
		}
	}
}
