package lookaside

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/diag"
)

const someSHA = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func TestParseSources(t *testing.T) {
	t.Parallel()
	text := "# archives\n" +
		"SHA512 (a (1).tar.gz) = " + someSHA + "\n" +
		"\n" +
		"0123456789abcdef0123456789ABCDEF  old name.tgz\n" +
		"  SHA256 (b.zip) =  " + someSHA + "\r\n"
	s, diags := ParseSources("sources", []byte(text))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if string(s.Bytes()) != text {
		t.Errorf("bytes changed:\n%q", s.Bytes())
	}
	var got []string
	for _, e := range s.Entries() {
		got = append(got, diag.Position(e.Pos)+" "+e.HashType+" "+e.Name+" "+e.Hash)
	}
	want := []string{
		"sources:2:1 SHA512 a (1).tar.gz " + someSHA,
		"sources:4:1 MD5 old name.tgz 0123456789abcdef0123456789ABCDEF",
		"sources:5:1 SHA256 b.zip " + someSHA,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("entries (-want +got):\n%s", d)
	}
}

func TestParseSourcesProblems(t *testing.T) {
	t.Parallel()
	text := "SHA512 (a) = " + someSHA + "\n" +
		"nonsense\n" +
		"SHA512 (a) = " + someSHA + "\n" +
		"SHA512 (b) = xyz\n" +
		"SHA512 () = " + someSHA + "\n" +
		"SHA512 (c) == " + someSHA + "\n" +
		"SHA512 (d) = \n"
	s, diags := ParseSources("sources", []byte(text))
	var got []string
	for i := range diags {
		got = append(got, diags[i].Error())
		for _, r := range diags[i].Related {
			got = append(got, "  "+diag.Position(r.Pos)+": "+r.Message)
		}
	}
	want := []string{
		"sources:2:1: not a sources entry: neither the form with a hash type nor an MD5 sum [sources/syntax]",
		`sources:3:1: "a" is listed twice [sources/duplicate]`,
		"  sources:1:1: first listed here",
		`sources:4:1: not a sources entry: the hash "xyz" is not hexadecimal [sources/syntax]`,
		"sources:5:1: not a sources entry: the file name is empty [sources/syntax]",
		`sources:6:1: not a sources entry: no ") = " behind the file name [sources/syntax]`,
		`sources:7:1: not a sources entry: no ") = " behind the file name [sources/syntax]`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("problems (-want +got):\n%s", d)
	}
	if string(s.Bytes()) != text {
		t.Errorf("bytes changed:\n%q", s.Bytes())
	}
}

func TestSourcesSet(t *testing.T) {
	t.Parallel()
	const file = "# keep\nSHA512 (a.tar.gz) = aa\n\n0123456789abcdef0123456789abcdef  b.tgz"
	tests := []struct {
		name string
		set  []Entry
		want string // file, or the problem when it starts with "!"
	}{
		{"nothing", nil, file + "\n"},
		{"append", []Entry{{Name: "z", HashType: "SHA512", Hash: "01"}, {Name: "c", HashType: "SHA256", Hash: "02"}},
			file + "\nSHA512 (z) = 01\nSHA256 (c) = 02\n"},
		{"replace", []Entry{{Name: "a.tar.gz", HashType: "SHA256", Hash: "bb", Replace: true}},
			strings.Replace(file, "SHA512 (a.tar.gz) = aa", "SHA256 (a.tar.gz) = bb", 1) + "\n"},
		{"replace the older form", []Entry{{Name: "b.tgz", HashType: "SHA512", Hash: "bb", Replace: true}},
			"# keep\nSHA512 (a.tar.gz) = aa\n\nSHA512 (b.tgz) = bb\n"},
		{"present", []Entry{{Name: "a.tar.gz", HashType: "SHA512", Hash: "bb"}},
			`!"a.tar.gz" is already listed in upstream's sources file [sources/exists]`},
		{"absent", []Entry{{Name: "a.tar.xz", HashType: "SHA512", Hash: "bb", Replace: true}},
			`!replace-upstream is set for "a.tar.xz", but upstream's sources file does not list it [sources/nothing-to-replace]`},
		{"no hash", []Entry{{Name: "c", HashType: "SHA512"}}, `!source file "c" has no hash [sources/no-hash]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, diags := ParseSources("sources", []byte(file))
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			got := ""
			for _, e := range tt.set {
				if d := s.Set(e); d != nil {
					got = "!" + d.Error()
				}
			}
			if got == "" {
				got = string(s.Bytes())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// FuzzSources checks that no byte of a file is lost and that a file which
// parses without a problem still does after a rewrite.
func FuzzSources(f *testing.F) {
	f.Add([]byte("SHA512 (a) = 00\n# x\n\n0123456789abcdef0123456789abcdef  b\n"))
	f.Add([]byte("SHA512 (a) = 00\r\nSHA512 (a) = 00"))
	f.Add([]byte("\x00 (\xff) = 0\n\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, diags := ParseSources("sources", b)
		want := b
		if len(want) > 0 && !bytes.HasSuffix(want, []byte("\n")) {
			want = append(bytes.Clone(want), '\n')
		}
		if !bytes.Equal(s.Bytes(), want) {
			t.Fatalf("%q became %q", b, s.Bytes())
		}
		for _, d := range diags {
			if d.Pos.Offset > len(b) || d.Pos.Line < 1 {
				t.Errorf("position %v is outside the file", d.Pos)
			}
		}
		if diags.HasErrors() {
			return
		}
		for _, e := range s.Entries() {
			e.Replace = true
			if d := s.Set(e); d != nil {
				t.Fatalf("cannot replace %q by itself: %v", e.Name, d)
			}
		}
		again, diags := ParseSources("sources", s.Bytes())
		if len(diags) > 0 || len(again.Entries()) != len(s.Entries()) {
			t.Errorf("the rewritten file does not read back: %v\n%q", diags, s.Bytes())
		}
	})
}
