package plan

import (
	"encoding/csv"
	"errors"
	"go/token"
	"io"
	"strconv"
	"strings"

	"specgraft/overlay/diag"
)

// ReadTimes reads the build times of components, in seconds: a line has a
// component, a comma and the seconds. A first line with other words is a heading.
// file stands in positions.
func ReadTimes(file, text string) (times map[string]float64, problems diag.List) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = -1, true, '#'
	times = map[string]float64{}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		line, column := r.FieldPos(0)
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			line, column = e.Line, e.Column
			err = e.Err
		}
		pos := token.Position{Filename: file, Line: line, Column: column}
		if err != nil {
			problems.Add(pos, "plan/times", "%v", err)
			break
		}
		if len(fields) < 2 {
			problems.Add(pos, "plan/times", "a line has a component, a comma and seconds")
			continue
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(fields[1]), 64)
		switch {
		case err == nil && seconds >= 0 && seconds < 1e9:
			times[strings.TrimSpace(fields[0])] = seconds
		case line > 1 || err == nil:
			problems.Add(pos, "plan/times", "%q is no number of seconds", fields[1])
		}
	}
	return times, problems
}
