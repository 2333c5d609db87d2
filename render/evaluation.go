package render

import (
	"strings"

	"specgraft/components"
	"specgraft/fedora/macro"
)

// Evaluation returns cfg completed by what the rendered spec of a component is
// evaluated with: the macro set of its distribution version, and where there is
// none, Fedora's release.
func (r *Renderer) Evaluation(c *components.Component, cfg macro.Config) (macro.Config, error) {
	if cfg.Set != nil {
		return cfg, nil
	}
	set, err := r.macros(c)
	if err != nil {
		return cfg, err
	}
	cfg.Set = set
	up, _ := r.Project.Upstream(c)
	if set == nil && up.ReleaseVer != "" && strings.Trim(up.ReleaseVer, "0123456789") == "" {
		cfg.Distro = macro.Distro{Fedora: up.ReleaseVer, Dist: ".fc" + up.ReleaseVer}
	}
	return cfg, nil
}
