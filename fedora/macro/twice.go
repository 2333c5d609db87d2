package macro

import (
	"go/token"
	"strings"

	"specgraft/overlay/diag"
)

// applies notes that %prep applies a patch, and says so when it did before: the
// build stops at "previously applied patch". A patch may well go into two source
// trees, so only what is applied without a change of directory in between counts.
func (st *specState) applies(number int, reverse bool) {
	if st.e.maybe > 0 || st.sect != "prep" {
		return
	}
	if st.applied == nil {
		st.applied = map[int]token.Position{}
	}
	first, again := st.applied[number]
	switch {
	case reverse:
		delete(st.applied, number)
	case !again:
		st.applied[number] = st.e.pos
	case first != st.e.pos:
		d := st.e.warn("macro/patch-twice", "patch %d is applied twice: the build stops when it finds it applied already", number)
		d.Hint = "remove one of the two lines; %autosetup applies all patches unless it has -N"
		d.Related = append(d.Related, diag.Related{Pos: first, Message: "applied the first time here"})
	}
}

// directoryWords begin commands behind which patches go elsewhere.
var directoryWords = map[string]bool{"cd": true, "pushd": true, "popd": true, "(cd": true}

// changesDirectory notes a line of %prep behind which patches go into another
// tree. What the same line of the spec applies, as %autosetup does, comes behind
// the commands that it begins with.
func (st *specState) changesDirectory(line string) {
	word, _ := splitWord(strings.TrimLeft(line, " \t"))
	if !directoryWords[word] {
		return
	}
	for n, pos := range st.applied {
		if pos != st.e.pos {
			delete(st.applied, n)
		}
	}
}
