package autospec

import "specgraft/overlay/diag"

func process(in *Input) (*Result, error) {
	return nil, &diag.Diagnostic{Code: "autospec/history", Message: "not there yet"}
}
