package rendering

import (
	"os"
	"path/filepath"
	"strings"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// A patchFile collects the patch that would fix the drift.
type patchFile struct {
	name string
	text strings.Builder
	err  error // the first one
}

// add adds the drift of a component.
func (f *patchFile) add(out *render.Output, p *components.Project, o *render.Outcome) {
	text, err := cli.DriftText(out, p, o.Component, o.Wanted)
	if err != nil && f.err == nil {
		f.err = err
	}
	f.text.WriteString(text)
}

// close writes the file, an empty one when nothing drifted.
func (f *patchFile) close() error {
	if f.err != nil {
		return f.err
	}
	if err := os.WriteFile(f.name, []byte(f.text.String()), 0o666); err != nil {
		return cli.FileProblem("review/output", f.name, err)
	}
	return nil
}

// driftDiagnostic is the annotation of a component that drifted.
func driftDiagnostic(o *render.Outcome) diag.Diagnostic {
	d := diag.Diagnostic{Code: "review/drift", Component: o.Component, Message: o.Component + ": the checked-in tree is not what the configuration renders",
		Hint: "run specgraft render " + o.Component + " and commit the result"}
	d.Pos.Filename, d.Pos.Line = filepath.Join(o.OutputDir, o.Component+".spec"), 1
	return d
}
