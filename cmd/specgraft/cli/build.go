package cli

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// BuildID names this build of the tool: the revision of a clean build, else the
// binary by size and time.
func BuildID() string {
	v := Version()
	if exe, err := os.Executable(); err == nil && (strings.HasSuffix(v, "+changes") || !strings.Contains(v, "-")) {
		if st, err := os.Stat(exe); err == nil {
			v += fmt.Sprintf("-%d-%d", st.Size(), st.ModTime().UnixNano())
		}
	}
	return v
}

// Version returns the version of this build: the module version where the
// binary was installed as a module, else the revision it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	rev, dirty := Commit(info)
	switch {
	case rev == "":
		return "devel"
	case dirty:
		return "devel-" + rev[:min(12, len(rev))] + "+changes"
	}
	return "devel-" + rev[:min(12, len(rev))]
}

// Commit returns the commit that a build was made from, or the empty string, and
// whether the files differed from it.
func Commit(info *debug.BuildInfo) (rev string, dirty bool) {
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			rev = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return rev, dirty
}
