package lint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// A Baseline is the findings that are known, so that only new ones are
// reported. Lines do not count: a finding stays known when the file around it
// changes.
type Baseline struct {
	Schema   int     `json:"schema"`
	Findings []Known `json:"findings"`
}

// A Known is a finding in a baseline.
type Known struct {
	Component string `json:"component"`
	File      string `json:"file"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Count     int    `json:"count"`
}

const baselineSchema = 1

func knownOf(d *diag.Diagnostic) Known {
	return Known{Component: d.Component, File: d.Pos.Filename, Code: d.Code, Message: d.Message}
}

// NewBaseline makes a baseline of findings. Errors are not known: they are to be
// fixed.
func NewBaseline(list diag.List) *Baseline {
	count := map[Known]int{}
	for i := range list {
		if list[i].Severity != diag.Error {
			count[knownOf(&list[i])]++
		}
	}
	b := &Baseline{Schema: baselineSchema, Findings: []Known{}}
	for k, n := range count {
		k.Count = n
		b.Findings = append(b.Findings, k)
	}
	slices.SortFunc(b.Findings, func(x, y Known) int {
		return cmp.Or(cmp.Compare(x.Component, y.Component), cmp.Compare(x.File, y.File), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Message, y.Message))
	})
	return b
}

// Bounds of a baseline, which are far beyond what a distribution has to say.
const (
	MaxBaseline = 64 << 20 // bytes
	maxKnown    = 500_000
)

// ParseBaseline reads a baseline. The error is a *diag.Diagnostic.
func ParseBaseline(name string, data []byte) (*Baseline, error) {
	var b Baseline
	bad := func(why string) error {
		d := &diag.Diagnostic{Code: "lint/baseline", Message: why, Hint: "write it with --write-baseline"}
		d.Pos.Filename = name
		return d
	}
	if len(data) > MaxBaseline || strings.Count(string(data), "{") > maxKnown {
		return nil, bad(fmt.Sprintf("the file has more than %d MiB or %d findings", MaxBaseline>>20, maxKnown))
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return nil, bad("the file is not a baseline: " + strings.TrimPrefix(err.Error(), "json: "))
	}
	if b.Schema != baselineSchema {
		return nil, bad(fmt.Sprintf("the baseline has schema %d, this program reads %d", b.Schema, baselineSchema))
	}
	return &b, nil
}

// New returns the findings that the baseline does not know, in their order.
func (b *Baseline) New(list diag.List) diag.List {
	left := map[Known]int{}
	for _, k := range b.Findings {
		n := k.Count
		k.Count = 0
		left[k] += n
	}
	out := diag.List{}
	for i := range list {
		k := knownOf(&list[i])
		if left[k] > 0 && list[i].Severity != diag.Error {
			left[k]--
			continue
		}
		out = append(out, list[i])
	}
	return out
}

// Encode writes the baseline as JSON.
func (b *Baseline) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(b, "", "  ")
	return append(data, '\n'), err
}

// Keep leaves the result with the findings given, which are some of its own, and
// with what they have to suggest.
func (r *Result) Keep(list diag.List) {
	r.Findings = list
	for i := range r.Overlays {
		h := &r.Overlays[i]
		h.Codes = slices.DeleteFunc(h.Codes, func(code string) bool {
			return !slices.ContainsFunc(list, func(d diag.Diagnostic) bool {
				return d.Code == code && d.Component == h.Component && d.Pos.Filename == h.File
			})
		})
		if !slices.Contains(h.Codes, "lint/typed") {
			h.Suggestion = ""
		}
	}
}
