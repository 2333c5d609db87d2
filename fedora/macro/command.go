package macro

import (
	"errors"
	"fmt"
	"strings"

	"specgraft/fedora/macro/shell"
)

// evalShell computes %(…); cmd is the command with its macros expanded. Only
// commands that are functions of their text are computed, by our own
// implementations; everything else is unknown. rpm drops the newlines at the
// end of the output and does not look at the exit status.
func (e *Evaluator) evalShell(cmd string) string {
	if t := taint(cmd); t != "" {
		return t
	}
	out, err := shell.Run(cmd, shell.Env{Read: e.readNamed, Fuel: e.tank, SourceRoot: e.cfg.Set != nil && e.cfg.Set.name == "fedora-43-srpm"})
	if err != nil {
		if !e.work(0, "%("+cmd+")") { // it was the last that the tank had
			return ""
		}
		if errors.Is(err, shell.ErrBudget) {
			e.warn("macro/budget", "%v", err)
		}
		return e.unknown(err.Error())
	}
	text := clean(strings.TrimRight(out, "\n"))
	if !e.grow(len(text)) {
		return ""
	}
	return text
}

// readNamed reads a file of the component by the absolute path that a spec
// names it by.
func (e *Evaluator) readNamed(name string) (string, error) {
	p, ok := e.inside(name)
	if !ok || !strings.HasPrefix(name, "/") {
		return "", fmt.Errorf("it reads the file %s", excerpt(name))
	}
	text, why := e.readFile(p)
	if why != "" {
		return "", fmt.Errorf("it reads the file %s: %s", excerpt(name), why)
	}
	return text, nil
}
