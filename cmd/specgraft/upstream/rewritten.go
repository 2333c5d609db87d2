package upstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/edit"
	"specgraft/fedora"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// successor asks the store what became of a commit in a component's upstream.
func successor(ctx context.Context, store *fedora.Store, c *components.Component, u distro.Upstream, head, commit string) (string, error) {
	found, err := store.Successor(ctx, fedora.Request{
		URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Commit: head, Component: c.Name},
		commit, render.Remembered(store.CacheDir(), c, u, commit))
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		placed := c.PlaceUpstream(*d, u)
		return "", &placed
	}
	return found, err
}

// A movedPin is a pin in the configuration whose commit upstream's rewritten
// history has lost.
type movedPin struct {
	component, file string
	old, next       string
	generated       bool
}

// lostPins finds the pins of components that upstream's rewritten history has
// lost, and what took their place.
func lostPins(ctx context.Context, g *cli.Globals, p *components.Project, store *fedora.Store, names []string, jobs int) ([]movedPin, diag.List) {
	moved := make([]movedPin, len(names))
	var problems diag.List
	var mu sync.Mutex
	var pool errgroup.Group
	pool.SetLimit(g.Jobs(jobs, 4))
	for i, name := range names {
		pool.Go(func() error {
			c, _ := p.Component(name) // its problems are said by who locks it
			if c == nil || c.Spec.UpstreamCommit == "" || !c.IsUpstream() || ctx.Err() != nil {
				return nil
			}
			u, list := p.Upstream(c)
			if list.HasErrors() || u.Source == "srpm" {
				return nil
			}
			next, err := successor(ctx, store, c, u, "", c.Spec.UpstreamCommit)
			if err == nil && next != "" && !strings.HasPrefix(next, c.Spec.UpstreamCommit) {
				m := movedPin{component: name, old: c.Spec.UpstreamCommit, next: next}
				if o, ok := c.Origin("spec.upstream-commit"); !ok || o.Layer != "component" {
					err = &diag.Diagnostic{Code: "lock/lost-commit", Pos: o.Pos, Component: name,
						Message: fmt.Sprintf("the pin of %s comes from a default for many components, which is left alone", name),
						Hint:    "pin the component itself to " + next}
				} else {
					m.file, m.generated = p.PinFile(c)
					moved[i] = m
				}
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				n := len(problems)
				problems.Take(err)
				for i := n; i < len(problems); i++ {
					problems[i].Component = name
				}
			}
			return nil
		})
	}
	_ = pool.Wait()
	return slices.DeleteFunc(moved, func(m movedPin) bool { return m.component == "" }), problems
}

// movePins writes the new commits into the files that have the pins.
func movePins(g *cli.Globals, p *components.Project, moved []movedPin) error {
	for i := range moved {
		m := &moved[i]
		if err := m.write(p); err != nil {
			return &diag.Diagnostic{Code: "lock/write", Component: m.component, Env: true, Message: err.Error()}
		}
		g.Note("%s pins %s to %.12s instead of %.12s, which upstream no longer has", p.Display(m.file), m.component, m.next, m.old)
	}
	return nil
}

// write puts the new commit into the file that has the pin, and nothing else.
func (m *movedPin) write(p *components.Project) error {
	show := p.Display(m.file)
	data, err := os.ReadFile(m.file)
	if err != nil {
		return fmt.Errorf("read %s: %w", show, diag.Reason(err))
	}
	if m.generated {
		data = components.Pin(m.component, m.next)
	} else {
		e, problems := edit.Edit(show, data)
		if err := problems.Err(); err != nil {
			return err
		}
		if err := e.Set([]string{"components", m.component, "spec", "upstream-commit"}, m.next); err != nil {
			return err
		}
		data = e.Bytes()
	}
	if err := edit.WriteFile(m.file, data); err != nil {
		return fmt.Errorf("write %s: %w", show, diag.Reason(err))
	}
	return nil
}
