package overlay

import (
	"errors"
	"fmt"

	"github.com/bmatcuk/doublestar/v4"
)

// Bounds of a glob pattern. Matching takes time that grows with each of the
// alternatives in braces and, in a tree of files, with each doublestar to the
// power of the others; nobody needs more of them than this.
const (
	maxGlob             = 4096 // bytes
	maxGlobAlternatives = 512  // texts that the braces stand for
	maxGlobDepth        = 8    // braces inside of braces
	maxGlobStars        = 3    // doublestars with something between them
)

var errGlob = errors.New("not a valid glob pattern")

// CheckGlob reports why a pattern of paths cannot be matched: it is no pattern
// as doublestar reads them, or matching it could take for ever.
func CheckGlob(pattern string) error {
	if len(pattern) > maxGlob {
		return fmt.Errorf("a pattern has at most %d bytes, not %d", maxGlob, len(pattern))
	}
	alternatives, depth, stars := 1, 0, 0
	commas := [maxGlobDepth + 1]int{}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '{':
			if depth++; depth > maxGlobDepth {
				return fmt.Errorf("braces are nested more than %d deep", maxGlobDepth)
			}
			commas[depth] = 0
		case c == ',' && depth > 0:
			commas[depth]++
		case c == '}' && depth > 0:
			if alternatives *= commas[depth] + 1; alternatives > maxGlobAlternatives {
				return fmt.Errorf("the braces stand for more than %d texts", maxGlobAlternatives)
			}
			depth--
		case c == '*' && i+1 < len(pattern) && pattern[i+1] == '*':
			for i+1 < len(pattern) && pattern[i+1] == '*' {
				i++
			}
			if stars++; stars > maxGlobStars {
				return fmt.Errorf("** stands in the pattern more than %d times", maxGlobStars)
			}
		}
	}
	if !doublestar.ValidatePattern(pattern) {
		return errGlob
	}
	return nil
}
