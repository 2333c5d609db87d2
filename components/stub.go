package components

import "specgraft/overlay/diag"

type state struct{}
type resolved struct{}

// A Template is the generic [components.NAME.template] table, an extension.
type Template struct{}

// Load finds and loads a project. The project is nil only when none was found
// or its first file cannot be read; it may be incomplete when the list has
// errors.
func Load(o Options) (*Project, diag.List) { return nil, nil }

// Names returns all component names, sorted.
func (p *Project) Names() []string { return nil }

// Select returns the names that a selector chooses, sorted.
func (p *Project) Select(s Selector) ([]string, diag.List) { return nil, nil }

// Component returns the fully merged component.
func (p *Project) Component(name string) (*Component, diag.List) { return nil, nil }

// UpstreamName returns the name of the package upstream.
func (c *Component) UpstreamName() string {
	if c.Spec.UpstreamName != "" {
		return c.Spec.UpstreamName
	}
	return c.Name
}

// Upstream returns where the packaging of c comes from.
func (p *Project) Upstream(c *Component) (Upstream, diag.List) { return Upstream{}, nil }

// Origin returns where the value at path came from.
func (c *Component) Origin(path string) (Origin, bool) { return Origin{}, false }

// Codes are the diagnostic codes of the package.
var Codes = []diag.Code{}
