package spec

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A word is the first token of a line when it means something to the
// compatible view: an index into words, or wordNew.
type word uint8

const (
	wordNone   word = 0
	firstCond  word = 34
	wordNew    word = 63 // not looked at yet
	wordsTotal      = 64
)

// words lists the section headers that the reference knows, and behind them
// the words that build conditionals. %sepolicy, %verifyscript and %trigger
// are sections to rpm, but not to the reference.
var words = [wordsTotal]struct {
	text string
	kind SectionKind
	cond CondRole
}{
	1:  {text: "%package", kind: PackageSection},
	2:  {text: "%prep", kind: ScriptSection},
	3:  {text: "%conf", kind: ScriptSection},
	4:  {text: "%build", kind: ScriptSection},
	5:  {text: "%install", kind: ScriptSection},
	6:  {text: "%check", kind: ScriptSection},
	7:  {text: "%clean", kind: ScriptSection},
	8:  {text: "%generate_buildrequires", kind: ScriptSection},
	9:  {text: "%pre", kind: ScriptSection},
	10: {text: "%post", kind: ScriptSection},
	11: {text: "%preun", kind: ScriptSection},
	12: {text: "%postun", kind: ScriptSection},
	13: {text: "%pretrans", kind: ScriptSection},
	14: {text: "%posttrans", kind: ScriptSection},
	15: {text: "%preuntrans", kind: ScriptSection},
	16: {text: "%postuntrans", kind: ScriptSection},
	17: {text: "%verify", kind: ScriptSection},
	18: {text: "%triggerin", kind: ScriptSection},
	19: {text: "%triggerun", kind: ScriptSection},
	20: {text: "%triggerprein", kind: ScriptSection},
	21: {text: "%triggerpostun", kind: ScriptSection},
	22: {text: "%filetriggerin", kind: ScriptSection},
	23: {text: "%filetriggerun", kind: ScriptSection},
	24: {text: "%filetriggerpostun", kind: ScriptSection},
	25: {text: "%transfiletriggerin", kind: ScriptSection},
	26: {text: "%transfiletriggerun", kind: ScriptSection},
	27: {text: "%transfiletriggerpostun", kind: ScriptSection},
	28: {text: "%description", kind: DescriptionSection},
	29: {text: "%files", kind: FilesSection},
	30: {text: "%changelog", kind: ChangelogSection},
	31: {text: "%patchlist", kind: ListSection},
	32: {text: "%sourcelist", kind: ListSection},
	34: {text: "%if", cond: CondOpen},
	35: {text: "%ifarch", cond: CondOpen},
	36: {text: "%ifnarch", cond: CondOpen},
	37: {text: "%ifos", cond: CondOpen},
	38: {text: "%ifnos", cond: CondOpen},
	39: {text: "%endif", cond: CondClose},
	40: {text: "%else", cond: CondBranch},
	41: {text: "%elif", cond: CondBranch},
	42: {text: "%elifarch", cond: CondBranch},
	43: {text: "%elifnarch", cond: CondBranch},
	44: {text: "%elifos", cond: CondBranch},
	45: {text: "%elifnos", cond: CondBranch},
}

func (w word) header() bool { return w-1 < firstCond-1 }

// longestWord is the length of "%transfiletriggerpostun".
const longestWord = 23

// wordOf looks at the first token of a line.
func wordOf(text string) word {
	i := 0
	for i < len(text) && asciiSpace(text[i]) {
		i++
	}
	if i == len(text) || text[i] != '%' && text[i] < utf8.RuneSelf {
		return wordNone
	}
	var low [longestWord]byte
	n := 0
	for _, c := range []byte(text[i:]) {
		if asciiSpace(c) {
			break
		}
		if c >= utf8.RuneSelf {
			return slowWord(text)
		}
		if n == len(low) {
			return wordNone
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		low[n] = c
		n++
	}
	return lookup(string(low[:n]))
}

// slowWord is wordOf for lines whose first token may have white space or
// letters beyond ASCII: "K" as the Kelvin sign lowers to "k".
func slowWord(text string) word {
	text = strings.TrimSpace(text)
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		text = text[:i]
	}
	return lookup(strings.ToLower(text))
}

func lookup(low string) word {
	for w := range words {
		if w > 0 && words[w].text == low && low != "" {
			return word(w)
		}
	}
	return wordNone
}
