package render

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"specgraft/fedora/autospec"
	"specgraft/fedora/evr"
	"specgraft/fedora/macro"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// maxEntryLines bounds the lines of the entry for the component's changes.
const maxEntryLines = 200

// ownRelease does what the project's own settings of the release ask for.
func (r *Renderer) ownRelease(ctx context.Context, res *Result, tree *overlay.Tree) {
	rel := &res.Config.Release
	if rel.Suffix != "" && !r.WithoutHistory {
		r.suffix(ctx, res, tree)
	}
	if rel.ChangelogEntry && len(res.Changes) > 0 {
		r.changelogEntry(ctx, res, tree)
	}
}

// ownStep does an edit of the renderer's own and reports it.
func ownStep(res *Result, tree *overlay.Tree, key, step, description string, edit func(o *spec.Origin) (changed, added int)) {
	pos := origin(res.Config, key)
	o := &spec.Origin{Pos: pos, Step: step, Index: -1, Description: description}
	from := len(tree.Spec.Log())
	changed, added := edit(o)
	if changed+added == 0 {
		return
	}
	tree.Spec.Reclassify()
	res.Report.Applied = append(res.Report.Applied, overlay.OpReport{Index: len(res.Ops), Origin: o,
		Places: 1, Changed: changed, Added: added, From: from, To: len(tree.Spec.Log())})
	res.Ops = append(res.Ops, overlay.Op{Step: step, Pos: pos, Description: description})
}

// suffix puts the distribution's suffix behind the release, unless upstream's
// version and release are beyond those that it was meant for.
func (r *Renderer) suffix(ctx context.Context, res *Result, tree *overlay.Tree) {
	const key = "specgraft.release.suffix"
	rel := &res.Config.Release
	until, err := evr.Parse(rel.SuffixUntil)
	if err != nil {
		return // the loader has refused it
	}
	if now, ok := r.upstreamEVR(ctx, res); ok && now.Compare(until) > 0 {
		res.add(diag.List{{Pos: origin(res.Config, key), Severity: diag.Note, Code: "render/suffix-gone",
			Message: fmt.Sprintf("upstream is at %s, ahead of %s: the release has no suffix %s any more", now, until, rel.Suffix),
			Hint:    "remove suffix and suffix-until, or set suffix-until anew"}})
		return
	}
	ownStep(res, tree, key, "release-suffix", "suffix "+rel.Suffix, func(o *spec.Origin) (changed, added int) {
		for _, t := range releases(tree.Spec) {
			value := t.Value
			if usesAutorelease(value) && strings.HasPrefix(value, "%autorelease") {
				value = "%{" + value[1:] + "}" // else the suffix would be an argument
			}
			line := tree.Spec.Line(t.Line).Text
			head := line[:strings.LastIndex(line, t.Value)]
			tree.Spec.Replace(t.Line, o, head+value+rel.Suffix)
			changed++
		}
		return changed, 0
	})
}

// releases returns the Release tags of the main package.
func releases(f *spec.File) []spec.Tag {
	var list []spec.Tag
	for t := range f.Tags() {
		if t.Section > 0 {
			break
		}
		if strings.EqualFold(t.Name, "Release") && t.Value != "" {
			list = append(list, t)
		}
	}
	return list
}

// upstreamEVR returns the version and release of the packaging before anything
// was done to it, without dist tag.
func (r *Renderer) upstreamEVR(ctx context.Context, res *Result) (evr.EVR, bool) {
	src := &res.Upstream
	e, ok := r.distless(ctx, res, src.Pristine)
	if _, release := upstreamTags(src.Pristine); !usesAutorelease(release) || src.Local || src.Request.URL == "" {
		return e, ok
	}
	log, done := r.log(ctx, res.Config.UpstreamName(), src)
	defer done()
	release, err := autospec.CalculateRelease(autospec.Input{Graph: autospec.Upstream(log, src.Commit), Evaluator: r.evaluator(ctx, res)})
	if err != nil {
		return evr.EVR{}, false
	}
	e.Release = release
	return e, e.Version != ""
}

// distTag are the ways in which a Release has the tag of the distribution.
var distTag = strings.NewReplacer("%{?dist}", "", "%{dist}", "", "%dist", "")

