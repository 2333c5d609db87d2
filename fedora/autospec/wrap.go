package autospec

import (
	"slices"
	"strings"
	"unicode"
)

// lineWidth is the width of changelog lines in code points.
const lineWidth = 75

// wrap breaks text into lines as Python's textwrap does with width 75 and
// continuation lines indented by two blanks.
func wrap(text string) []string {
	// The chunks are consumed from the front; too long ones are cut in place.
	chunks := splitChunks(flattenBlanks([]rune(text)))
	var lines []string
	for len(chunks) > 0 {
		indent := ""
		if len(lines) > 0 {
			indent = "  "
			if isBlank(chunks[0]) {
				chunks = chunks[1:]
			}
		}
		width := lineWidth - len(indent)
		var line [][]rune
		n := 0
		for len(chunks) > 0 && n+len(chunks[0]) <= width {
			line, n, chunks = append(line, chunks[0]), n+len(chunks[0]), chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > width {
			cut := cutPoint(chunks[0], width-n)
			line, chunks[0] = append(line, chunks[0][:cut]), chunks[0][cut:]
		}
		if len(line) > 0 && isBlank(line[len(line)-1]) {
			line = line[:len(line)-1]
		}
		if len(line) > 0 {
			lines = append(lines, indent+string(slices.Concat(line...)))
		}
	}
	return lines
}

// cutPoint returns where to cut a word that is longer than a whole line when
// room code points are left on this one: behind the last hyphen that fits,
// unless nothing but hyphens would stand before it.
func cutPoint(word []rune, room int) int {
	for i := room - 1; i > 0; i-- {
		if word[i] == '-' {
			if slices.ContainsFunc(word[:i], func(r rune) bool { return r != '-' }) {
				return i + 1
			}
			break
		}
	}
	return room
}

// flattenBlanks expands tabs to columns of eight and turns every other ASCII
// white space into a blank. A no-break space is a letter here.
func flattenBlanks(text []rune) []rune {
	out := make([]rune, 0, len(text))
	column := 0
	for _, r := range text {
		switch r {
		case '\t':
			for n := 8 - column%8; n > 0; n-- {
				out = append(out, ' ')
				column++
			}
			continue
		case '\n', '\r':
			r, column = ' ', -1
		case '\v', '\f':
			r = ' '
		}
		out = append(out, r)
		column++
	}
	return out
}

// splitChunks cuts text into the pieces between which a line may break: runs of
// blanks, words, parts of hyphenated words, and dashes between words.
func splitChunks(text []rune) [][]rune {
	var chunks [][]rune
	for start := 0; start < len(text); {
		end := chunkEnd(text, start)
		chunks = append(chunks, text[start:end])
		start = end
	}
	return chunks
}

func chunkEnd(text []rune, start int) int {
	if text[start] == ' ' {
		end := start + 1
		for end < len(text) && text[end] == ' ' {
			end++
		}
		return end
	}
	if end := dash(text, start); end > 0 {
		return end
	}
	for end := start + 1; ; end++ {
		if end == len(text) || text[end] == ' ' {
			return end
		}
		if text[end] == '-' && hyphenAt(text, end) {
			return end + 1
		}
		if dash(text, end) > 0 {
			return end
		}
	}
}

// dash returns the end of the dash that starts at i: two or more hyphens
// between something that can end a word and something that can start one. It
// returns 0 when there is none.
func dash(text []rune, i int) int {
	if i == 0 || text[i] != '-' || !endsWord(text[i-1]) {
		return 0
	}
	end := i
	for end < len(text) && text[end] == '-' {
		end++
	}
	if end-i < 2 || end == len(text) || !isWordRune(text[end]) {
		return 0
	}
	return end
}

// hyphenAt reports whether a word may break behind the hyphen at i: two
// letters, or a letter, a hyphen and a letter, on the left, and the same on
// the right.
func hyphenAt(text []rune, i int) bool {
	letter := func(j int) bool { return j >= 0 && j < len(text) && isWordLetter(text[j]) }
	hyphen := func(j int) bool { return j >= 0 && j < len(text) && text[j] == '-' }
	left := letter(i-1) && (letter(i-2) || hyphen(i-2) && letter(i-3))
	right := letter(i+1) && (letter(i+2) || hyphen(i+2) && letter(i+3))
	return left && right
}

func endsWord(r rune) bool {
	return isWordRune(r) || strings.ContainsRune("!\"'&.,?", r)
}

// isWordRune is \w of Python's regular expressions.
func isWordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}

// isWordLetter is [^\d\W]: a word character that is no decimal digit.
func isWordLetter(r rune) bool {
	return isWordRune(r) && !unicode.IsDigit(r)
}

// isBlank reports whether nothing is left of a chunk after stripping it. A
// chunk of no-break spaces is a word when lines are broken, but blank here.
func isBlank(chunk []rune) bool {
	return !slices.ContainsFunc(chunk, func(r rune) bool { return !isSpace(r) })
}

// isSpace is Python's notion of white space, which has four control characters
// more than Go's.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
}

// strip removes white space from both ends, in Python's sense.
func strip(s string) string { return strings.TrimFunc(s, isSpace) }
