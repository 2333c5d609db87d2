package macro

import (
	"strings"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// doubtful are the codes of errors that another rpm, or more macro packages
// than the set stands for, may not give: the file that is not there may be
// downloaded, the spec raises the error itself under a condition of its own,
// Lua code may call what is not known here.
var doubtful = map[string]bool{
	"macro/include": true, "macro/budget": true, "macro/recursion": true, "macro/error": true, "macro/set": true,
}

// quotedMacro finds a text in a message that has a macro which is not defined.
var quotedMacro = regex.Once(`"[^"]*%[^"]*"|not a macro of this set|is not defined here`)

// Rejections returns the errors for which rpm certainly refuses the spec,
// whatever macros a build root has on top of those of the set. There are none
// when the spec includes a file that is not there, or when the evaluation was
// stopped: what was not read may hold anything.
func (s *Spec) Rejections() diag.List {
	var list diag.List
	for _, d := range s.Problems {
		switch {
		case d.Severity != diag.Error:
		case d.Code == "macro/include" || d.Code == "macro/budget":
			return nil
		case doubtful[d.Code] || d.Code != "macro/syntax" && quotedMacro().MatchString(d.Message) || strings.Contains(d.Message, "<?>"):
		default:
			list = append(list, d)
		}
	}
	return list
}
