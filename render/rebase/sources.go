package rebase

import (
	"fmt"

	"specgraft/overlay/patch"
)

// A SourceTree is the unpacked archive that a spec's patches are for.
type SourceTree struct {
	Archive string // its name
	// File returns a file by its path below the archive's top directory.
	File func(name string) ([]byte, bool)
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
	switch fit := patch.FitFiles(data, src.File); {
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
