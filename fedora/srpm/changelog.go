package srpm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A change is an entry of the %changelog section.
type change struct {
	time int64 // seconds since 1970; noon when the entry names a day only
	name string
	text string
}

var (
	weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	months   = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
)

// parseChangelog reads the expanded text of a %changelog as rpm does: an entry
// begins with a star at the start of a line, a date and the name; the newest
// stands first. trimAge leaves out what is as many seconds older than the first
// entry, trimTime what is older than that time; the first stays.
func parseChangelog(text string, trimAge, trimTime int64) ([]change, error) {
	var out []change
	s := strings.TrimLeft(text, blanks)
	last := int64(0)
	for s != "" {
		if s[0] != '*' {
			return out, fmt.Errorf("an entry of %%changelog must begin with a *, not %q", line(s))
		}
		entry := s
		if i := strings.Index(s, "\n*"); i >= 0 {
			entry, s = s[:i], s[i+1:]
		} else {
			s = ""
		}
		head, body, _ := strings.Cut(entry, "\n")
		c, err := parseChangeLine(head)
		if err != nil {
			return out, err
		}
		if last != 0 && c.time > last {
			return out, fmt.Errorf("%%changelog is not in descending order at %q", line(head))
		}
		last = c.time
		c.text = strings.Trim(body, blanks)
		if len(out) > 0 && (trimAge > 0 && c.time < out[0].time-trimAge || trimTime > 0 && c.time < trimTime) {
			return out, nil
		}
		out = append(out, c)
	}
	return out, nil
}

// blanks are what C calls white space.
const blanks = " \t\n\v\f\r"

// line returns the first line of a text, for messages.
func line(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return first[:min(len(first), 60)]
}

// parseChangeLine reads "* Mon Jan 02 2006 Name" and the longer form with the
// time of day and its zone, "* Mon Jan 02 15:04:05 UTC 2006 Name".
func parseChangeLine(head string) (change, error) {
	bad := func(why string) (change, error) {
		return change{}, fmt.Errorf("%s in %%changelog: %q", why, line(head))
	}
	rest := strings.TrimLeft(head[1:], " \t")
	field := func() string {
		i := strings.IndexAny(rest, " \t")
		if i < 0 {
			i = len(rest)
		}
		f := rest[:i]
		rest = strings.TrimLeft(rest[i:], " \t")
		return f
	}
	if weekday := field(); index(weekdays, weekday) < 0 {
		return bad("bad date")
	}
	month := index(months, field())
	day, err := strconv.Atoi(field())
	if month < 0 || err != nil || day < 1 || day > 31 {
		return bad("bad date")
	}
	clock, zone := "12:00:00", ""
	year := field()
	if strings.Contains(year, ":") {
		clock, zone = year, field()
		year = field()
	}
	y, err := strconv.Atoi(year)
	if err != nil || y < 1990 || y > 3000 {
		return bad("bad date")
	}
	of, err := time.Parse("15:04:05", clock)
	if err != nil {
		return bad("bad time")
	}
	t := time.Date(y, time.Month(month+1), day, of.Hour(), of.Minute(), of.Second(), 0, time.UTC)
	if t.Day() != day {
		return bad("bad date")
	}
	name := strings.TrimRight(rest, blanks)
	if name == "" {
		return bad("missing name")
	}
	return change{time: t.Unix() - offset(zone, t), name: name}, nil
}

// zones are the names in changelogs that the time zone database has, in hours
// east of Greenwich, and whether they have Europe's summer time. To the C
// library, and so to rpm, every other name is UTC: CEST and EDT, too.
var zones = map[string]struct {
	hours  int64
	summer bool
}{
	"CET": {1, true}, "MET": {1, true}, "EET": {2, true}, "WET": {0, true},
	"EST": {-5, false}, "MST": {-7, false}, "HST": {-10, false}, "PRC": {8, false}, "Japan": {9, false},
}

// offset returns by how many seconds a zone is ahead of UTC at a local time.
func offset(zone string, t time.Time) int64 {
	z := zones[zone]
	if z.summer {
		lastSunday := func(m time.Month) time.Time { // at one o'clock UTC, as the zone's clock shows it
			last := time.Date(t.Year(), m, 31, 1+int(z.hours), 0, 0, 0, time.UTC)
			return last.AddDate(0, 0, -int(last.Weekday()))
		}
		if !t.Before(lastSunday(time.March)) && t.Before(lastSunday(time.October)) {
			z.hours++
		}
	}
	return z.hours * 3600
}

func index(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}
