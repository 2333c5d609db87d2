package lint

import (
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// Project looks at what belongs to no single component: templates that none
// uses, and components whose names differ in case only.
func Project(p *components.Project, levels map[string]overlay.Level) diag.List {
	var out diag.List
	add := func(pos token.Position, code, message, hint string) {
		i := slices.IndexFunc(Codes, func(c diag.Code) bool { return c.ID == code })
		out = append(out, diag.Diagnostic{Pos: pos, Code: code, Message: message, Hint: hint, Severity: Codes[i].Default})
	}
	used := map[string]bool{}
	folded := map[string]string{}
	for _, name := range p.Names() {
		low := strings.ToLower(name)
		c, problems := p.Component(name)
		if other, ok := folded[low]; ok && !problems.HasErrors() {
			add(c.Pos, "lint/name", fmt.Sprintf("the components %s and %s have one directory where case does not count", other, name), "rename one")
		}
		folded[low] = name
		if !problems.HasErrors() && c.Spec.Template != "" {
			used[c.Spec.Template] = true
		}
	}
	const suffix = ".spec.tmpl"
	dir := p.Settings.TemplatesDir
	list, err := os.ReadDir(dir)
	if err != nil {
		return overlay.Adjust(out, levels) // there need not be any
	}
	var texts strings.Builder // templates may build on others
	names := []string{}
	for _, e := range list {
		if strings.HasSuffix(e.Name(), suffix) && e.Type()&fs.ModeType == 0 {
			names = append(names, strings.TrimSuffix(e.Name(), suffix))
			if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil {
				texts.Write(b)
			}
		}
	}
	for _, name := range names {
		if !used[name] && !strings.Contains(texts.String(), `"`+name+`"`) {
			add(token.Position{Filename: p.Display(filepath.Join(dir, name+suffix)), Line: 1, Column: 1}, "lint/unused-template",
				fmt.Sprintf("no component uses the template %s", name), "remove the file, or use it with spec.template")
		}
	}
	return overlay.Adjust(out, levels)
}
