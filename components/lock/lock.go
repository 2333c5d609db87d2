// Package lock keeps, beside a project's configuration, which upstream commit
// each component is built from and a fingerprint of everything that goes into
// it: the lock files, how they are brought up to date, and why a fingerprint
// differs between two states of a project. It starts no process; who asks
// upstream is a function that the caller passes.
package lock

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"specgraft/overlay/diag"
)

// A Lock pins one component: the upstream commit it is built from and the
// fingerprint of everything that goes into it. It is stored in LOCKDIR/NAME.lock.
type Lock struct {
	Version             int    // of the format; 1
	ImportCommit        string // upstream commit of the very first lock, "" for local components
	UpstreamCommit      string // commit to build from, full or as pinned; "" for local components
	ManualBump          int    // rebuilds asked for with update --bump
	InputFingerprint    string // "sha256:" and 64 hex digits, see Fingerprint
	ResolutionInputHash string // the same form, see ResolutionHash

	name string // of the file it was read from, "" for one that was not
	text []byte // as read
}

// Version is the version of the lock format.
const Version = 1

// Suffix is what the name of a lock file ends in.
const Suffix = ".lock"

const header = "# Managed by azldev component update. Do not edit manually.\n"

// Parse reads a lock file. Unknown keys are ignored, so that newer tools
// may add some; another version is an error. The error is a *diag.Diagnostic
// with a position in the file called name.
func Parse(name string, b []byte) (*Lock, error) {
	l := &Lock{name: name, text: b}
	if l.parseCanonical(b) {
		return l, nil
	}
	var raw struct {
		Version             *int64 `toml:"version"`
		ImportCommit        string `toml:"import-commit"`
		UpstreamCommit      string `toml:"upstream-commit"`
		ManualBump          int64  `toml:"manual-bump"`
		InputFingerprint    string `toml:"input-fingerprint"`
		ResolutionInputHash string `toml:"resolution-input-hash"`
	}
	if err := toml.Unmarshal(b, &raw); err != nil {
		d := &diag.Diagnostic{
			Pos:     token.Position{Filename: name},
			Code:    "lock/syntax",
			Message: "not a lock file",
			Hint:    "restore it from version control, or remove it and run `specgraft update " + componentOf(name) + "`",
		}
		if de := (*toml.DecodeError)(nil); errors.As(err, &de) {
			d.Pos.Line, d.Pos.Column = de.Position()
			if key := strings.Join(de.Key(), "."); key != "" {
				d.Message = fmt.Sprintf("not a lock file: the value of %q has the wrong type", key)
			} else {
				d.Message = "not a lock file: " + strings.TrimPrefix(de.Error(), "toml: ")
			}
		}
		return nil, d
	}
	version := int64(0)
	if raw.Version != nil {
		version = *raw.Version
	}
	if version != Version {
		return nil, &diag.Diagnostic{
			Pos:     l.at("version"),
			Code:    "lock/version",
			Message: fmt.Sprintf("unsupported lock file version %d (expected %d)", version, Version),
			Hint:    "use the tool that wrote it, or remove it and run `specgraft update " + componentOf(name) + "`",
		}
	}
	if raw.ManualBump < 0 || raw.ManualBump > 1<<31 {
		return nil, &diag.Diagnostic{
			Pos:     l.at("manual-bump"),
			Code:    "lock/syntax",
			Message: fmt.Sprintf("manual-bump %d is out of range", raw.ManualBump),
			Hint:    "restore the file from version control",
		}
	}
	l.Version = Version
	l.ImportCommit = raw.ImportCommit
	l.UpstreamCommit = raw.UpstreamCommit
	l.ManualBump = int(raw.ManualBump)
	l.InputFingerprint = raw.InputFingerprint
	l.ResolutionInputHash = raw.ResolutionInputHash
	return l, nil
}

// parseCanonical reads a file that is exactly what Bytes writes, which all but
// hand-edited ones are, without the cost of the TOML decoder. It reports
// whether it was one.
func (l *Lock) parseCanonical(b []byte) bool {
	rest, ok := strings.CutPrefix(string(b), header)
	if !ok {
		return false
	}
	var c Lock
	for rest != "" {
		var line string
		if line, rest, ok = strings.Cut(rest, "\n"); !ok {
			return false
		}
		key, value, ok := strings.Cut(line, " = ")
		if !ok {
			return false
		}
		if n, err := strconv.Atoi(value); err == nil {
			switch key {
			case "version":
				c.Version = n
			case "manual-bump":
				c.ManualBump = n
			}
			continue
		}
		if len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			return false
		}
		value = value[1 : len(value)-1]
		switch key {
		case "import-commit":
			c.ImportCommit = value
		case "upstream-commit":
			c.UpstreamCommit = value
		case "input-fingerprint":
			c.InputFingerprint = value
		case "resolution-input-hash":
			c.ResolutionInputHash = value
		}
	}
	if c.Version != Version || !bytes.Equal(c.Bytes(), b) {
		return false
	}
	c.name, c.text = l.name, l.text
	*l = c
	return true
}

