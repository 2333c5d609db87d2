package macro

// evalLua computes %{lua:…}; text is the code as it stands.
func (e *Evaluator) evalLua(text string) string {
	return e.unknown("Lua code is not evaluated")
}
