package macro

import "go/token"

// Eval evaluates the text of a spec file. The name is used for positions only.
// It never panics, never executes anything and ends within the budget;
// whatever is wrong with the text is in Spec.Problems.
func Eval(name string, text []byte, cfg Config) *Spec {
	return &Spec{}
}

// Probe evaluates a spec the way rpmautospec looks at a commit: the text up to
// the line that is %prep alone, and if rpm would reject that, the whole text.
func Probe(name string, text []byte, cfg Config) *Spec {
	return Eval(name, text, cfg)
}

// An Evaluator expands texts one after another in one macro context.
type Evaluator struct {
	cfg Config
}

// New returns an Evaluator.
func New(cfg Config) *Evaluator { return &Evaluator{cfg: cfg} }

// Expand expands text. What it defines stays defined. The position is that of
// the text's first byte, for messages.
func (e *Evaluator) Expand(pos token.Position, text string) Value {
	return Value{}
}
