package rebase

// A Due is an overlay whose time has come, by what its metadata says.
type Due struct {
	Index  int    `json:"index"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// DueOverlays returns the overlays of a component that are due.
func DueOverlays(c *Component) []Due { return nil }
