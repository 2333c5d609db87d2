package cli

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// RecordFormats are the formats of commands that print a list of records, the
// default first.
var RecordFormats = []string{"table", "json", "csv", "markdown"}

// Brief reports whether a list of all components leaves out those that nothing
// happened to: a person who looks at a terminal wants what changed or failed, and
// the line of counts says the rest. Pipes, files and -v get every row.
func (g *Globals) Brief(all bool, format string) bool {
	return all && format == "table" && !g.Verbose && isTerminal(g.Stdout)
}

// A Column is one column of a table of records.
type Column[T any] struct {
	Title string
	// Width is the least width in a table. When every column has one, rows
	// are printed as they come, else when all are there.
	Width int
	Cell  func(T) string
}

// Records prints a list of records in one of recordFormats, each as soon as
// the format allows. In JSON a record is its own encoding inside one array.
type Records[T any] struct {
	w       *bufio.Writer
	format  string
	columns []Column[T]
	n       int
	stream  bool
	held    []T
	csv     *csv.Writer
}

// NewRecords starts a list on w.
func NewRecords[T any](w io.Writer, format string, columns []Column[T]) *Records[T] {
	r := &Records[T]{w: bufio.NewWriter(w), format: format, columns: columns, stream: true}
	for _, c := range columns {
		r.stream = r.stream && c.Width > 0
	}
	if format == "csv" {
		r.csv = csv.NewWriter(r.w)
	}
	return r
}

// Write adds one record. Errors of the writer are kept and come from Close.
func (r *Records[T]) Write(rec T) error {
	switch r.format {
	case "json":
		b, err := json.MarshalIndent(rec, "  ", "  ")
		if err != nil {
			return err
		}
		if r.n == 0 {
			r.w.WriteString("[\n  ")
		} else {
			r.w.WriteString(",\n  ")
		}
		r.w.Write(b)
	case "csv":
		if r.n == 0 {
			r.csv.Write(r.titles())
		}
		r.csv.Write(r.cells(rec))
		r.csv.Flush()
	case "markdown":
		if r.n == 0 {
			r.markdown(r.titles())
			rule := make([]string, len(r.columns))
			for i := range rule {
				rule[i] = "---"
			}
			r.markdown(rule)
		}
		r.markdown(r.cells(rec))
	default:
		if !r.stream {
			r.held = append(r.held, rec)
			break
		}
		if r.n == 0 {
			r.row(r.titles())
		}
		r.row(r.cells(rec))
	}
	r.n++
	return r.flushed()
}

// flushed hands complete rows on, so that a reader of a pipe sees them.
func (r *Records[T]) flushed() error {
	if r.w.Buffered() > 3<<10 || r.format == "table" {
		return r.w.Flush()
	}
	return nil
}

// Empty reports whether nothing was written.
func (r *Records[T]) Empty() bool { return r.n == 0 }

// Close ends the list.
func (r *Records[T]) Close() error {
	switch {
	case r.format == "json" && r.n == 0:
		r.w.WriteString("[]\n")
	case r.format == "json":
		r.w.WriteString("\n]\n")
	case len(r.held) > 0:
		rows := [][]string{r.titles()}
		for _, rec := range r.held {
			rows = append(rows, r.cells(rec))
		}
		for _, row := range rows {
			for i, c := range row {
				r.columns[i].Width = max(r.columns[i].Width, utf8.RuneCountInString(c))
			}
		}
		for _, row := range rows {
			r.row(row)
		}
	}
	return r.w.Flush()
}

func (r *Records[T]) titles() []string {
	t := make([]string, len(r.columns))
	for i, c := range r.columns {
		t[i] = c.Title
	}
	return t
}

func (r *Records[T]) cells(rec T) []string {
	t := make([]string, len(r.columns))
	for i, c := range r.columns {
		t[i] = c.Cell(rec)
	}
	return t
}

// row prints the cells of one table row, each one line, padded to its column.
func (r *Records[T]) row(cells []string) {
	var line strings.Builder
	for i, c := range cells {
		c = strings.ReplaceAll(c, "\n", " ")
		line.WriteString(c)
		if i < len(cells)-1 {
			n := r.columns[i].Width - utf8.RuneCountInString(c)
			line.WriteString(strings.Repeat(" ", max(n, 0)+2))
		}
	}
	r.w.WriteString(strings.TrimRight(line.String(), " "))
	r.w.WriteByte('\n')
}

func (r *Records[T]) markdown(cells []string) {
	for _, c := range cells {
		r.w.WriteString("| ")
		r.w.WriteString(markdownCell.Replace(c))
		r.w.WriteByte(' ')
	}
	r.w.WriteString("|\n")
}

var markdownCell = strings.NewReplacer("|", `\|`, "\n", "<br>")

// WriteJSON prints v as indented JSON with a final newline.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
