package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestLoadComponents holds that a list of packages which did not change is left out
// the second time, unless everything is to be read.
func TestLoadComponents(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("files are not known by what the system says of them here")
	}
	dir := t.TempDir()
	list := "[package-groups.sdk]\npackages = [\n"
	for i := range 2000 {
		list += fmt.Sprintf("    \"package-%04d\",\n", i)
	}
	for name, text := range map[string]string{"azldev.toml": "includes = [\"sdk.toml\"]\n", "sdk.toml": list + "]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(80 * time.Millisecond) // what was just written is not believed
	cache := t.TempDir()
	for i, whole := range []bool{true, false, true} {
		g := NewGlobals(strings.NewReader(""), io.Discard, io.Discard)
		g.ProjectDir, g.cacheDir, g.ReadAll = dir, cache, i == 2
		p, err := g.LoadComponents()
		if err != nil {
			t.Fatal(err)
		}
		text, err := p.Dump("toml")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "package-0001") != whole {
			t.Errorf("load %d has the packages: %v", i, !whole)
		}
	}
}
