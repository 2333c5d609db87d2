package macro

import (
	"strings"

	"specgraft/fedora/evr"
)

// parseEVR splits the text of a v"…" literal, [epoch:]version[-release]. ok is
// false when rpm would not take it as a version.
func parseEVR(s string) (v evr.EVR, ok bool) {
	epoch, rest, found := strings.Cut(s, ":")
	if !found {
		epoch, rest = "", s
	}
	if strings.Trim(epoch, "0123456789") != "" {
		return v, false
	}
	v = evr.EVR{Epoch: strings.TrimLeft(epoch, "0"), Version: rest}
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		v.Version, v.Release = rest[:i], rest[i+1:]
	}
	return v, epoch != "" || v.Version != "" || v.Release != ""
}
