package upstream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/components/lock"
	"specgraft/components/pin"
	"specgraft/components/schema"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render"
	"specgraft/render/revision"
)

// convertRecord is one component in the output of update --convert.
type convertRecord struct {
	Component      string `json:"component"`
	UpstreamCommit string `json:"upstreamCommit,omitempty"`
	// Changes of the component that make releases, before and, once the
	// result is committed, after; and the release that follows where it is a
	// number that is raised by them.
	ChangesBefore int    `json:"changesBefore"`
	ChangesAfter  int    `json:"changesAfter"`
	ReleaseBefore string `json:"releaseBefore,omitempty"`
	ReleaseAfter  string `json:"releaseAfter,omitempty"`
}

// A conversion is what update --convert does.
type conversion struct {
	before, after *components.Project // after is before with other options
	records       []convertRecord
	root          []byte // new text of the root file, nil when it stays
	pins          *pin.Update
	locks         *lock.Update
	remove        []string // files
	notes         []string
}

// runConvert turns a project with lock files into one with pins, or back.
func runConvert(ctx context.Context, g *cli.Globals, format string, check bool, pinsDir string) error {
	// What the flag says is what the project is to become.
	want := g.WithoutLock.Value
	g.WithoutLock.Value = nil
	p, err := g.Load()
	if err != nil {
		return err
	}
	if want != nil && *want == p.WithoutLocks {
		g.Note("nothing to convert: the profile of the project is %s (%s)", p.Profile, p.ProfileReason)
		return nil
	}
	if pinsDir != "" {
		if p.PinsDir = pinsDir; !filepath.IsAbs(pinsDir) {
			p.PinsDir = filepath.Join(p.Dir, pinsDir)
		}
	}
	var c *conversion
	if p.WithoutLocks {
		c, err = toLocks(ctx, g, p)
	} else {
		c, err = toPins(ctx, g, p)
	}
	if err != nil {
		return err
	}
	list := cli.NewRecords(g.Stdout, format, []cli.Column[convertRecord]{
		{Title: "COMPONENT", Cell: func(r convertRecord) string { return r.Component }},
		{Title: "UPSTREAM COMMIT", Cell: func(r convertRecord) string { return r.UpstreamCommit }},
		{Title: "CHANGES", Cell: func(r convertRecord) string { return fmt.Sprintf("%d -> %d", r.ChangesBefore, r.ChangesAfter) }},
		{Title: "RELEASE", Cell: func(r convertRecord) string {
			if r.ReleaseBefore == "" {
				return ""
			}
			return r.ReleaseBefore + " -> " + r.ReleaseAfter
		}},
	})
	differ := 0
	for _, rec := range c.records {
		if rec.ChangesBefore != rec.ChangesAfter {
			differ++
		} else if format == "table" && !g.Verbose {
			continue
		}
		if err := list.Write(rec); err != nil {
			return err
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	g.Note("%d components, of %d the release numbers change once the result is committed", len(c.records), differ)
	for _, n := range c.notes {
		g.Say("%s", n)
	}
	if check {
		return cli.ExitError(cli.ExitDrift)
	}
	return c.write(g)
}

// write makes the conversion. What takes the place of something is written
// before that is removed.
func (c *conversion) write(g *cli.Globals) error {
	if c.pins != nil {
		if err := c.pins.Write(); err != nil {
			return err
		}
	}
	if c.locks != nil {
		if err := c.locks.Write(); err != nil {
			return err
		}
	}
	if c.root != nil {
		if err := edit.WriteFile(c.before.File, c.root); err != nil {
			return &diag.Diagnostic{Code: "pin/write", Env: true, Message: fmt.Sprintf("cannot write %s: %v", c.before.Display(c.before.File), err)}
		}
	}
	for _, f := range c.remove {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &diag.Diagnostic{Code: "pin/write", Env: true, Message: fmt.Sprintf("cannot remove %s: %v", c.before.Display(f), err)}
		}
	}
	for _, f := range c.remove {
		_ = os.Remove(filepath.Dir(f)) // when it is empty
	}
	again, problems := components.Load(g.LoadOptions())
	g.Report(problems)
	if again != nil {
		g.Note("the profile of the project is %s now (%s); commit the result and render all components", again.Profile, again.ProfileReason)
	}
	return problems.Err()
}

// toPins plans the conversion of a project with lock files.
func toPins(ctx context.Context, g *cli.Globals, p *components.Project) (*conversion, error) {
	names := p.Names()
	if problems := lock.Validate(p, names, true); problems.HasErrors() {
		g.Say("the lock files must be in order before they are converted; run 'specgraft update -a'")
		return nil, problems.Err()
	}
	count, done, err := changeCounter(ctx, g, p, names)
	if err != nil {
		return nil, err
	}
	defer done()
	c := &conversion{before: p}
	var pins []pin.Change
	var commit string
	for _, name := range names {
		comp, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		l, err := lock.Read(p, name)
		if err != nil {
			return nil, err
		}
		rec := convertRecord{Component: name}
		if rec.ChangesBefore, err = count(comp); err != nil {
			return nil, err
		}
		if comp.IsUpstream() && l != nil && isCommit(l.UpstreamCommit) {
			commit = l.UpstreamCommit
			change, err := pin.Set(p, name, commit)
			if err != nil {
				return nil, err
			}
			pins = append(pins, change)
			rec.UpstreamCommit, rec.ChangesAfter = commit, 1
		}
		c.release(&rec, comp)
		c.records = append(c.records, rec)
	}
	c.pins = pin.NewUpdate(p, pins)
	if c.root, err = p.IncludePins(); err != nil {
		return nil, err
	}
	kept, files, err := committedLocks(ctx, g, p)
	if err != nil {
		return nil, err
	}
	if kept {
		c.remove = files
	} else {
		// They hold what pins do not: nothing is lost that git does not have.
		c.notes = append(c.notes, "the lock files are not all committed as they are, so they stay; the profile in "+p.Display(p.File)+" says that they do not count")
		if c.root, err = withProfile(p, c.root, schema.ProfilePins); err != nil {
			return nil, err
		}
	}
	if hand := p.HandPins(); len(hand) > 0 {
		c.notes = append(c.notes, fmt.Sprintf("%d component(s) stay pinned by hand, which wins over the generated pin: %s", len(hand), diag.Abridge(hand, 10)))
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
func committedLocks(ctx context.Context, g *cli.Globals, p *components.Project) (bool, []string, error) {
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
	h, err := g.OpenHistory(ctx, p)
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Code == "history/none" {
		return false, files, nil
	}
	if err != nil {
		return false, nil, err
	}
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

// changeCounter returns a function that counts a component's own changes as a
// render of the project would.
func changeCounter(ctx context.Context, g *cli.Globals, p *components.Project, names []string) (func(*components.Component) (int, error), func(), error) {
	r := &render.Renderer{Project: p, SkipLockValidation: true}
	if problems := r.Prepare(ctx, names, false); problems.HasErrors() {
		return nil, nil, problems.Err()
	}
	count := func(c *components.Component) (int, error) {
		changes, err := r.Changes(ctx, c)
		return len(changes), err
	}
	return count, func() { _ = r.Close() }, nil
}

// release fills in the release numbers of a component whose rendered spec has
// one that changes raise.
func (c *conversion) release(rec *convertRecord, comp *components.Component) {
	if calc := comp.Release.Calculation; calc != "auto" && calc != "static" {
		return
	}
	path := filepath.Join(c.before.RenderedDir, filepath.FromSlash(render.ComponentDir(comp.Name)), comp.Name+".spec")
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	value := ""
	for t := range spec.Parse("", data).Tags() {
		if t.Section > 0 {
			break
		}
		if strings.EqualFold(t.Name, "Release") {
			value = t.Value
		}
	}
	digits := value[:len(value)-len(strings.TrimLeft(value, "0123456789"))]
	if digits == "" || len(digits) > 9 || strings.Contains(value, "autorelease") {
		return
	}
	n := 0
	fmt.Sscan(digits, &n)
	rec.ReleaseBefore = value
	rec.ReleaseAfter = fmt.Sprint(n+rec.ChangesAfter-rec.ChangesBefore) + value[len(digits):]
}

// toLocks plans the conversion of a project with pins.
func toLocks(ctx context.Context, g *cli.Globals, p *components.Project) (*conversion, error) {
	names := p.Names()
	count, done, err := changeCounter(ctx, g, p, names)
	if err != nil {
		return nil, err
	}
	defer done()
	o := g.LoadOptions()
	with := false
	o.IgnorePins, o.WithoutLocks, o.Profile = true, &with, ""
	after, problems := components.Load(o)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	c := &conversion{before: p, after: after}
	h, err := g.OpenHistory(ctx, p)
	if d, ok := errors.AsType[*diag.Diagnostic](err); err != nil && (!ok || d.Code != "history/none") {
		return nil, err
	}
	commits := map[string]string{}
	var unpinned []string
	for _, name := range names {
		comp, problems := p.Component(name)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		rec := convertRecord{Component: name, UpstreamCommit: comp.Spec.UpstreamCommit}
		if rec.ChangesBefore, err = count(comp); err != nil {
			return nil, err
		}
		if comp.IsUpstream() && rec.UpstreamCommit == "" {
			unpinned = append(unpinned, name)
		}
		commits[name] = rec.UpstreamCommit
		c.records = append(c.records, rec)
	}
	if len(unpinned) > 0 {
		return nil, &diag.Diagnostic{Code: "pin/unresolved",
			Message: fmt.Sprintf("%d component(s) have no pin that could become a lock: %s", len(unpinned), diag.Abridge(unpinned, 10)),
			Hint:    "run `specgraft update -a` first"}
	}
	old, err := formerLocks(p, after, h)
	if err != nil {
		return nil, err
	}
	c.locks, problems = lock.Take(after, commits, func(name string) *lock.Lock { return old[name].lock })
	if problems.HasErrors() {
		return nil, problems.Err()
	}
	for i := range c.records {
		rec := &c.records[i]
		comp, _ := after.Component(rec.Component)
		f := old[rec.Component]
		rec.ChangesAfter = f.changes
		if now := c.locks.Locks[i].New; now != nil && now.InputFingerprint != f.last {
			rec.ChangesAfter++
		}
		if comp != nil {
			c.release(rec, comp)
		}
	}
	if c.root, err = p.DropPins(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(p.PinsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".toml" && e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			c.remove = append(c.remove, filepath.Join(p.PinsDir, e.Name()))
		}
	}
	return c, nil
}

// A formerLock is what is known of the lock that a component had.
type formerLock struct {
	lock    *lock.Lock // nil for none
	changes int        // commits that changed its fingerprint
	last    string     // fingerprint in the last of them
}

// formerLocks finds the locks of a project that has none now: in the lock
// directory, where they may have stayed, else in its history.
func formerLocks(p, after *components.Project, h *revision.History) (map[string]formerLock, error) {
	found := map[string]formerLock{}
	for _, name := range p.Names() {
		l, err := lock.Read(after, name)
		if err != nil {
			return nil, err
		}
		f := formerLock{lock: l}
		if h != nil {
			locks, err := h.LocksOf(name)
			if err != nil {
				return nil, err
			}
			for _, then := range slices.Backward(locks) {
				if then == nil {
					continue
				}
				if then.InputFingerprint != f.last {
					f.changes++
				}
				f.last = then.InputFingerprint
			}
			for _, then := range locks {
				if f.lock == nil && then != nil {
					f.lock = then
				}
			}
		}
		found[name] = f
	}
	return found, nil
}
