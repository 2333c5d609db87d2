package absorb

import (
	"strings"
	"testing"

	"specgraft/overlay"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	r := &Result{Steps: []Step{{Kind: Named}, {Kind: Block}, {Kind: Expression, Op: overlay.Op{Description: "known"}}}}
	r.Describe()
	got := []string{r.Steps[0].Op.Description, r.Steps[1].Op.Description, r.Steps[2].Op.Description}
	if got[0] != "TODO: say why" || !strings.HasPrefix(got[1], "TODO: say why. No overlay says this well") || got[2] != "known" {
		t.Errorf("descriptions %q", got)
	}
}
