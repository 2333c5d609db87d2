package editor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	tomledit "specgraft/components/edit"
	"specgraft/components/toml"
	"specgraft/overlay/absorb"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/editor/buffer"
	"specgraft/render/rebase"
	"specgraft/render/review"
)

// The commands that an editor may run.
const (
	CommandRender = "specgraft.render" // NAME: the rendered spec
	CommandDiff   = "specgraft.diff"   // NAME: what rendering changes
	CommandStep   = "specgraft.step"   // NAME, N: what step N does, from 1
	CommandTry    = "specgraft.try"    // NAME, TOML: what one more overlay would do
	CommandRebase = "specgraft.rebase" // NAME: edits that take the rebase proposals
	CommandAbsorb = "specgraft.absorb" // NAME: edits that make overlays of the edited rendered spec
)

// Commands are all of them.
var Commands = []string{CommandRender, CommandDiff, CommandStep, CommandTry, CommandRebase, CommandAbsorb}

// A Document is text that is shown and is no file.
type Document struct {
	URI      string `json:"uri"`
	Language string `json:"languageId"`
	Text     string `json:"text"`
}

func virtual(kind, name, ext, language, text string) *Document {
	return &Document{URI: UpstreamScheme + ":/" + kind + "/" + name + ext, Language: language, Text: strings.ToValidUTF8(text, "\uFFFD")}
}

// sound returns a component that can be rendered, or why not.
func (s *Snapshot) sound(name string) (*components.Component, error) {
	if s.Project == nil {
		return nil, errors.New("there is no project")
	}
	c, problems := s.Project.Component(name)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fmt.Errorf("there is no component %q", name)
	}
	return c, nil
}

// Render returns the spec that rendering a component gives.
func (s *Snapshot) Render(ctx context.Context, name string) (*Document, error) {
	if _, err := s.sound(name); err != nil {
		return nil, err
	}
	g := s.healthOf(ctx, name, true)
	if g == nil {
		return nil, cancelled(ctx)
	}
	if err := g.view.Result.Diags.Err(); err != nil {
		return nil, err
	}
	return virtual("rendered", name, ".spec", "spec", string(g.view.Result.Text())), nil
}

func cancelled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("the component could not be rendered")
}

// Diff returns what rendering a component changes.
func (s *Snapshot) Diff(ctx context.Context, name string) (*Document, error) {
	if _, err := s.sound(name); err != nil {
		return nil, err
	}
	g := s.healthOf(ctx, name, true)
	if g == nil {
		return nil, cancelled(ctx)
	}
	if g.view.Before.Spec == nil {
		return nil, g.view.Result.Diags.Err()
	}
	files, err := g.view.Diff()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for i := range files {
		if err := files[i].Write(&b, review.Style{Visible: true}); err != nil {
			return nil, err
		}
	}
	return virtual("diff", name, ".diff", "diff", b.String()), nil
}

// Step returns what one operation of a component does, from 1, as 'specgraft
// step' counts them.
func (s *Snapshot) Step(ctx context.Context, name string, n int) (*Document, error) {
	if _, err := s.sound(name); err != nil {
		return nil, err
	}
	g := s.healthOf(ctx, name, true)
	if g == nil {
		return nil, cancelled(ctx)
	}
	steps := g.Steps()
	if len(steps) == 0 {
		if err := g.view.Result.Diags.Err(); err != nil {
			return nil, err
		}
	}
	if n < 1 || n > len(steps) {
		return nil, fmt.Errorf("%s has %d steps, from 1", name, len(steps))
	}
	text, err := stepText(&steps[n-1], len(steps))
	if err != nil {
		return nil, err
	}
	return virtual("step", fmt.Sprintf("%s-%d", name, n), ".diff", "diff", text), nil
}

func stepText(st *review.Step, total int) (string, error) {
	var b bytes.Buffer
	if err := st.Write(&b, review.Style{Visible: true}, total); err != nil {
		return "", err
	}
	for _, d := range st.Diags {
		fmt.Fprintf(&b, "%s: %s [%s]\n", d.Severity, d.Message, d.Code)
	}
	return b.String(), nil
}

// Try returns what a component's overlays would do with one more behind them,
// which is given as TOML: the table of an overlay, with or without its header.
func (s *Snapshot) Try(ctx context.Context, name, text string) (*Document, error) {
	c, err := s.sound(name)
	if err != nil {
		return nil, err
	}
	place := filepath.Join(c.Dir, "overlay")
	if !strings.Contains(text, "[[") {
		text = "[[overlays]]\n" + text
	}
	ops, problems := components.ParseOverlays(place, []byte(overlayHeader().ReplaceAllString(text, "[[overlays]]")))
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for i := range ops {
		ops[i].Pos, ops[i].KeyPos = token.Position{Filename: "tried overlay"}, nil
		if ops[i].Source != "" {
			if err := s.inside(ops[i].Source); err != nil {
				return nil, err
			}
		}
	}
	mine := *c
	mine.Overlays = append(slices.Clone(c.Overlays), ops...)
	r, err := s.quickly()
	if err != nil {
		return nil, err
	}
	view := review.OpenOverlaid(ctx, r, &mine)
	steps, err := view.Steps()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i := range steps {
		if steps[i].Cause.Index >= len(c.Overlays) {
			t, err := stepText(&steps[i], len(steps))
			if err != nil {
				return nil, err
			}
			b.WriteString(t)
		}
	}
	if b.Len() == 0 {
		if err := view.Result.Diags.Err(); err != nil {
			return nil, err
		}
		return nil, cancelled(ctx)
	}
	return virtual("try", name, ".diff", "diff", b.String()), nil
}

