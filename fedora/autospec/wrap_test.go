package autospec

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// naiveWrap is a second implementation of wrap that follows the description of
// Python's algorithm without regard for speed: chunks come from matching
// regular expressions at every place.
func naiveWrap(text string) []string {
	chunks := naiveChunks(naiveFlatten(text))
	slices.Reverse(chunks)
	length := func(s string) int { return len([]rune(s)) }
	last := func() string { return chunks[len(chunks)-1] }
	drop := func() { chunks = chunks[:len(chunks)-1] }
	blank := func(s string) bool { return strings.TrimFunc(s, isSpace) == "" }
	var lines []string
	for len(chunks) > 0 {
		indent := "  "
		if lines == nil {
			indent = ""
		} else if blank(last()) {
			drop()
		}
		width := 75 - len(indent)
		var line []string
		for len(chunks) > 0 && length(strings.Join(line, ""))+length(last()) <= width {
			line = append(line, last())
			drop()
		}
		if len(chunks) > 0 && length(last()) > width {
			word := []rune(last())
			room := width - length(strings.Join(line, ""))
			cut := room
			if head := string(word[:room]); strings.Contains(head, "-") {
				before := []rune(head[:strings.LastIndex(head, "-")])
				if strings.Trim(string(before), "-") != "" {
					cut = len(before) + 1
				}
			}
			line = append(line, string(word[:cut]))
			chunks[len(chunks)-1] = string(word[cut:])
		}
		if len(line) > 0 && blank(line[len(line)-1]) {
			line = line[:len(line)-1]
		}
		if len(line) > 0 {
			lines = append(lines, indent+strings.Join(line, ""))
		}
	}
	return lines
}

func naiveFlatten(text string) string {
	var out strings.Builder
	column := 0
	for _, r := range text {
		if r == '\t' {
			pad := strings.Repeat(" ", 8-column%8)
			out.WriteString(pad)
			column += len(pad)
			continue
		}
		column++
		if r == '\n' || r == '\r' {
			column = 0
		}
		out.WriteRune(r)
	}
	return strings.NewReplacer("\n", " ", "\v", " ", "\f", " ", "\r", " ").Replace(out.String())
}

var (
	wordClass   = `[\p{L}\p{N}_]`
	letterClass = `[\p{L}\p{Nl}\p{No}_]`
	blankRun    = regexp.MustCompile(`^ +`)
	dashAhead   = regexp.MustCompile(`^-{2,}` + wordClass)
	dashRun     = regexp.MustCompile(`^-{2,}`)
	dashBehind  = regexp.MustCompile(`(?:` + wordClass + `|[!"'&.,?])$`)
	hyphenLeft  = regexp.MustCompile(letterClass + `(?:-)?` + letterClass + `-$`)
	hyphenRight = regexp.MustCompile(`^` + letterClass + `-?` + letterClass)
)

// behind returns what the expressions that look back need of text before at:
// at most four characters. They would search all of it otherwise.
func behind(text string, at int) string {
	from := max(0, at-4*utf8.UTFMax)
	for !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:at]
}

// naiveChunks splits with one regular expression for each rule.
func naiveChunks(text string) []string {
	var chunks []string
	starts := []int{}
	for i := range text {
		starts = append(starts, i)
	}
	starts = append(starts, len(text))
	for at := 0; at < len(text); {
		end := at
		if m := blankRun.FindString(text[at:]); m != "" {
			end = at + len(m)
		} else if dashBehind.MatchString(behind(text, at)) && dashAhead.MatchString(text[at:]) {
			end = at + len(dashRun.FindString(text[at:]))
		} else {
			for _, to := range starts {
				if to <= at {
					continue
				}
				done := to == len(text) || text[to] == ' ' ||
					dashBehind.MatchString(behind(text, to)) && dashAhead.MatchString(text[to:])
				// The shortest match that ends in a breaking hyphen comes
				// when the hyphen is consumed, in the step before this one.
				if to-at >= 2 && text[to-1] == '-' && hyphenLeft.MatchString(behind(text, to)) && hyphenRight.MatchString(text[to:]) {
					done = true
				}
				if done {
					end = to
					break
				}
			}
		}
		chunks = append(chunks, text[at:end])
		at = end
	}
	return chunks
}

var wrapSamples = []string{
	"",
	"- ",
	"- one two",
	"- " + strings.Repeat("word ", 40),
	"- " + strings.Repeat("x", 200),
	"- " + strings.Repeat("ab-cd-", 40),
	"- a--b c -- d e---f g!--h i--",
	"- \ttabs\t\tand\vfeeds\f\r",
	"- no\u00a0break " + strings.Repeat("\u00a0", 90),
	"- " + strings.Repeat("-", 100),
	"- well-known x-y-z 1-2 a1-b2 été-là ²-³ a-b-cc-d",
	"- " + strings.Repeat("a", 73) + " " + strings.Repeat("b", 74),
	"- " + strings.Repeat("a", 70) + "  " + strings.Repeat("b", 80),
	"- --long-option=value --other-option -x",
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, text := range wrapSamples {
		if diff := cmp.Diff(naiveWrap(text), wrap(text)); diff != "" {
			t.Errorf("%q (-naive +wrap):\n%s", text, diff)
		}
	}
	// Random texts from the characters that matter.
	alphabet := []rune("aaabbé1²_  -- --.,!\"'&?\t\u00a0\u2028Ж")
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		text := make([]rune, rnd.IntN(260))
		for i := range text {
			text[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		if diff := cmp.Diff(naiveWrap(string(text)), wrap(string(text))); diff != "" {
			t.Fatalf("%q (-naive +wrap):\n%s", string(text), diff)
		}
	}
}

func FuzzWrap(f *testing.F) {
	for _, s := range wrapSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		text = decodeUTF8(text)
		lines := wrap(text)
		if diff := cmp.Diff(naiveWrap(text), lines); diff != "" {
			t.Fatalf("(-naive +wrap):\n%s", diff)
		}
		// Nothing but white space is lost, and no line is too long.
		keep := func(s string) string {
			return strings.Map(func(r rune) rune {
				if isSpace(r) {
					return -1
				}
				return r
			}, s)
		}
		if keep(text) != keep(strings.Join(lines, "")) {
			t.Fatalf("wrap(%q) = %q", text, lines)
		}
		for _, l := range lines {
			if n := len([]rune(l)); n > lineWidth {
				t.Fatalf("line of %d: %q", n, l)
			}
		}
	})
}

func TestIsSpace(t *testing.T) {
	t.Parallel()
	// The characters for which Python's str.isspace is true.
	want := "\t\n\v\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
	var got strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if isSpace(r) {
			got.WriteRune(r)
		}
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}
