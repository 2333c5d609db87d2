package macro

// evalShell computes %(…); cmd is the command with its macros expanded.
func (e *Evaluator) evalShell(cmd string) string {
	return e.unknown("the output of the shell command " + excerpt(cmd) + " is not known")
}