// inside refuses files outside of the project.
func (s *Snapshot) inside(path string) error {
	if rel, err := filepath.Rel(s.Project.Root, path); err != nil || !filepath.IsLocal(rel) {
		return &diag.Diagnostic{Code: "config/outside", Message: fmt.Sprintf("path %q leads outside the project", path)}
	}
	return nil
}

// OverlayAt returns the component that has the overlay at a point of a
// configuration file, and the step that it is; 0 when it was not applied.
func (s *Snapshot) OverlayAt(ctx context.Context, path string, at buffer.Point) (name string, step int, ok bool) {
	c := s.cursor(path, at)
	if c == nil || s.Project == nil {
		return "", 0, false
	}
	if overlayPath(c.tok.Path) == nil && c.tok.List {
		c.tok = toml.TokenAt(c.text.S, c.headerEnd())
	}
	users := s.users(c)
	if len(users) == 0 {
		return "", 0, false
	}
	g := s.healthOf(ctx, users[0].name, false)
	if g == nil {
		return "", 0, false
	}
	st := g.step(users[0].index)
	if st == nil {
		return users[0].name, 0, true
	}
	return users[0].name, st.Num, true
}

// Rebase returns the edits that take the rebase proposals for a component on the
// newest upstream that is in the mirror.
func (s *Snapshot) Rebase(ctx context.Context, name string) (*Change, string, error) {
	c, err := s.sound(name)
	if err != nil {
		return nil, "", err
	}
	r, err := s.quickly()
	if err != nil {
		return nil, "", err
	}
	b := &rebase.Rebaser{Renderer: r, Same: rebase.SamePackaging}
	found, err := b.Component(ctx, c, "latest")
	if err != nil {
		return nil, "", err
	}
	if !found.Ready() {
		var open []string
		for i := range found.Overlays {
			if o := &found.Overlays[i]; o.Verdict.NeedsPerson() && !o.Proposed {
				open = append(open, fmt.Sprintf("overlay %d (%s) is %s: %s", o.Index+1, opTitle(o.Op), o.Verdict, o.Reason))
			}
		}
		if len(open) == 0 {
			if err := found.Problems.Err(); err != nil {
				return nil, "", err
			}
		}
		return nil, "", fmt.Errorf("somebody has to look first: %s", strings.Join(open, "; "))
	}
	edits, err := rebase.Edits(s.Project, []*rebase.Component{found})
	if err != nil {
		return nil, "", err
	}
	ch := &Change{Edits: map[string][]buffer.Edit{}}
	for _, e := range edits {
		if e.After != nil {
			ch.Edits[e.Path] = buffer.Difference(string(e.Before), string(e.After))
		}
	}
	if len(ch.Edits) == 0 {
		return nil, fmt.Sprintf("nothing changes for %s at %.12s", name, found.To), nil
	}
	return ch, fmt.Sprintf("%s at %.12s", name, found.To), nil
}

// Absorb returns the edits that make overlays of what was changed by hand in
// the rendered spec of a component.
func (s *Snapshot) Absorb(ctx context.Context, name string) (*Change, string, error) {
	c, err := s.sound(name)
	if err != nil {
		return nil, "", err
	}
	r, problems, err := s.deeply(ctx, name)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	if err := problems.Err(); err != nil {
		return nil, "", err
	}
	dir := filepath.Join(s.Project.RenderedDir, filepath.FromSlash(render.ComponentDir(name)))
	unsaved := map[string][]byte{}
	for path, t := range s.texts {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			unsaved[filepath.ToSlash(rel)] = []byte(t.S)
		}
	}
	edit, err := rebase.OpenUnsavedEdit(ctx, r, c, dir, unsaved)
	if err != nil {
		return nil, "", err
	}
	if err := edit.Problems.Err(); err != nil {
		return nil, "", err
	}
	found, err := absorb.Search(edit.Before, edit.After, absorb.Options{})
	if err != nil {
		return nil, "", err
	}
	if err := found.Problems.Err(); err != nil {
		return nil, "", err
	}
	if len(found.Steps) == 0 {
		return nil, "there is nothing to absorb", nil
	}
	if err := edit.Proves(ctx, r, c, found.Ops()); err != nil {
		return nil, "", err
	}
	ch := &Change{Edits: map[string][]buffer.Edit{}, Created: map[string]string{}}
	file, path := s.Project.LastOverlays(c)
	text := s.textOf(file)
	if file == "" || text == nil {
		return nil, "", fmt.Errorf("%s stands in no TOML file that overlays could be added to; add [components.%s] to one", name, toml.QuoteKey(name))
	}
	found.Describe()
	ops := found.Ops()
	for i := range ops {
		if ops[i].Source != "" && ops[i].Data != nil {
			ch.Created[filepath.Join(filepath.Dir(file), filepath.FromSlash(ops[i].Source))] = string(ops[i].Data)
		}
	}
	e, problems := tomledit.Edit(s.name(file), []byte(text.S))
	if err := problems.Err(); err != nil {
		return nil, "", err
	}
	if err := e.AddOverlays(path, ops); err != nil {
		return nil, "", err
	}
	ch.Edits[file] = buffer.Difference(text.S, string(e.Bytes()))
	return ch, fmt.Sprintf("%d overlay%s for %s; fill in the descriptions", len(ops), plural(len(ops)), name), nil
}
