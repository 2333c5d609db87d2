package render

import (
	"os"
	"path/filepath"

	"specgraft/fedora/autospec"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// wentDown returns a diagnostic when the rendered spec would build an older
// version than the one in dir does. Only release.calculation = "smart" promises
// that releases never go back, as it decides by itself what number to raise.
func (r *Renderer) wentDown(res *Result, dir string) *diag.Diagnostic {
	if res.Failed() || res.Config == nil || res.Config.Release.Calculation != autospec.CalculationSmart {
		return nil
	}
	name := res.Component + ".spec"
	old, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil // nothing was rendered before
	}
	d := autospec.CheckEVR(name, old, res.Text(), macro.Config{Set: res.Macros})
	if d == nil {
		return nil
	}
	d.Component, d.Pos = res.Component, res.Config.Pos
	if o, ok := res.Config.Origin("release.calculation"); ok {
		d.Pos = o.Pos
	}
	return d
}
