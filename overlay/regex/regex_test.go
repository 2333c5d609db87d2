package regex

import (
	"regexp/syntax"
	"testing"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"abc":                     3,
		"(a?){1000}":              3000,
		"[[:alpha:]]":             1,
		"((a{1,10}){1,10}){1,10}": 1000,
		"a{3,}":                   3,
	} {
		tree, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if got := Size(tree); got < want || got > 4*want {
			t.Errorf("the size of %s is %d, want about %d", text, got, want)
		}
	}
}

// TestSizeIsBounded holds that no nesting of repetitions overflows, which the
// parser refuses but a tree made otherwise may have.
func TestSizeIsBounded(t *testing.T) {
	t.Parallel()
	tree := &syntax.Regexp{Op: syntax.OpLiteral, Rune: []rune{'a'}}
	for range 100 {
		tree = &syntax.Regexp{Op: syntax.OpRepeat, Min: 1000, Max: 1000, Sub: []*syntax.Regexp{tree}}
	}
	if got := Size(tree); got != 1<<20 {
		t.Errorf("size %d, want %d", got, 1<<20)
	}
}

// TestOnce holds that an expression is compiled once, and not before it is used.
func TestOnce(t *testing.T) {
	t.Parallel()
	wrong := Once(`(`)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a wrong expression gave no panic when used")
			}
		}()
		wrong()
	}()
	good := Once(`^a+$`)
	first := good()
	if !first.MatchString("aa") || first != good() {
		t.Error("the expression is not the same one each time")
	}
}
