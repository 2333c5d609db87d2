// Package fuel bounds what the evaluation of one spec may take. A spec comes
// from anybody: how deep a text is nested is bounded before it is parsed, how
// much is computed and written while it is done, and never by the clock, so
// that a slow machine decides as a fast one does. Only being told to stop ends
// an evaluation at a moment of its own.
//
// The bounds are far above what the largest real specs take and are no
// settings.
package fuel

// The bounds of an evaluation.
const (
	// Work is counted for the whole evaluation of a spec, by everything that
	// loops over input: a byte looked at is one unit, as is a step of a simple
	// kind; the others count as what they cost.
	Work = 400_000_000

	Invocations     = 2_000_000 // macros of a spec
	LineInvocations = 100_000   // macros of one line
	MacroDepth      = 64        // nested macros, as in rpm
	Expansion       = 2 << 20   // bytes of one expansion
	Expansions      = 64 << 20  // bytes of all expansions of a spec
	ExpressionDepth = 200       // nested parentheses and branches of %[ ] and %if

	ShellText   = 1 << 20 // bytes of one command
	ShellTokens = 5000    // what can nest in one command: quotes, brackets, operators, reserved words
	ShellSteps  = 10_000  // statements and words of one command
	ShellDepth  = 20      // nested substitutions and groups
	ShellOutput = 1 << 20 // bytes that one command or variable holds

	PatternSteps = 2_000_000 // of the matching of one Lua pattern
	PatternDepth = 200       // of its backtracking
	RegexpText   = 16 << 10  // bytes of one regular expression
	RegexpSize   = 5000      // its instructions with repetitions written out

	LuaTicks  = 20_000_000 // instructions of all Lua code of a spec
	LuaMeta   = 400_000    // the same once the code has touched metatables
	LuaMemory = 64 << 20   // bytes it allocates
	LuaText   = 256 << 10  // bytes of one chunk
	LuaTokens = 50_000     // tokens of one chunk
	LuaDepth  = 190        // nested blocks and brackets and operators that wait; Lua itself takes 200
	LuaChain  = 5000       // calls and indexes behind one another
	LuaNested = 16         // Lua code within macros within Lua code

	ConditionDepth = 1000 // nested %if
	RichDepth      = 100  // nested parentheses of a rich dependency
)

// A Tank is the fuel of one evaluation. The zero value is empty; New fills one.
type Tank struct {
	stop <-chan struct{}
	work int  // left
	look int  // the work left at which stop is looked at again
	cut  bool // told to stop
}

// lookEvery is how much work passes between two looks at the stop channel: some
// milliseconds.
const lookEvery = 1 << 20

// New returns a full tank. The evaluation ends early when stop is closed; nil
// never is.
func New(stop <-chan struct{}) *Tank {
	return &Tank{stop: stop, work: Work, look: Work}
}

// Spend takes n units of work and reports whether there was enough.
func (t *Tank) Spend(n int) bool {
	if n < 0 || n > t.work || t.work == 0 {
		t.work = 0
		return false
	}
	t.work -= n
	if t.work <= t.look {
		t.look = t.work - lookEvery
		select {
		case <-t.stop:
			t.cut = true
			t.work, t.look = 0, -1
			return false
		default:
		}
	}
	return true
}

// Left returns how much work is left.
func (t *Tank) Left() int { return t.work }

// Stopped reports whether the evaluation was told to stop. What it gives then is
// worth nothing.
func (t *Tank) Stopped() bool { return t.cut }
