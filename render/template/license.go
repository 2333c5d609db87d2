package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"

	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// shortNames are the names that Fedora's specs had for common licences before
// SPDX, and the identifiers for them. Where a name stood for several licences,
// only their texts can tell them apart.
var shortNames = []struct {
	name string
	spdx []string
}{
	{"AGPLv3", []string{"AGPL-3.0-only"}},
	{"AGPLv3+", []string{"AGPL-3.0-or-later"}},
	{"ASL 1.0", []string{"Apache-1.0"}},
	{"ASL 1.1", []string{"Apache-1.1"}},
	{"ASL 2.0", []string{"Apache-2.0"}},
	{"Artistic", []string{"Artistic-1.0-Perl"}},
	{"Artistic 2.0", []string{"Artistic-2.0"}},
	{"BSD", []string{"BSD-3-Clause", "BSD-2-Clause"}},
	{"BSD with advertising", []string{"BSD-4-Clause", "BSD-4-Clause-UC"}},
	{"Boost", []string{"BSL-1.0"}},
	{"CC-BY", []string{"CC-BY-4.0", "CC-BY-3.0"}},
	{"CC-BY-SA", []string{"CC-BY-SA-4.0", "CC-BY-SA-3.0"}},
	{"CC0", []string{"CC0-1.0"}},
	{"CDDL", []string{"CDDL-1.0", "CDDL-1.1"}},
	{"CPL", []string{"CPL-1.0"}},
	{"ECL 2.0", []string{"ECL-2.0"}},
	{"EPL", []string{"EPL-2.0", "EPL-1.0"}},
	{"EUPL 1.1", []string{"EUPL-1.1"}},
	{"EUPL 1.2", []string{"EUPL-1.2"}},
	{"GFDL", []string{"GFDL-1.3-or-later", "GFDL-1.2-or-later", "GFDL-1.1-or-later"}},
	{"GPL+", []string{"GPL-1.0-or-later"}},
	{"GPLv1", []string{"GPL-1.0-only"}},
	{"GPLv2", []string{"GPL-2.0-only"}},
	{"GPLv2+", []string{"GPL-2.0-or-later"}},
	{"GPLv3", []string{"GPL-3.0-only"}},
	{"GPLv3+", []string{"GPL-3.0-or-later"}},
	{"LGPLv2", []string{"LGPL-2.1-only", "LGPL-2.0-only"}},
	{"LGPLv2+", []string{"LGPL-2.1-or-later", "LGPL-2.0-or-later"}},
	{"LGPLv3", []string{"LGPL-3.0-only"}},
	{"LGPLv3+", []string{"LGPL-3.0-or-later"}},
	{"LPPL", []string{"LPPL-1.3c", "LPPL-1.3a"}},
	{"MPLv1.0", []string{"MPL-1.0"}},
	{"MPLv1.1", []string{"MPL-1.1"}},
	{"MPLv2.0", []string{"MPL-2.0"}},
	{"OFL", []string{"OFL-1.1"}},
	{"PHP", []string{"PHP-3.01", "PHP-3.0"}},
	{"PostgreSQL", []string{"PostgreSQL"}},
	{"Public Domain", []string{"LicenseRef-Fedora-Public-Domain"}},
	{"Python", []string{"PSF-2.0", "Python-2.0.1"}},
	{"QPL", []string{"QPL-1.0"}},
	{"UPL", []string{"UPL-1.0"}},
	{"ZPLv2.0", []string{"ZPL-2.0"}},
	{"ZPLv2.1", []string{"ZPL-2.1"}},
	{"Zend", []string{"Zend-2.0"}},
	{"zlib", []string{"Zlib"}},
}

// longestLicense bounds an expression, in bytes: the library recurses at each
// parenthesis, and takes time by the square of the length.
const longestLicense = 8 << 10

// hintedWords bounds the words of an expression that are looked up.
const hintedWords = 200

// noLicense is the hint when nothing comes near.
const noLicense = "see https://spdx.org/licenses for the identifiers; others are written LicenseRef-NAME"

// validLicense reports whether an expression is one of SPDX.
func validLicense(expr string) (ok bool) {
	if len(expr) > longestLicense {
		return false
	}
	defer func() {
		if recover() != nil { // the library panics when an expression ends too early
			ok = false
		}
	}()
	ok, _ = spdxexp.ValidateLicenses([]string{expr})
	return ok
}

// licenseWords splits an expression at its operators and parentheses.
var licenseWords = regex.Once(`(?i)\s+(?:and|or)\s+|[()]`)

// licenseHint says how to write a licence expression that SPDX does not know.
func licenseHint(expr string) string {
	if len(expr) > longestLicense {
		return noLicense
	}
	words := licenseWords().FindAllStringIndex(expr, -1)
	if len(words) > hintedWords {
		return noLicense
	}
	var out strings.Builder
	var open []string // names that stand for more than one licence
	at := 0
	word := func(w string) {
		name := strings.TrimSpace(w)
		if name == "" {
			out.WriteString(w)
			return
		}
		before, after, _ := strings.Cut(w, name)
		out.WriteString(before)
		ids := identifiers(name)
		if len(ids) == 0 {
			ids = []string{name}
		}
		if len(ids) > 1 {
			open = append(open, fmt.Sprintf("%s is %s, as its text says", name, strings.Join(ids, " or ")))
		}
		out.WriteString(ids[0] + after)
	}
	for _, m := range words {
		word(expr[at:m[0]])
		out.WriteString(strings.ToUpper(expr[m[0]:m[1]]))
		at = m[1]
	}
	word(expr[at:])
	written := out.String()
	if !validLicense(written) {
		return noLicense
	}
	if len(open) > 0 {
		return fmt.Sprintf("write %q, if that is what it is: %s", written, strings.Join(open, "; "))
	}
	return fmt.Sprintf("write %q", written)
}

// identifiers returns what SPDX calls a licence, the likeliest first, or nothing
// when the name is not known.
func identifiers(name string) []string {
	if validLicense(name) {
		return []string{name}
	}
	squeezed := strings.Join(strings.Fields(name), " ")
	for _, s := range shortNames {
		if strings.EqualFold(s.name, squeezed) {
			return s.spdx
		}
	}
	ids := slices.Concat(spdxlicenses.GetLicenses(), []string{"LicenseRef-Fedora-Public-Domain"})
	if n := diag.Nearest(strings.ReplaceAll(squeezed, " ", "-"), ids); n != "" {
		return []string{n}
	}
	return nil
}
