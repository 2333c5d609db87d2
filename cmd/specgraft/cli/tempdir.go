package cli

import (
	"errors"
	"os"
	"sync"
)

// tempDirs are the temporary directories of a command that are outside of what it
// writes and of its cache, where nobody would remove what a run leaves behind.
type tempDirs struct {
	mu   sync.Mutex
	dirs []string
	over bool
}

// TempDir makes a private temporary directory, which goes away when the command
// ends. Its name begins with specgraft- and what it is for.
func (g *Globals) TempDir(what string) (string, error) {
	t := &g.temps
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return "", errors.New("the command has ended")
	}
	dir, err := os.MkdirTemp("", "specgraft-"+what+"-")
	if err == nil {
		t.dirs = append(t.dirs, dir)
	}
	return dir, err
}

// Abandon removes what nobody would remove after a command that does not end in
// time. The command may be at work still.
func (g *Globals) Abandon() { _ = g.temps.remove() }

// remove removes the directories. What is being written to one of them meanwhile
// fails once it is gone.
func (t *tempDirs) remove() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	var errs []error
	for _, dir := range t.dirs {
		err := os.RemoveAll(dir)
		for tries := 0; err != nil && tries < 3; tries++ { // a file came while it was emptied
			err = os.RemoveAll(dir)
		}
		errs = append(errs, err)
	}
	t.dirs = nil
	return errors.Join(errs...)
}