// distless evaluates a spec for its version and release without dist tag. It
// returns false when they cannot be known; the version may be known even then.
func (r *Renderer) distless(ctx context.Context, res *Result, text []byte) (evr.EVR, bool) {
	f := spec.Parse(res.Component+".spec", text)
	for _, t := range releases(f) {
		f.Replace(t.Line, nil, distTag.Replace(f.Line(t.Line).Text))
	}
	s := macro.Probe(f.Name(), f.Normalized(), macro.Config{Set: res.Macros, Stop: ctx.Done()})
	if s.Rejected() != nil || !s.Version.Known || s.Epoch.Set && !s.Epoch.Known {
		return evr.EVR{}, false
	}
	e := evr.EVR{Epoch: strings.TrimLeft(s.Epoch.Text, "0"), Version: s.Version.Text}
	if !s.Release.Known {
		return e, false
	}
	e.Release = s.Release.Text
	return e, true
}

// changelogEntry gives a spec with a changelog of its own an entry for the
// component's changes.
func (r *Renderer) changelogEntry(ctx context.Context, res *Result, tree *overlay.Tree) {
	at := -1
	for _, s := range tree.Spec.Sections() {
		if s.Kind == spec.ChangelogSection {
			at = s.Start
			for i := s.Start + 1; i < s.End; i++ {
				if text := tree.Spec.Line(i).Text; strings.Contains(text, "%autochangelog") || strings.Contains(text, "%{autochangelog") {
					return // which lists the changes
				}
			}
			break
		}
	}
	if at < 0 {
		return
	}
	var own []autospec.Change
	for _, ch := range slices.Backward(res.Changes) {
		if !ch.Former {
			own = append(own, ch)
		}
	}
	if len(own) == 0 {
		return
	}
	when := own[0].When.UTC()
	for i := at + 1; i < tree.Spec.Len(); i++ { // rpm wants the newest entry first
		text := tree.Spec.Line(i).Text
		if words := strings.Fields(text); strings.HasPrefix(text, "*") && len(words) > 4 {
			if top, err := time.Parse("Jan 2 2006", strings.Join(words[2:5], " ")); err == nil && top.After(when) {
				when = top
			}
			break
		}
	}
	head := "* " + when.Format("Mon Jan 02 2006") + " " + entryText(cmp.Or(own[0].Name, "Unknown"))
	if own[0].Email != "" {
		head += " <" + entryText(own[0].Email) + ">"
	}
	if e, ok := r.distless(ctx, res, tree.Spec.Normalized()); ok {
		head += " - " + entryText(e.String())
	}
	lines := []string{head}
	for i, ch := range own {
		if i == maxEntryLines {
			lines = append(lines, fmt.Sprintf("- %d older changes", len(own)-i))
			break
		}
		lines = append(lines, "- "+entryText(cmp.Or(ch.Subject, "Change")))
	}
	ownStep(res, tree, "specgraft.release.changelog-entry", "changelog-entry", "the component's own changes", func(o *spec.Origin) (changed, added int) {
		tree.Spec.InsertAfter(at, o, append(lines, "")...)
		return 0, len(lines) + 1
	})
}

// entryText makes a text one that rpm leaves alone in a changelog.
func entryText(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "%", "%%")
}

// lostChangelog warns about lines that the project wrote into a changelog which
// the generated one takes the place of.
func (r *Renderer) lostChangelog(res *Result, tree *overlay.Tree, keep int) {
	for i := keep; r.Lint && i < tree.Spec.Len(); i++ {
		line := tree.Spec.Line(i)
		text := strings.TrimSpace(line.Text)
		if o := line.Origin; o == nil || !o.Pos.IsValid() || text == "" || strings.HasPrefix(text, "%") || o.Index < 0 {
			continue
		}
		res.add(diag.List{{Pos: line.Origin.Pos, Severity: diag.Warning, Code: "render/changelog-lost",
			Message: "the line is lost: the changelog is generated with %autochangelog: " + text,
			Hint:    "put older entries into the packaging's file changelog, and newer ones into the messages of commits"}})
		return
	}
}
