package components

import (
	"testing"

	real "specgraft/testdata/corpus"
)

// corpus returns the directory of the real configuration, or skips.
func corpus(tb testing.TB) string {
	tb.Helper()
	return real.Config(tb)
}

func TestRealConfiguration(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	p, diags := Load(Options{Dir: dir})
	for _, d := range diags {
		t.Errorf("%s: %s", d.Severity, d.Error())
	}
	if p == nil {
		t.Fatal("no project")
	}
	names := p.Names()
	if len(names) != 7583 {
		t.Errorf("got %d components, want 7583", len(names))
	}
	overlays := 0
	for _, name := range names {
		c, diags := p.Component(name)
		for _, d := range diags {
			t.Errorf("%s: %s: %s", name, d.Severity, d.Error())
		}
		overlays += len(c.Overlays)
		if c.Spec.Type == "upstream" {
			u, diags := p.Upstream(c)
			for _, d := range diags {
				t.Errorf("%s: %s", name, d.Error())
			}
			if u.Branch == "" || u.URL == "" {
				t.Errorf("%s: incomplete upstream %+v", name, u)
			}
		}
	}
	if overlays != 233 {
		t.Errorf("got %d overlays, want 233", overlays)
	}
}
