// Package convert turns a project with lock files into one with pins, or back: two
// ways to keep which upstream commit each component is built from. What a release
// number is raised by differs between them, and a conversion says by how much.
package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/components/lock"
	"specgraft/components/pin"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
	"specgraft/render"
)

// A Component is what a conversion does to one component.
type Component struct {
	Name           string `json:"component"`
	UpstreamCommit string `json:"upstreamCommit,omitempty"`
	// Changes of the component that make releases, before and, once the
	// result is committed, after; and the release that follows where it is a
	// number that is raised by them.
	ChangesBefore int    `json:"changesBefore"`
	ChangesAfter  int    `json:"changesAfter"`
	ReleaseBefore string `json:"releaseBefore,omitempty"`
	ReleaseAfter  string `json:"releaseAfter,omitempty"`
}

// A Conversion is a planned one: nothing is written yet.
type Conversion struct {
	Components []Component // by name
	Notes      []string    // what stays as it is, for people

	project *components.Project
	root    []byte // new text of the root file, nil when it stays
	pins    *pin.Update
	locks   *lock.Update
	remove  []string // files
}

// Write makes the conversion. What takes the place of something is written
// before that is removed.
func (c *Conversion) Write() error {
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
		if err := edit.WriteFile(c.project.File, c.root); err != nil {
			return &diag.Diagnostic{Code: "pin/write", Env: true, Message: fmt.Sprintf("cannot write %s: %v", c.project.Display(c.project.File), err)}
		}
	}
	for _, f := range c.remove {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &diag.Diagnostic{Code: "pin/write", Env: true, Message: fmt.Sprintf("cannot remove %s: %v", c.project.Display(f), err)}
		}
	}
	for _, f := range c.remove {
		_ = os.Remove(filepath.Dir(f)) // when it is empty
	}
	return nil
}

// changeCounter returns a function that counts a component's own changes as a
// render of the project would.
func changeCounter(ctx context.Context, p *components.Project, names []string) (func(*components.Component) (int, error), func(), error) {
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
func (c *Conversion) release(rec *Component, comp *components.Component) {
	if calc := comp.Release.Calculation; calc != "auto" && calc != "static" {
		return
	}
	path := filepath.Join(c.project.RenderedDir, filepath.FromSlash(render.ComponentDir(comp.Name)), comp.Name+".spec")
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
	if after, ok := raised(value, rec.ChangesAfter-rec.ChangesBefore); ok {
		rec.ReleaseBefore, rec.ReleaseAfter = value, after
	}
}

// raised returns a release of which the number at the start is raised; not where
// none is there, or autorelease makes it.
func raised(release string, by int) (string, bool) {
	digits := release[:len(release)-len(strings.TrimLeft(release, "0123456789"))]
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > 9 || strings.Contains(release, "autorelease") {
		return "", false
	}
	return strconv.Itoa(n+by) + release[len(digits):], true
}
