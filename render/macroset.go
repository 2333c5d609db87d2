package render

import (
	"context"
	"fmt"
	"sync"

	"specgraft/components"
	"specgraft/fedora/autospec"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// macroSets are the macro sets that distribution versions name, read once.
type macroSets struct{ byPath sync.Map }

// macros returns the set that c's specs are evaluated with where the rendered
// bytes may depend on it: the release and what %autorelease says. It is nil for
// the built-in set. Which files are rendered is decided with the set that the
// reference tool has, whatever the distribution.
func (r *Renderer) macros(c *components.Component) (*macro.Set, error) {
	file, pos := r.Project.MacroSet(c)
	if file == "" {
		return nil, nil
	}
	read, ok := r.macroSets.byPath.Load(file)
	if !ok {
		read, _ = r.macroSets.byPath.LoadOrStore(file, sync.OnceValues(func() (*macro.Set, error) {
			text, _, err := r.sources.open(file)
			if err != nil {
				return nil, &diag.Diagnostic{Pos: pos, Code: "render/macro-set", Message: fmt.Sprintf("the macro set %s cannot be read: %v", r.show(file), diag.Reason(err)),
					Hint: "make it with 'specgraft macros import'"}
			}
			return macro.ParseSet(r.show(file), text)
		}))
	}
	return read.(func() (*macro.Set, error))()
}

// evaluator evaluates the component's spec for %autorelease.
func (r *Renderer) evaluator(ctx context.Context, res *Result) autospec.Evaluator {
	e := autospec.NewEvaluator(macro.Config{Set: res.Macros, Stop: ctx.Done()})
	e.Key += "/" + r.Build
	return e
}
