package autospec

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"specgraft/fedora/distgit"

	"github.com/google/go-cmp/cmp"
)

// space is Python's \s for regular expressions.
const space = `[\t\n\v\f\r\x1c-\x1f \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`

var (
	naiveLine = regexp.MustCompile(`^` + space + `*\[(.*)\]` + space + `*$`)
	naiveSkip = regexp.MustCompile(`^` + space + `*skip` + space + `+changelog`)
	naiveBump = regexp.MustCompile(`^` + space + `*bump` + space + `+release` + space + `*(?::` + space + `*)?([0-9]+)`)
)

// naiveMagic reads magic lines with the regular expressions of the rules. It
// knows ASCII digits only.
func naiveMagic(message string) (m magic, tooLarge bool) {
	for _, line := range strings.Split(message, "\n") {
		in := naiveLine.FindStringSubmatch(line)
		if in == nil {
			continue
		}
		for _, part := range strings.Split(in[1], ",") {
			if naiveSkip.MatchString(part) {
				m.skip = true
			}
			if b := naiveBump.FindStringSubmatch(part); b != nil {
				n, err := strconv.ParseInt(b[1], 10, 64)
				if err != nil || n > maxRelease {
					return m, true
				}
				m.bump = max(m.bump, n)
			}
		}
	}
	return m, false
}

// naiveItems divides the message into paragraphs first, unlike changelogItems.
func naiveItems(message string) []string {
	var paragraphs [][]string
	open := false
	for _, line := range strings.Split(strings.ReplaceAll(message, "%", "%%"), "\n") {
		if line = strip(line); line == "" {
			open = false
			continue
		}
		// A first line that is only a dash is the whole subject.
		if len(paragraphs) == 1 && slices.Equal(paragraphs[0], []string{"-"}) {
			open = false
		}
		if !open {
			paragraphs = append(paragraphs, nil)
			open = true
		}
		last := len(paragraphs) - 1
		paragraphs[last] = append(paragraphs[last], line)
	}
	if len(paragraphs) == 0 {
		return []string{""}
	}
	dash := regexp.MustCompile(`^-` + space + `*`)
	cut := func(line string) string { return line[len(dash.FindString(line)):] }
	subject := paragraphs[0]
	subject[0] = cut(subject[0])
	items := [][]string{subject}
	if len(paragraphs) > 1 {
		body := paragraphs[1]
		if m := regexp.MustCompile(`^(\.{3,}|…+)` + space + `*(.*)$`).FindStringSubmatch(body[0]); m != nil {
			items[0] = append(items[0], m[2])
			body = body[1:]
			for len(body) > 0 && body[0][0] != '-' {
				items[0] = append(items[0], body[0])
				body = body[1:]
			}
		}
		if len(body) > 0 && body[0][0] == '-' {
			for _, line := range body {
				if line[0] == '-' {
					items = append(items, []string{cut(line)})
				} else {
					items[len(items)-1] = append(items[len(items)-1], line)
				}
			}
		}
	}
	var out []string
	for _, words := range items {
		out = append(out, strings.Join(words, " "))
	}
	return out
}

var messageSamples = []string{
	"",
	"\n\n",
	"Subject\n",
	"Subject\nin two lines\n\n- item\nmore\n- item two\n\n- no item\n",
	"-\nSubject\n- x\n",
	"- Subject\n\n ... goes on\nand on\n- item\n",
	"Subject\n\n…\n\n- no item\n",
	"Subject\n\nBody\n- no item\n",
	"Subject\n\n..\n",
	"100%\n\n-\n-  \n- x",
	"[skip changelog]\n",
	"a\n\n [ bump release: 3 , skip\tchangelog yes ] \n",
	"a\n[bump release 3.5]\n[bump release9]\n[bump  release : 12]",
	"[[skip changelog]]\n[Skip Changelog]\n[bump release: -3]\n[]\n[",
	"[bump release: 99999999999999999999]",
	"a\u00a0\n\u2028\n\x1c- b\x85\n",
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, s := range messageSamples {
		checkMessage(t, s)
	}
}

func checkMessage(t *testing.T, s string) {
	t.Helper()
	if diff := cmp.Diff(naiveItems(s), changelogItems(s)); diff != "" {
		t.Errorf("items of %q (-naive +got):\n%s", s, diff)
	}
	for _, r := range s {
		if v, ok := digitValue(r); ok && (r < '0' || r > '9') {
			if v < 0 || v > 9 {
				t.Errorf("digit %q has value %d", r, v)
			}
			return // the naive way does not know it
		}
	}
	want, tooLarge := naiveMagic(s)
	got, err := parseMagic(s)
	if (err != nil) != tooLarge || err == nil && got != want {
		t.Errorf("magic of %q is %+v, %v, want %+v, too large: %v", s, got, err, want, tooLarge)
	}
}

func FuzzMessage(f *testing.F) {
	for _, s := range messageSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = decodeUTF8(s)
		if !utf8.ValidString(s) {
			t.Fatalf("decodeUTF8 gave %q", s)
		}
		checkMessage(t, s)
	})
}

