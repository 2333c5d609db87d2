package macro

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"specgraft/overlay/diag"
)

const (
	setFileHead = "# specgraft macro set "
	setFileSum  = "# sha256 "
	setFileRPM  = "# rpm "                        // and a version, in a file for rpm to load
	setFileRest = "\n# stand-ins for rpm alone\n" // ends what the set is made of
)

// File returns the set as a file that ParseSet reads: two lines of comment with
// the name and the SHA-256 of all that follows, and the macros in the syntax of
// macro files.
func (s *Set) File() []byte { return []byte(setHead(s.name, s.Text())) }

func setHead(name, text string) string {
	return setFileHead + name + "\n" + setFileSum + textSum(text) + "\n" + text
}

// ParseSet reads the text of a file that Set.File wrote. It refuses text that
// was changed since: a set is pinned by its content. The error is a
// *diag.Diagnostic with the position in the file.
func ParseSet(file string, text []byte) (*Set, error) {
	fail := func(line int, message string) error {
		d := &diag.Diagnostic{Code: "macro/set", Message: message, Hint: "make one with 'specgraft macros import'"}
		d.Pos.Filename, d.Pos.Line, d.Pos.Column = file, line, 1
		return d
	}
	head, rest, _ := strings.Cut(string(text), "\n")
	sum, macros, _ := strings.Cut(rest, "\n")
	name, ok := strings.CutPrefix(head, setFileHead)
	if !ok {
		return nil, fail(1, "not a macro set")
	}
	sum, ok = strings.CutPrefix(sum, setFileSum)
	if !ok {
		return nil, fail(2, fmt.Sprintf("macro set without the line %q", setFileSum+"..."))
	}
	if sum != textSum(macros) {
		return nil, fail(2, "the macro set was changed since it was made: the content is not what its hash says")
	}
	version := ""
	if rest, ok := strings.CutPrefix(macros, setFileRPM); ok {
		version, macros, _ = strings.Cut(rest, "\n")
		macros, _, _ = strings.Cut(macros, setFileRest)
	}
	set := Load(name, macros, nil)
	if versionOfRPM().MatchString(version) {
		set = set.WithRPM(version)
	}
	return set, nil
}

func textSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
