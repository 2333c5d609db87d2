package plan

import "specgraft/fedora/evr"

func parseEVR(s string) evr.EVR {
	e, _ := evr.Parse(s)
	return e
}