// Bytes returns the lock file: a comment, then the keys in their fixed order
// with literal strings, those with a zero value left out.
func (l *Lock) Bytes() []byte {
	b := make([]byte, 0, 512)
	b = append(b, header...)
	number := func(key string, n int) {
		if n != 0 {
			b = fmt.Appendf(b, "%s = %d\n", key, n)
		}
	}
	text := func(key, s string) {
		if s != "" {
			b = append(b, key...)
			b = append(b, " = "...)
			b = append(b, tomlString(s)...)
			b = append(b, '\n')
		}
	}
	number("version", l.Version)
	text("import-commit", l.ImportCommit)
	text("upstream-commit", l.UpstreamCommit)
	number("manual-bump", l.ManualBump)
	text("input-fingerprint", l.InputFingerprint)
	text("resolution-input-hash", l.ResolutionInputHash)
	return b
}

// Equal reports whether both locks would be written the same.
func (l *Lock) Equal(m *Lock) bool {
	if l == nil || m == nil {
		return l == m
	}
	return l.Version == m.Version && l.ImportCommit == m.ImportCommit && l.UpstreamCommit == m.UpstreamCommit &&
		l.ManualBump == m.ManualBump && l.InputFingerprint == m.InputFingerprint && l.ResolutionInputHash == m.ResolutionInputHash
}

// Pos returns where key stands in the file the lock was read from, or the zero
// position. Keys are looked for at the start of lines, where Bytes puts them.
func (l *Lock) Pos(key string) token.Position {
	b, offset := l.text, 0
	for num := 1; len(b) > 0; num++ {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		trimmed := bytes.TrimLeft(line, " \t")
		if k, _, ok := bytes.Cut(trimmed, []byte("=")); ok && string(bytes.TrimSpace(k)) == key {
			indent := len(line) - len(trimmed)
			return token.Position{Filename: l.name, Offset: offset + indent, Line: num, Column: 1 + indent}
		}
		offset += len(b) - len(rest)
		b = rest
	}
	return token.Position{}
}

// at returns the position of key, or the start of the file when it is missing.
func (l *Lock) at(key string) token.Position {
	if p := l.Pos(key); p.Line > 0 {
		return p
	}
	return token.Position{Filename: l.name, Line: 1, Column: 1}
}

// tomlString quotes s as a literal string, or as a basic one where TOML's
// literal strings cannot hold it.
func tomlString(s string) string {
	literal := true
	for _, r := range s {
		if r == '\'' || r < ' ' && r != '\t' || r == 0x7f {
			literal = false
		}
	}
	if literal {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// componentOf returns the component a lock file belongs to.
func componentOf(name string) string {
	return strings.TrimSuffix(filepath.Base(name), Suffix)
}

// Codes are the diagnostics about lock files.
var Codes = []diag.Code{
	{ID: "lock/syntax", Summary: "a lock file cannot be read",
		Doc: "Lock files are written by `specgraft update` and not edited by hand. Restore the file from version control, or let update write it again."},
	{ID: "lock/version", Summary: "a lock file has an unknown version",
		Doc: "The file was written by a newer tool. Use that tool, or write the lock again with `specgraft update`."},
	{ID: "lock/missing", Summary: "an upstream component has no lock",
		Doc: "The project has a lock directory, so every component from upstream needs a lock. `specgraft update NAME` writes it."},
	{ID: "lock/stale", Summary: "a lock contradicts the configuration",
		Doc: "The lock has another commit than the component is pinned to, or none. `specgraft update NAME` brings it up to date."},
	{ID: "lock/orphan", Summary: "a lock belongs to no component",
		Doc: "The component was removed or renamed. `specgraft update -a` removes such locks."},
	{ID: "lock/no-hash", Summary: "a fingerprint needs the hash of every source file",
		Doc: "Without a hash the content of the file could change unseen. Set hash and hash-type in source-files."},
	{ID: "lock/unreadable", Summary: "a file that locking needs cannot be read",
		Doc: "Lock files, the sources of overlays and all files beside a local spec are read to compute locks."},
	{ID: "lock/unresolved", Summary: "no upstream commit was found for a component",
		Doc: "No lock file is written when a component of the run fails, so that locks always belong together."},
	{ID: "lock/lost-commit", Summary: "a commit that upstream's rewritten history has lost",
		Doc: "`specgraft update --accept-rewritten` replaces commits that upstream no longer has by the nearest with the same files. What files a lost commit had is known while the mirror or the cache has it. Without that, a lock takes what upstream has now, and an import commit becomes the upstream commit; a pin is left for you to choose."},
	{ID: "lock/write", Summary: "a lock file cannot be written",
		Doc: "The lock files that were exchanged before the failure are put back."},
}
