package rebase

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"specgraft/overlay/patch"
)

// A SourceTree is the content of the archives that a spec's patches are for.
type SourceTree struct {
	Archive string // their names
	// Read returns those of some files that there are, by their paths below the
	// archive's top directory.
	Read func(names []string) (map[string][]byte, error)
}

// holdPatch says how the overlay's patch fits the sources of the new upstream.
func (x *exchange) holdPatch(o *Overlay, name string, data []byte) {
	say := func(text string) {
		if o.Reason != "" {
			text = o.Reason + "; " + text
		}
		o.Reason = text
	}
	if x.opt.Sources == nil {
		say("whether the patch applies is not checked: the sources are not at hand")
		return
	}
	src, err := x.opt.Sources(x.b1)
	if err != nil || src == nil {
		why := "its sources are not in the cache"
		if err != nil {
			why = err.Error()
		}
		say("whether the patch applies is not checked: " + why)
		return
	}
	names := patched(data)
	files, err := src.Read(names)
	if err != nil {
		say("whether the patch applies is not checked: " + err.Error())
		return
	}
	fit := patch.FitFiles(data, func(name string) ([]byte, bool) {
		b, ok := files[name]
		return b, ok
	})
	if other := x.alsoPatched(name, names); !fit.Applies && !fit.Landed && other != "" {
		say(fmt.Sprintf("whether the patch applies is not checked: %s changes the same files first", other))
		return
	}
	switch {
	case fit.Landed:
		o.Verdict, o.Reason = Landed, fmt.Sprintf("%s has the change", src.Archive)
		o.Places = append(o.Places, filePlace(name, "old", "landed"))
	case !fit.Applies && fit.Reason == "it is no unified diff":
		say("whether the patch applies is not checked: " + fit.Reason)
	case !fit.Applies:
		o.Verdict = Broken
		say(fmt.Sprintf("the patch does not apply to %s: %s", src.Archive, fit.Reason))
		x.wanted = nil
	case fit.Offset > 0 || fit.Fuzz > 0:
		if o.Verdict == Clean {
			o.Verdict = Moved
		}
		say(fmt.Sprintf("the patch applies to %s with offset %d and fuzz %d", src.Archive, fit.Offset, fit.Fuzz))
	default:
		say("the patch applies to " + src.Archive)
	}
}

// patched returns the files that a patch changes, without their first directory.
func patched(data []byte) []string {
	var names []string
	for _, d := range patch.Parse(data) {
		for _, n := range []string{d.Old, d.New} {
			if n != "/dev/null" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// alsoPatched returns another patch of the new upstream that changes one of the
// files, "" when there is none.
func (x *exchange) alsoPatched(name string, files []string) string {
	for _, other := range slices.Sorted(maps.Keys(x.b1.Files)) {
		if other == name || !strings.HasSuffix(other, ".patch") && !strings.HasSuffix(other, ".diff") {
			continue
		}
		data, err := x.b1.Files[other].Bytes()
		if err == nil && slices.ContainsFunc(patched(data), func(f string) bool { return slices.Contains(files, f) }) {
			return other
		}
	}
	return ""
}