func TestDecodeUTF8(t *testing.T) {
	t.Parallel()
	// Numbers of replacement characters from the Unicode standard, table 3-8
	// and its neighbours.
	for in, want := range map[string]string{
		"plain ä €":                        "plain ä €",
		"\xe2\x82":                         "\ufffd",
		"\xf0\x9f\x98":                     "\ufffd",
		"\xed\xa0\x80":                     "\ufffd\ufffd\ufffd",
		"\xc0\xaf":                         "\ufffd\ufffd",
		"\xf0\x80\x80\x41":                 "\ufffd\ufffd\ufffdA",
		"\xe0\x80\xaf":                     "\ufffd\ufffd\ufffd",
		"\xf4\x91\x92\x93":                 "\ufffd\ufffd\ufffd\ufffd",
		"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf": "\ufffd\ufffd\ufffd\ufffd",
		"\x80a\xff":                        "\ufffda\ufffd",
	} {
		if got := decodeUTF8(in); got != want {
			t.Errorf("decodeUTF8(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseIdent(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]User{
		"Ann <ann@example.org> 1 +0000":          {"Ann", "ann@example.org"},
		"Ann <a@b> <ann@example.org> 1 +0000":    {"Ann <a@b", "ann@example.org"},
		" ,\"Ann Jr.\"; < 'ann@b.c' > 1 +0000":   {"Ann Jr.", "ann@b.c"},
		"<> 1 +0000":                             {"", ""},
		"Ann\\ <ann@example.org":                 {},
		"no mail 1 +0000":                        {},
		"Ann > <ann@example.org> behind> 1 +000": {"Ann", "ann@example.org> behind"},
	} {
		got, err := parseIdent(line)
		if got != want || (err != nil) != (want == User{} && !strings.HasPrefix(line, "<>")) {
			t.Errorf("parseIdent(%q) = %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ encoding, in, want string }{
		{"", "\xff", "\ufffd"},
		{"UTF-8", "ä", "ä"},
		{"utf8", "\xff", "error"},
		{"US-ASCII", "ä", "error"},
		{"latin1", "\xe4\x80", "ä\u0080"},
		{"ISO-8859-15", "\xa4", "€"},
		{"iso_8859-2", "\xb1", "ą"},
		{"cp1252", "\x80", "€"},
		{"cp1252", "\x81", "error"},
		{"windows-1251", "\xc0", "А"},
		{"KOI8-R", "\xc1", "а"},
		{"UTF-16", "\xff\xfea\x00", "a"},
		{"utf-16-be", "\x00a", "a"},
		{"EUC-JP", "\xa4\xa2", "あ"},
		{"shift_jis", "\x82\xa0", "あ"},
		{"GB2312", "\xb0\xa1", "啊"},
		{"klingon", "a", "error"},
	} {
		got := "error"
		if decode, err := decoder(test.encoding); err == nil {
			if s, err := decode(test.in); err == nil {
				got = s
			}
		}
		if got != test.want {
			t.Errorf("%s: %q decodes to %q, want %q", test.encoding, test.in, got, test.want)
		}
	}
}

// FuzzCommit processes a history whose newest commit is arbitrary bytes.
func FuzzCommit(f *testing.F) {
	m := newMemory()
	ids := m.line(f, memoryCommit{"Import\n", map[string]string{"sample.spec": "Version: 1\nRelease: %autorelease\n"}})
	tree := ""
	if c, err := distgit.ParseCommit(ids[0], m.objects[ids[0]]); err == nil {
		tree = c.Tree
	}
	f.Add([]byte("tree " + tree + "\nparent " + ids[0] + "\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nSubject\n"))
	f.Add([]byte("tree " + tree + "\nparent " + ids[0] + "\nparent " + ids[0] + "\nencoding latin1\n\n\xff"))
	f.Add([]byte("tree " + tree + "\nauthor A <a@b> 99999999999999999999 +0000\ncommitter x\n\n[bump release: 5]"))
	f.Add([]byte("tree " + tree + "\nauthor <>\ncommitter A <a@b> 1099511627775 -9999\n\nx\x00y"))
	f.Fuzz(func(t *testing.T, object []byte) {
		own := &memory{objects: map[string][]byte{}}
		for k, v := range m.objects {
			own.objects[k] = v
		}
		head := own.put("commit", object)
		log := NewLog("sample.spec", func() (History, error) { return own, nil })
		res, err := Process(Input{Name: "sample", Spec: []byte("Version: 1\nRelease: %autorelease\n"),
			Graph: Upstream(log, head), Evaluator: literal})
		if err == nil && !res.Changed {
			t.Fatal("nothing was done")
		}
		if err == nil && !utf8.Valid(res.Apply(nil)) {
			t.Fatalf("result is not UTF-8: %q", res.Append)
		}
		again := NewLog("sample.spec", nil)
		if err := again.decode(log.encode()); err != nil {
			t.Fatal(err)
		}
	})
}
