package specs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"specgraft/cmd/specgraft/cli"
	"specgraft/fedora/macro"
	"specgraft/fedora/macro/report"
	"specgraft/overlay/diag"
)

// A setting is a named way to evaluate specs.
type setting struct {
	name   string
	values []string // as --what-if takes them
	cfg    macro.Config
}

// whatIfRecord is what settings change in one component.
type whatIfRecord struct {
	Component string                         `json:"component"`
	Changes   map[string][]report.Difference `json:"changes"`            // by setting
	Rejected  map[string]string              `json:"rejected,omitempty"` // by setting: why rpm would not take the spec
}

// whatIfGroup is one change with all components in which it is seen.
type whatIfGroup struct {
	Setting    string   `json:"setting"`
	Change     string   `json:"change"`
	Components []string `json:"components"`
}

// queryAll prints what settings change in many components.
func queryAll(ctx context.Context, g *cli.Globals, sel *cli.Selection, args []string, set cli.QuerySettings, matrix, format string) error {
	base, err := set.Config()
	if err != nil {
		return err
	}
	if err := g.CheckArch(base.Arch); err != nil {
		return err
	}
	settings, err := evaluations(&set, base, matrix)
	if err != nil {
		return err
	}
	var configs []macro.Config
	for _, s := range settings {
		if err := g.CheckArch(s.cfg.Arch); err != nil {
			return err
		}
		configs = append(configs, s.cfg)
	}
	p, names, err := g.LoadSelected(sel, args)
	if err != nil {
		return err
	}
	r, err := g.Renderer(p)
	if err != nil {
		return err
	}
	r.SkipLockValidation = true // a look at components asks for no update
	if err := r.Prepare(ctx, names, sel.All).Err(); err != nil {
		return err
	}
	line := cli.NewProgress(g)
	line.Show("evaluating %d specs", len(names))
	found, err := r.WhatIf(ctx, names, base, configs)
	line.Clear()
	if err != nil {
		return err
	}
	var failed diag.List
	var records []whatIfRecord
	for i := range found {
		w := &found[i]
		if w.Problems.HasErrors() && !cli.ExpectedFailure(p, w.Component) {
			failed = append(failed, w.Problems...)
		}
		if !w.Changed() {
			continue
		}
		rec := whatIfRecord{Component: w.Component, Changes: map[string][]report.Difference{}, Rejected: map[string]string{}}
		for k, s := range settings {
			if len(w.Changes[k]) > 0 {
				rec.Changes[s.name] = w.Changes[k]
			}
			if w.Rejected[k] != "" {
				rec.Rejected[s.name] = w.Rejected[k]
			}
		}
		records = append(records, rec)
	}
	groups := groupChanges(records, settings)
	switch {
	case format == "json":
		names := []string{}
		for _, s := range settings {
			names = append(names, s.name)
		}
		err = cli.WriteJSON(g.Stdout, struct {
			Settings   []string       `json:"settings"`
			Components []whatIfRecord `json:"components"`
			Groups     []whatIfGroup  `json:"groups"`
		}{names, orEmpty(records), orEmpty(groups)})
	case matrix != "":
		err = printMatrix(g, records, settings, format)
	default:
		err = printGroups(g, groups)
	}
	if err != nil {
		return err
	}
	g.Note("%d of %d components change", len(records), len(names))
	return failed.Err()
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// evaluations returns the settings of --what-if, or those of a matrix file.
func evaluations(s *cli.QuerySettings, base macro.Config, matrix string) ([]setting, error) {
	if matrix == "" {
		cfg, err := whatIfConfig(s, base)
		return []setting{{strings.Join(s.WhatIf, ", "), s.WhatIf, cfg}}, err
	}
	data, err := cli.ReadInput("query/file", matrix, 1<<20)
	if err != nil {
		return nil, err
	}
	bad := func(format string, args ...any) error {
		d := &diag.Diagnostic{Code: "query/file", Message: fmt.Sprintf(format, args...),
			Hint: `a line names a setting: rhel10 = "define rhel 10", or several in brackets: arm = ["arch aarch64", "without tests"]`}
		d.Pos.Filename = matrix
		return d
	}
	var file map[string]any
	if err := toml.Unmarshal(data, &file); err != nil {
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			d := bad("%v", strings.TrimPrefix(e.Error(), "toml: ")).(*diag.Diagnostic)
			d.Pos.Line, d.Pos.Column = e.Position()
			return nil, d
		}
		return nil, bad("is not TOML")
	}
	var out []setting
	for name, v := range file {
		one := cli.QuerySettings{}
		switch v := v.(type) {
		case string:
			one.WhatIf = []string{v}
		case []any:
			for _, x := range v {
				text, ok := x.(string)
				if !ok {
					return nil, bad("the setting %q has something else than texts", name)
				}
				one.WhatIf = append(one.WhatIf, text)
			}
		default:
			return nil, bad("the setting %q is neither a text nor a list of texts", name)
		}
		cfg, err := whatIfConfig(&one, base)
		if err != nil {
			return nil, bad("the setting %q: %v", name, err)
		}
		out = append(out, setting{name, one.WhatIf, cfg})
	}
	if len(out) == 0 {
		return nil, bad("has no settings")
	}
	slices.SortFunc(out, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// groupChanges collects equal changes of different components, those that most
// components share first.
func groupChanges(records []whatIfRecord, settings []setting) []whatIfGroup {
	var out []whatIfGroup
	for _, s := range settings {
		at := map[string]int{}
		first := len(out)
		add := func(change, component string) {
			i, there := at[change]
			if !there {
				i = len(out)
				at[change] = i
				out = append(out, whatIfGroup{s.name, change, nil})
			}
			if !slices.Contains(out[i].Components, component) {
				out[i].Components = append(out[i].Components, component)
			}
		}
		for _, r := range records {
			for _, d := range r.Changes[s.name] {
				for _, c := range describeChange(d, r.Component) {
					add(c, r.Component)
				}
			}
			if why := r.Rejected[s.name]; why != "" {
				add("rpm would not take the spec: "+why, r.Component)
			}
		}
		slices.SortStableFunc(out[first:], func(a, b whatIfGroup) int {
			return cmp.Or(cmp.Compare(len(b.Components), len(a.Components)), strings.Compare(a.Change, b.Change))
		})
	}
	return out
}

// describeChange writes a difference in a way that is the same for components in which
// the same happens: packages are named as %package does.
func describeChange(d report.Difference, component string) []string {
	field := d.Field
	name, isPackage := strings.CutPrefix(field, "package ")
	short := func(pkg string) string {
		if rest, ok := strings.CutPrefix(pkg, component+"-"); ok {
			return rest
		}
		return pkg
	}
	switch {
	case strings.HasPrefix(field, "%"):
		word, _, _ := strings.Cut(field, " ")
		return []string{"~ " + word}
	case isPackage && name == component:
		field = ""
	case isPackage:
		field = "package " + short(name) + ": "
	case field == "packages":
		field = "package "
		for _, p := range []**string{&d.Before, &d.After} {
			if *p != nil {
				name := short(**p)
				*p = &name
			}
		}
	default:
		field += ": "
	}
	switch {
	case d.Before != nil && d.After != nil:
		return []string{"~ " + field + *d.Before + " -> " + *d.After}
	case d.Before != nil:
		return []string{"- " + field + *d.Before}
	case d.After != nil:
		return []string{"+ " + field + *d.After}
	}
	return nil
}

// printGroups prints the changes for people, each with its components.
func printGroups(g *cli.Globals, groups []whatIfGroup) error {
	limit := 12
	if g.Verbose {
		limit = 1 << 30
	}
	var b strings.Builder
	for _, gr := range groups {
		fmt.Fprintf(&b, "%s\n    %d: %s\n", gr.Change, len(gr.Components), diag.Abridge(gr.Components, limit))
	}
	_, err := io.WriteString(g.Stdout, b.String())
	return err
}

// printMatrix prints how many things each setting changes in each component.
func printMatrix(g *cli.Globals, records []whatIfRecord, settings []setting, format string) error {
	columns := []cli.Column[whatIfRecord]{{Title: "COMPONENT", Cell: func(r whatIfRecord) string { return r.Component }}}
	for _, s := range settings {
		columns = append(columns, cli.Column[whatIfRecord]{Title: s.name, Cell: func(r whatIfRecord) string {
			switch n := len(r.Changes[s.name]); {
			case r.Rejected[s.name] != "":
				return "rejected"
			case n > 0:
				return fmt.Sprint(n)
			}
			return "-"
		}})
	}
	if format == "text" {
		format = "table"
	}
	list := cli.NewRecords(g.Stdout, format, columns)
	for _, r := range records {
		if err := list.Write(r); err != nil {
			return err
		}
	}
	return list.Close()
}
