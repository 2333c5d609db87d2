package macro

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A changelogReader looks at the lines of %changelog as rpm does when it makes
// entries of them (parseChangelog.c). What it does not like it says, and leaves
// the changelog out of the package, or one entry; the spec it takes all the
// same, so that nobody notices.
type changelogReader struct {
	st      *specState
	stopped bool // rpm gave up here
	begun   bool
	entry   bool      // the entry has text
	date    time.Time // of the entry
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

var months = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// line takes one line of the section.
func (c *changelogReader) line(line string) {
	text := strings.TrimRight(line, " \t\r\n\f\v")
	if c.stopped || text == "" {
		return
	}
	if hasUnknown(text) { // an entry or many
		c.stopped = true
		return
	}
	if text[0] != '*' {
		if !c.begun {
			c.stop("the text stands before the first entry of the changelog, which begins with *: rpm leaves the whole changelog out",
				"begin the entry with a line such as \"* Thu Aug 22 2013 Name <address> - 1-1\"")
		}
		c.entry = true
		return
	}
	if c.begun && !c.entry {
		// rpm skips blank lines before it looks for the text.
		c.entry = true
		pos := c.st.e.pos
		c.st.e.pos = c.st.changelogPos
		d := c.st.e.warn("macro/changelog", "the changelog entry has no text: rpm takes the entry below for it")
		d.Hint = "say what was changed, in a line that begins with -"
		c.st.e.pos = pos
		return
	}
	c.begun, c.entry = true, false
	date, rest, ok := changelogDate(strings.TrimLeft(text[1:], " \t"))
	switch {
	case !ok:
		c.stop("the date of the changelog entry cannot be read: rpm leaves the whole changelog out",
			"write it as \"Thu Aug 22 2013\"; rpm takes years from 1990")
		return
	case rest == "":
		c.stop("the changelog entry has no name behind the date: rpm leaves the whole changelog out", "add who made the change")
		return
	case !c.date.IsZero() && date.After(c.date):
		c.stop("the changelog entry is newer than the one above it: rpm leaves the whole changelog out", "put the newest entry first")
		return
	}
	if want := weekdays[date.Weekday()]; !strings.HasPrefix(strings.TrimLeft(text[1:], " \t"), want) {
		d := c.st.e.warn("macro/changelog", "that day of the changelog was a %s: rpm calls it a bogus date", want)
		d.Hint = "correct the day of the week or the date"
	}
	c.date = date
	c.st.changelogPos = c.st.e.pos
}

// end is called behind the last entry.
func (c *changelogReader) end() {
	if c.begun && !c.entry && !c.stopped {
		pos := c.st.e.pos
		c.st.e.pos = c.st.changelogPos
		c.stop("the changelog entry has no text: rpm leaves the whole changelog out", "say what was changed, in a line that begins with -")
		c.st.e.pos = pos
	}
}

func (c *changelogReader) stop(message, hint string) {
	c.stopped = true
	c.st.e.warn("macro/changelog", "%s", message).Hint = hint
}

// changelogDate reads the date in front of an entry: "Thu Aug 22 2013", or with
// a time and zone before the year. A day that the month does not have, but some
// month has, runs over into the next one, as rpm lets it.
func changelogDate(s string) (t time.Time, rest string, ok bool) {
	var words [6]string
	n := 0
	take := func() bool {
		words[n], s = splitWord(s)
		s = strings.TrimLeft(s, " \t")
		n++
		return words[n-1] != ""
	}
	for range 4 {
		if !take() {
			return t, "", false
		}
	}
	year := words[3]
	if strings.Count(year, ":") == 2 { // Thu Aug 22 12:00:00 UTC 2013
		for range 2 {
			if !take() {
				return t, "", false
			}
		}
		year = words[5]
	}
	day, err := strconv.Atoi(words[2])
	y, err2 := strconv.Atoi(year)
	month := slices.Index(months, words[1])
	if err != nil || err2 != nil || month < 0 || !slices.Contains(weekdays, words[0]) || day < 1 || day > 31 || y < 1990 || y > 9999 {
		return t, "", false
	}
	return time.Date(y, time.Month(month+1), day, 12, 0, 0, 0, time.UTC), s, true
}
