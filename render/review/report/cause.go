package report

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
	"specgraft/render/review"
	"specgraft/render/review/lint"
	"specgraft/render/review/semantic"
)

// inputs lists what differs in the configuration of a component.
func (b *builder) inputs(c *Component, name string) {
	if !b.configs {
		return
	}
	old, err := b.from.State(name)
	if err != nil {
		return
	}
	now, err := b.to.State(name)
	if err != nil {
		return
	}
	if now.Component != nil && len(now.Component.Groups) > 0 {
		c.Group = now.Component.Groups[0]
	}
	if old.Component == nil || now.Component == nil {
		return
	}
	changes, err := lock.Why(old, now)
	if err != nil {
		return
	}
	for _, ch := range changes {
		in := Input{Field: ch.Field, Kind: string(ch.Kind), Old: ch.Old, New: ch.New, text: ch.Old + "\n" + ch.New}
		pos, state := ch.NewPos, now
		if pos.Line == 0 {
			pos = ch.OldPos
		}
		if ch.Kind == lock.Removed {
			state = old
		}
		in.File, in.Line = pos.Filename, pos.Line
		in.Label = label(&in, state.Component)
		c.Inputs = append(c.Inputs, in)
	}
}

// label is an input in words.
func label(in *Input, c *components.Component) string {
	at := ""
	if in.File != "" {
		at = fmt.Sprintf("%s:%d ", in.File, in.Line)
	}
	if in.Field == "upstream-commit" {
		return fmt.Sprintf("upstream %.12s..%.12s", in.Old, in.New)
	}
	if i, ok := overlayIndex(in.Field); ok && i < len(c.Overlays) {
		op := &c.Overlays[i]
		in.text += "\n" + op.Value + "\n" + op.Replacement + "\n" + op.Tag + "\n" + strings.Join(op.Lines, "\n") + "\n" + op.Section + "\n" + op.Package + "\n" + op.Source
		cause := review.Cause{Step: string(op.Type), Index: i, File: op.Pos.Filename, Line: op.Pos.Line, Description: op.Description}
		return cause.Label()
	}
	return at + in.Field
}

// overlayIndex reads the index off "overlays[3].value".
func overlayIndex(field string) (int, bool) {
	rest, ok := strings.CutPrefix(field, "overlays[")
	n, _, found := strings.Cut(rest, "]")
	i, err := strconv.Atoi(n)
	return i, ok && found && err == nil
}

// attribute finds the input behind each change that has no cause yet: the one
// whose text has most of the change in it.
func (c *Component) attribute() {
	if len(c.Inputs) == 0 {
		return
	}
	for i := range c.Changes {
		ch := &c.Changes[i]
		if ch.Cause != "" || ch.Follows() {
			continue
		}
		best, score := -1, 0
		for k := range c.Inputs {
			if n := c.Inputs[k].score(ch); n > score {
				best, score = k, n
			}
		}
		if best < 0 && len(c.Inputs) == 1 {
			best = 0
		}
		if best < 0 {
			best = slices.IndexFunc(c.Inputs, func(in Input) bool { return in.Field == "upstream-commit" })
		}
		if best >= 0 {
			ch.Cause = c.Inputs[best].Label
		}
	}
}

// score says how much of a change an input speaks of.
func (in *Input) score(ch *semantic.Change) int {
	n := 0
	see := func(s string) {
		if s = strings.TrimSpace(s); len(s) > 2 && len(s) > n && strings.Contains(in.text, s) {
			n = len(s)
		}
	}
	for _, p := range []*string{ch.Old, ch.New} {
		if p == nil {
			continue
		}
		for i, line := range strings.Split(*p, "\n") {
			if i > 50 {
				break
			}
			see(line)
			for _, w := range strings.Fields(line) {
				see(w)
				see(w[strings.LastIndexByte(w, '/')+1:])
			}
		}
	}
	see(ch.What[strings.LastIndexByte(ch.What, '/')+1:])
	if (ch.Class == semantic.Release || ch.Class == semantic.Changelog) && (in.Field == "manual-bump" || strings.HasPrefix(in.Field, "release")) {
		n += 1000
	}
	return n
}

// rendered renders the component on both sides, as far as that is possible, and
// notes drift and the health of the overlays. ok is false when it could not be
// tried; the view is nil when it failed, too.
func (b *builder) rendered(ctx context.Context, c *Component, name string) (view *review.View, ok bool) {
	if b.views == nil || b.views.New == nil || !b.has(name) {
		return nil, false
	}
	if c.Status == "removed" {
		return nil, true
	}
	skip := func(list *[]string) (*review.View, bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		*list = append(*list, name)
		return nil, false
	}
	if b.to.Elsewhere(name) {
		return skip(&b.elsewhere)
	}
	view = b.views.New(ctx, name)
	res := view.Result
	if slices.ContainsFunc(res.Diags, func(d diag.Diagnostic) bool { return d.Code == "fedora/offline" && d.Severity == diag.Error }) {
		return skip(&b.missing)
	}
	b.done.Add(1)
	if res.Failed() && (res.Config == nil || !res.Config.Build.Failure.Expected) {
		for _, d := range res.Diags {
			if d.Severity.String() == "error" {
				c.Problems = append(c.Problems, firstLine(&d))
			}
		}
		return nil, true
	}
	patch, err := b.drift(name, res.Files)
	if err != nil {
		c.Problems = append(c.Problems, firstLine(err))
	}
	c.Patch, c.drift = patch, patch != ""
	health := lint.Component(view, b.views.Lint)
	c.Overlays = c.touchedOverlays(health.Overlays)
	known := &lint.Baseline{}
	if b.views.Old != nil && c.Status != "added" {
		known = lint.NewBaseline(lint.Component(b.views.Old(ctx, name), b.views.Lint).Findings)
	}
	c.Findings = known.New(health.Findings)
	return view, true
}

// touchedOverlays returns those overlays that the change touches: that differ in
// the configuration, or all when their upstream moved.
func (c *Component) touchedOverlays(all []lint.Health) []lint.Health {
	touched := map[int]bool{}
	for i := range c.Inputs {
		in := &c.Inputs[i]
		if in.Field == "upstream-commit" {
			return all
		}
		if k, ok := overlayIndex(in.Field); ok && in.Kind != string(lock.Removed) {
			touched[k] = true
		}
	}
	out := []lint.Health{}
	for _, h := range all {
		if touched[h.Index] || c.Status == "added" {
			out = append(out, h)
		}
	}
	return out
}

// causesOf returns what names the causes of changes in a rendered component, if
// what was rendered is what is checked in.
func causesOf(view *review.View, checkedIn []byte) (func(old, new int) string, func(string) string) {
	if view == nil || view.Result.Spec == nil || string(view.Result.Text()) != string(checkedIn) {
		return nil, nil
	}
	return func(_, new int) string {
		if new < 1 {
			return "" // of the old side nothing is known here
		}
		return view.CauseOfLine(new)
	}, view.CauseOfFile
}

// macroSet reads a macro set once.
func (b *builder) macroSet(file string) (*macro.Set, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.sets[file]; ok {
		return s, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s, err := macro.ParseSet(file, text)
	if err != nil {
		return nil, err
	}
	b.sets[file] = s
	return s, nil
}
