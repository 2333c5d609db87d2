package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/components/lock"
	"specgraft/components/pin"
	"specgraft/components/schema"
	"specgraft/overlay/diag"
	"specgraft/render/revision"
)

// ToPins plans the conversion of a project whose lock files are in order. The
// options are those that the project was loaded with.
func ToPins(ctx context.Context, p *components.Project, o components.Options) (*Conversion, error) {
	names := p.Names()
	count, done, err := changeCounter(ctx, p, names)
	if err != nil {
		return nil, err
	}
	defer done()
	c := &Conversion{project: p}
	var pins []pin.Change
	for _, name := range names {
		comp, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		l, err := lock.Read(p, name)
		if err != nil {
			return nil, err
		}
		rec := Component{Name: name}
		if rec.ChangesBefore, err = count(comp); err != nil {
			return nil, err
		}
		if comp.IsUpstream() && l != nil && isCommit(l.UpstreamCommit) {
			change, err := pin.Set(p, name, l.UpstreamCommit)
			if err != nil {
				return nil, err
			}
			pins = append(pins, change)
			rec.UpstreamCommit, rec.ChangesAfter = l.UpstreamCommit, 1
		}
		c.release(&rec, comp)
		c.Components = append(c.Components, rec)
	}
	c.pins = pin.NewUpdate(p, pins)
	if c.root, err = p.IncludePins(); err != nil {
		return nil, err
	}
	kept, files, err := committedLocks(ctx, p, o)
	if err != nil {
		return nil, err
	}
	if kept {
		c.remove = files
	} else {
		// They hold what pins do not: nothing is lost that git does not have.
		c.Notes = append(c.Notes, "the lock files are not all committed as they are, so they stay; the profile in "+p.Display(p.File)+" says that they do not count")
		if c.root, err = withProfile(p, c.root, schema.ProfilePins); err != nil {
			return nil, err
		}
	}
	if hand := p.HandPins(); len(hand) > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d component(s) stay pinned by hand, which wins over the generated pin: %s", len(hand), diag.Abridge(hand, 10)))
	}
	return c, nil
}

// isCommit reports whether a lock holds a commit; that of a source package
// holds a checksum.
func isCommit(s string) bool {
	return len(s) >= 7 && len(s) <= 40 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// withProfile sets the profile in the text of the root file.
func withProfile(p *components.Project, text []byte, profile string) ([]byte, error) {
	if text == nil {
		var err error
		if text, err = os.ReadFile(p.File); err != nil {
			return nil, err
		}
	}
	ed, problems := edit.Edit(p.Display(p.File), text)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if err := ed.Set([]string{"project", "specgraft", "profile"}, profile); err != nil {
		return nil, err
	}
	return ed.Bytes(), nil
}

// committedLocks returns the lock files and whether HEAD has all of them as they
// are.
func committedLocks(ctx context.Context, p *components.Project, o components.Options) (bool, []string, error) {
	work, err := os.ReadDir(p.LockDir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil, nil
	}
	if err != nil {
		return false, nil, err
	}
	var files []string
	for _, e := range work {
		if strings.HasSuffix(e.Name(), lock.Suffix) && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(p.LockDir, e.Name()))
		}
	}
	h, err := revision.Open(ctx, p, o)
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Code == "history/none" {
		return false, files, nil
	}
	if err != nil {
		return false, nil, err
	}
	defer h.Close()
	head, err := h.Resolve("HEAD")
	if errors.Is(err, fs.ErrNotExist) {
		return false, files, nil
	}
	if err != nil {
		return false, nil, err
	}
	then, err := head.Locks()
	if err != nil {
		return false, nil, err
	}
	now, err := h.Worktree().Locks()
	if err != nil {
		return false, nil, err
	}
	for name, id := range now {
		if then[name] != id {
			return false, files, nil
		}
	}
	return true, files, nil
}
