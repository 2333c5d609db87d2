package kept

import (
	"encoding/json"
	"reflect"

	"specgraft/overlay/diag"
)

// A packed is a warning as it is kept: a Diagnostic without the form that
// users get of it as JSON, and with a severity that can be read back.
type packed struct {
	Severity int
	plain
}

type plain diag.Diagnostic

// UnpackWarnings reads the diagnostics that came with a component.
func UnpackWarnings(text []byte) (l diag.List, ok bool) {
	if text == nil {
		return nil, true
	}
	var all []packed
	err := json.Unmarshal(text, &all)
	for _, d := range all {
		d.plain.Severity = diag.Severity(d.Severity)
		l = append(l, diag.Diagnostic(d.plain))
	}
	return l, err == nil
}

// PackWarnings is the reverse of UnpackWarnings. Only what comes back as it was
// is kept.
func PackWarnings(l diag.List) ([]byte, bool) {
	if len(l) == 0 {
		return nil, true
	}
	all := make([]packed, len(l))
	for i, d := range l {
		all[i] = packed{int(d.Severity), plain(d)}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, false
	}
	again, ok := UnpackWarnings(text)
	return text, ok && reflect.DeepEqual(again, l)
}
