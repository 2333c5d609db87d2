package render

import (
	"fmt"
	"path"
	"strings"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// fileNames warns about names of rendered files that some disk, checkout or
// shell cannot hold: one of them keeps the whole repository from being cloned
// there.
func (r *Renderer) fileNames(res *Result, tree *overlay.Tree) {
	if !r.Lint {
		return
	}
	folded := make(map[string]string, len(res.Files))
	for _, f := range res.Files {
		why, hint := "", "rename the file with file-rename, and in the spec with spec-search-replace"
		low := strings.ToLower(f.Path)
		if other, ok := folded[low]; ok {
			why = fmt.Sprintf("%q and %q are one file on a disk that does not tell upper and lower case apart", other, f.Path)
		} else {
			folded[low] = f.Path
			if bad := badFileName(f.Path); bad != "" {
				why = fmt.Sprintf("the name of %q %s", f.Path, bad)
			}
		}
		if why == "" {
			continue
		}
		d := diag.Diagnostic{Pos: res.Config.Pos, Severity: diag.Warning, Code: "render/file-name", Message: why, Hint: hint}
		if f.Origin != nil && f.Origin.Pos.IsValid() {
			d.Pos = f.Origin.Pos
		}
		for i := range tree.Spec.Len() {
			if line := tree.Spec.Line(i); strings.Contains(line.Text, path.Base(f.Path)) && line.Num > 0 {
				d.Related = append(d.Related, diag.Related{Pos: tree.Spec.Pos(i), Message: "named here: " + strings.TrimSpace(line.Text)})
				break
			}
		}
		res.add(diag.List{d})
	}
}

// windowsDevices are names that Windows keeps for devices, with any suffix.
var windowsDevices = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// badFileName says what is wrong with the name of a file, or nothing.
func badFileName(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		stem, _, _ := strings.Cut(strings.ToLower(part), ".")
		switch {
		case strings.ContainsAny(part, `:<>"|?*\`):
			i := strings.IndexAny(part, `:<>"|?*\`)
			return fmt.Sprintf("has the character %q, which Windows cannot check out", part[i:i+1])
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
			return "ends in a dot or a blank, which Windows cannot check out"
		case windowsDevices[stem]:
			return "is that of a device, which Windows cannot check out"
		case strings.HasPrefix(part, "-"):
			return "begins with a dash, which commands take for an option"
		case strings.ContainsAny(part, " \t$`'&;()!"):
			i := strings.IndexAny(part, " \t$`'&;()!")
			return fmt.Sprintf("has the character %q, which means something to a shell", part[i:i+1])
		}
		for _, c := range part {
			if c < ' ' || c == 0x7f || c == '\uFFFD' {
				return "has a character that cannot be printed"
			}
		}
	}
	return ""
}
