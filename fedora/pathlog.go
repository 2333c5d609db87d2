package fedora

import (
	"context"
	"errors"
)

// A PathChange is one commit in the log of a file.
type PathChange struct {
	Commit string // full name
	Blob   string // the file's blob in that commit; empty when the commit deleted it
}

// PathLog returns, for each file at or below any of paths (slash-separated,
// relative to the top level), what "git log head -- FILE" lists, newest first.
// All files share one child process.
func (r *Repo) PathLog(ctx context.Context, head string, paths ...string) (map[string][]PathChange, error) {
	return nil, errors.New("not there yet")
}
