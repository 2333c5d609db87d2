package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowedImports says which of our packages each may import. It is the shape
// of the program: a spec knows nothing of TOML, a component nothing of git,
// and only the command sees everything.
var allowedImports = map[string][]string{
	"overlay/diag":           {},
	"overlay/spec":           {"overlay/diag"},
	"overlay/regex":          {},
	"overlay":                {"overlay/regex", "overlay/spec", "overlay/diag"},
	"overlay/archive":        {"overlay", "overlay/spec", "overlay/diag"},
	"overlay/absorb":         {"overlay", "overlay/spec", "overlay/diag"},
	"components/toml":        {"overlay/diag", "overlay/regex"},
	"components/distro":      {"components/toml"},
	"components/schema":      {"components/toml", "overlay", "overlay/diag"},
	"components/edit":        {"components/schema", "components/toml", "overlay", "overlay/diag"},
	"components":             {"components/distro", "components/edit", "components/schema", "components/toml", "overlay", "overlay/diag"},
	"components/pin":         {"components/distro", "components", "overlay/diag"},
	"components/lock":        {"components/distro", "components", "components/toml", "overlay", "overlay/diag"},
	"fedora/evr":             {},
	"fedora/cache":           {"overlay/diag"},
	"fedora/lookaside":       {"fedora/cache", "overlay/diag"},
	"fedora/distgit":         {"fedora/cache", "overlay/diag"},
	"fedora/distgit/gittest": {},
	"fedora/snapshot":        {"fedora/cache", "fedora/distgit", "overlay/diag"},
	"fedora/srpm/reader":     {"fedora/cache", "fedora/distgit", "fedora/evr", "fedora/lookaside", "fedora/repodata", "fedora/snapshot", "fedora/unpack", "overlay/diag"},
	"fedora/repodata":        {"fedora/cache", "fedora/evr", "fedora/lookaside", "fedora/unpack", "overlay/diag"},
	"fedora/unpack":          {},
	"fedora":                 {"fedora/cache", "fedora/distgit", "fedora/evr", "fedora/lookaside", "fedora/snapshot", "fedora/srpm/reader", "overlay/diag", "overlay/regex"},
	"fedora/macro":           {"fedora/evr", "fedora/macro/fuel", "fedora/macro/pattern", "fedora/macro/shell", "overlay/regex", "overlay/spec", "overlay/diag"},
	"fedora/macro/shell":     {"fedora/macro/fuel", "fedora/macro/pattern", "overlay/diag", "overlay/regex"},
	"fedora/macro/fuel":      {},
	"fedora/macro/pattern":   {"fedora/macro/fuel", "overlay/regex"},
	"fedora/macro/report":    {"fedora/macro", "overlay/diag"},
	"fedora/srpm":            {"fedora/macro", "overlay/diag", "fedora/evr"},
	"fedora/autospec":        {"fedora", "fedora/cache", "fedora/distgit", "fedora/evr", "fedora/macro", "overlay", "overlay/spec", "overlay/diag", "overlay/regex"},
	"overlay/patch":          {"overlay/regex"},
	"components/foreign":     {"overlay", "overlay/diag", "overlay/patch", "overlay/regex"},
	"render/template":        {"components/schema", "components", "fedora", "fedora/macro", "fedora/autospec", "overlay", "overlay/regex", "overlay/spec", "overlay/diag"},
	"render":                 {"components/distro", "fedora/macro/report", "components", "components/lock", "fedora", "fedora/cache", "fedora/distgit", "fedora/evr", "fedora/lookaside", "fedora/snapshot", "fedora/srpm/reader", "fedora/macro", "fedora/autospec", "overlay", "overlay/regex", "overlay/spec", "overlay/diag", "render/kept", "render/template"},
	"render/kept":            {"fedora/cache", "overlay", "overlay/diag"},
	"render/rebase":          {"components/distro", "components", "components/edit", "fedora", "fedora/cache", "fedora/evr", "fedora/lookaside", "fedora/macro", "fedora/unpack", "overlay", "overlay/absorb", "overlay/diag", "overlay/patch", "overlay/spec", "render", "render/review/semantic"},
	"render/revision":        {"components", "components/lock", "fedora", "fedora/distgit", "overlay/diag", "render"},
	"render/convert":         {"components", "components/edit", "components/lock", "components/pin", "components/schema", "overlay/diag", "overlay/spec", "render", "render/revision"},
	"render/review":          {"components", "components/lock", "fedora", "fedora/evr", "fedora/macro", "fedora/autospec", "overlay", "overlay/spec", "overlay/diag", "render", "render/template", "render/revision", "render/review/semantic"},
	"render/review/semantic": {"fedora", "fedora/evr", "fedora/macro", "overlay/spec", "overlay/diag", "overlay/regex"},
	"render/review/lint":     {"components", "components/edit", "components/lock", "fedora", "fedora/evr", "fedora/macro", "fedora/autospec", "overlay", "overlay/regex", "overlay/spec", "overlay/diag", "render", "render/template", "render/revision", "render/review", "render/review/semantic"},
	"render/review/report":   {"components", "components/lock", "fedora", "fedora/evr", "fedora/macro", "fedora/autospec", "overlay", "overlay/spec", "overlay/diag", "render", "render/template", "render/revision", "render/review", "render/review/semantic", "render/review/lint"},
	"render/editor/buffer":   {},
	"render/editor":          {"components", "components/edit", "components/schema", "components/toml", "fedora/macro", "overlay", "overlay/absorb", "overlay/diag", "overlay/regex", "overlay/spec", "render", "render/rebase", "render/review", "render/review/lint", "render/editor/buffer"},
	"render/editor/lsp":      {"components", "overlay/diag", "render/editor", "render/editor/buffer"},
	"render/prepare":         {"components", "fedora/lookaside", "fedora/macro", "fedora/srpm", "overlay", "overlay/archive", "overlay/diag", "render"},
	"render/facts":           {"components", "fedora/cache", "fedora/macro", "overlay/diag", "render", "render/revision", "render/review/semantic"},
	"render/plan":            {"fedora/evr", "fedora/macro", "fedora/repodata", "overlay/diag", "render/facts", "render/revision", "overlay/regex"},
	"render/attest":          {"components", "fedora/cache", "fedora/lookaside", "fedora/macro", "overlay/diag", "render"},
	"cmd/specgraft":          {"*"},

	// A group of commands sees what is below it, and none of the other groups.
	"cmd/specgraft/cli":       {"*"},
	"cmd/specgraft/config":    {"*", "cmd/specgraft/cli"},
	"cmd/specgraft/effect":    {"*", "cmd/specgraft/cli"},
	"cmd/specgraft/hostile":   {},
	"cmd/specgraft/rendering": {"*", "cmd/specgraft/cli"},
	"cmd/specgraft/specs":     {"*", "cmd/specgraft/cli"},
	"cmd/specgraft/tools":     {"*", "cmd/specgraft/cli"},
	"cmd/specgraft/upstream":  {"*", "cmd/specgraft/cli"},
}

// TestImports holds the packages to the table above. overlay/diag sees the
// standard library only.
func TestImports(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "specgraft/...")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Skipf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "specgraft/")
		allowed, ok := allowedImports[name]
		if !ok {
			t.Errorf("%s is a new package: say in the table what it may import", name)
			continue
		}
		seen++
		for _, imp := range p.Imports {
			ours, ok := strings.CutPrefix(imp, "specgraft/")
			all := slices.Contains(allowed, "*") && (name == "cmd/specgraft" || !strings.HasPrefix(ours, "cmd/"))
			if ok && !all && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			if name == "overlay/diag" && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				t.Errorf("%s must not import %s: it sees the standard library only", name, imp)
			}
		}
	}
	if seen < 8 {
		t.Errorf("go list named only %d packages", seen)
	}
}
