package fuel

import "strconv"

// A Limit is one of the bounds as the help shows it.
type Limit struct {
	Of    string `json:"of"`    // what is bounded
	Bound int    `json:"bound"` // the largest number that is still fine
	Unit  string `json:"unit"`
	Then  string `json:"then"` // what happens beyond it
}

// String writes the bound with its unit.
func (l Limit) String() string {
	n := strconv.Itoa(l.Bound)
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n + " " + l.Unit
}

const (
	ends    = "the evaluation of the spec ends with macro/budget"
	rejects = "rpm's limit, too: macro/recursion"
	unknown = "the output is not known, with a warning macro/budget"
	refused = "an error at its place"
)

// Limits lists the bounds in the order of what they are about.
func Limits() []Limit {
	return []Limit{
		{"an evaluation", Work, "units of work, a unit being a byte looked at or a simple step", ends},
		{"an evaluation", Invocations, "macro invocations", ends},
		{"an evaluation", Expansions, "bytes expanded", ends},
		{"a line", LineInvocations, "macro invocations", ends},
		{"an expansion", Expansion, "bytes", ends},
		{"macros", MacroDepth, "nested invocations", rejects},
		{"%[ ] and %if", ExpressionDepth, "nested parentheses and branches", refused},
		{"%if", ConditionDepth, "nested conditions", refused},
		{"rich dependencies", RichDepth, "nested parentheses", refused},
		{"%(...)", ShellText, "bytes of a command", unknown},
		{"%(...)", ShellTokens, "quotes, brackets, operators and reserved words", unknown},
		{"%(...)", ShellSteps, "statements and words", unknown},
		{"%(...)", ShellDepth, "nested substitutions and groups", unknown},
		{"%(...)", ShellOutput, "bytes of output, and of one variable", unknown},
		{"regular expressions", RegexpText, "bytes", unknown},
		{"regular expressions", RegexpSize, "instructions, repetitions written out", unknown},
		{"%{gsub}", PatternSteps, "steps of the matching", ends},
		{"%{gsub}", PatternDepth, "levels of backtracking", ends},
		{"%{lua:}", LuaTicks, "instructions of all code of a spec", unknown},
		{"%{lua:}", LuaMeta, "instructions of code that touches metatables", unknown},
		{"%{lua:}", LuaMemory, "bytes allocated by all code of a spec", unknown},
		{"%{lua:}", LuaText, "bytes of one chunk", unknown},
		{"%{lua:}", LuaTokens, "tokens of one chunk", unknown},
		{"%{lua:}", LuaDepth, "nested blocks, brackets and waiting operators", unknown},
		{"%{lua:}", LuaChain, "calls and indexes behind one another", unknown},
		{"%{lua:}", LuaNested, "levels of Lua code within macros within Lua code", unknown},
	}
}
