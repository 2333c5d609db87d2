package template

import (
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
)

// TestShortNames holds that every identifier of the table is one.
func TestShortNames(t *testing.T) {
	t.Parallel()
	for i, s := range shortNames {
		if ok, bad := spdxexp.ValidateLicenses(s.spdx); !ok {
			t.Errorf("%s: SPDX does not know %q", s.name, bad)
		}
		if i > 0 && shortNames[i-1].name >= s.name {
			t.Errorf("%s is not in order", s.name)
		}
	}
}

func TestLicenseHint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"GPLv2+", `write "GPL-2.0-or-later"`},
		{"asl 2.0", `write "Apache-2.0"`},
		{"MIT and ASL  2.0", `write "MIT AND Apache-2.0"`},
		{"(GPL+ or Artistic) and MPLv2.0", `write "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND MPL-2.0"`},
		{"BSD", `write "BSD-3-Clause", if that is what it is: BSD is BSD-3-Clause or BSD-2-Clause, as its text says`},
		{"LGPLv2+ or BSD", `write "LGPL-2.1-or-later OR BSD-3-Clause", if that is what it is: LGPLv2+ is LGPL-2.1-or-later or LGPL-2.0-or-later, as its text says; BSD is BSD-3-Clause or BSD-2-Clause, as its text says`},
		{"Public Domain", `write "LicenseRef-Fedora-Public-Domain"`},
		{"Apache 2.0", `write "Apache-2.0"`},
		{"MIT or Apache-2.0", `write "MIT OR Apache-2.0"`},
		{"GPL-2.0-or-latre", `write "GPL-2.0-or-later"`},
		{"mine alone", noLicense},
		{"GPLv2+ and mine alone", noLicense},
		{"((", noLicense},
		{"(MIT", noLicense},
		{strings.Repeat("(", 1<<20), noLicense},
	} {
		if got := licenseHint(tt.in); got != tt.want {
			t.Errorf("%q: got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}
