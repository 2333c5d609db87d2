package diag

import (
	"math/bits"
	"strings"
)

// Nearest returns the candidate closest to word by edit distance with
// transpositions, or the empty string when none is close enough to be what
// the user meant: more than a third of the letters differ, or all of them.
// Upper and lower case do not differ. Of equally close candidates the first
// wins.
func Nearest(word string, candidates []string) string {
	best, limit := "", min(max(1, len(word)/3), len(word)-1)
	word = strings.ToLower(word)
	letters, plain := lettersOf(word)
	for _, c := range candidates {
		// Each letter that only one of the two has is one difference at least.
		other, ascii := lettersOf(c)
		if plain && ascii && max(len(c)-len(word), len(word)-len(c)) > limit {
			continue
		}
		if plain && ascii && (bits.OnesCount64(letters&^other) > limit || bits.OnesCount64(other&^letters) > limit) {
			continue
		}
		if d := distance(word, strings.ToLower(c), limit); d < limit+1 {
			if d == 0 {
				return c
			}
			best, limit = c, d-1
		}
		if limit < 0 {
			break
		}
	}
	return best
}

// lettersOf returns the set of the letters of s, upper and lower case alike.
// Several letters may share a bit. It is false for a text that is not ASCII.
func lettersOf(s string) (set uint64, ascii bool) {
	for i := range len(s) {
		b := s[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b >= 0x80 {
			return 0, false
		}
		set |= 1 << (b & 63)
	}
	return set, true
}

// distance returns the optimal string alignment distance of a and b in bytes,
// or a number above limit as soon as it is known to exceed limit.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	var room [3 * 64]int // for most words, without an allocation
	rows := room[:]
	if n := 3 * (len(b) + 1); n > len(rows) {
		rows = make([]int, n)
	}
	n := len(b) + 1
	prev2, prev, cur := rows[:n], rows[n:2*n], rows[2*n:3*n]
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		low := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			low = min(low, cur[j])
		}
		if low > limit {
			return limit + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
