package fedora

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"specgraft/overlay/diag"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in     string
		http   bool
		mirror string // "" with dir "" means refused
		dir    string
		why    string // part of the refusal
	}{
		{in: "https://src.example.org/rpms/bash.git", mirror: "mirror/v1/https/src.example.org/rpms/bash.git"},
		{in: "https://src.example.org/rpms/bash", mirror: "mirror/v1/https/src.example.org/rpms/bash.git"},
		{in: "https://src.example.org:8443/rpms/libstdc++.git", mirror: "mirror/v1/https/src.example.org%3A8443/rpms/libstdc++.git"},
		{in: "https://SRC.example.org/rpms/Bash", mirror: "mirror/v1/https/src.example.org/rpms/Bash.git"},
		{in: "https://user:secret@src.example.org/x", mirror: "mirror/v1/https/src.example.org/x.git"},
		{in: "https://src.example.org/.hidden/%41b", mirror: "mirror/v1/https/src.example.org/%2Ehidden/Ab.git"},
		{in: "https://src.example.org/a.git/b", mirror: "mirror/v1/https/src.example.org/a%2Egit/b.git"},
		{in: "ssh://git@src.example.org/rpms/bash", mirror: "mirror/v1/ssh/src.example.org/rpms/bash.git"},
		{in: "http://127.0.0.1:80/x", http: true, mirror: "mirror/v1/http/127.0.0.1%3A80/x.git"},
		{in: "file:///srv/rpms/bash.git", dir: "/srv/rpms/bash.git"},
		{in: "file://localhost/srv/my%20rpms/bash.git", dir: "/srv/my rpms/bash.git"},

		{in: "", why: "is empty"},
		{in: "http://127.0.0.1/x", why: "is not encrypted"},
		{in: "git://example.org/x", why: "scheme"},
		{in: "ftp://example.org/x", why: "scheme"},
		{in: "ext::sh -c 'touch /tmp/pwned'", why: "blank"},
		{in: "ext::sh", why: "remote helper"},
		{in: "fd::17", why: "remote helper"},
		{in: "ext::https://example.org/x", why: "is not a URL"},
		{in: "--upload-pack=touch /tmp/pwned", why: "dash"},
		{in: "-oProxyCommand=x", why: "dash"},
		{in: "ssh://-oProxyCommand=x/y", why: "host"},
		{in: "ssh://-oProxyCommand=x@host/y", why: "host"},
		{in: "ssh://git@-host/y", why: "host"},
		{in: "git@example.org:rpms/bash.git", why: "is not a URL"},
		{in: "/srv/rpms/bash.git", why: "is not a URL"},
		{in: "../rpms", why: "is not a URL"},
		{in: "file://host/srv", why: "names a host"},
		{in: "file://", why: "plain path"},
		{in: "https://example.org", why: "plain path"},
		{in: "https://example.org/", why: "plain path"},
		{in: "https:///x", why: "host"},
		{in: "https://example.org/a/../../b", why: "plain path"},
		{in: "https://example.org/a/%2e%2e/b", why: "plain path"},
		{in: "https://example.org/a/./b", why: "plain path"},
		{in: "https://example.org/a//b", why: "plain path"},
		{in: "https://example.org/a%00b", why: "plain path"},
		{in: "https://example.org/a\nb", why: "control character"},
		{in: "https://example.org/a\\b", why: "backslash"},
		{in: "https://example.org/a?service=git-upload-pack", why: "query"},
		{in: "https://example.org/a#b", why: "fragment"},
		{in: "https://example.org/.git", why: "names no repository"},
		{in: "https://example.org/" + strings.Repeat("a", 3000), why: "longer"},
		{in: "javascript:alert(1)", why: "is not a URL"},
	}
	for _, tt := range tests {
		a, err := parseAddress(tt.in, tt.http)
		if tt.why != "" {
			if !diag.HasCode(err, "fedora/bad-url") || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%q: %v, want a refusal with %q", tt.in, err, tt.why)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if a.mirror != tt.mirror || a.dir != tt.dir {
			t.Errorf("%q: mirror %q, dir %q, want %q, %q", tt.in, a.mirror, a.dir, tt.mirror, tt.dir)
		}
		if strings.Contains(a.shown, "secret") {
			t.Errorf("%q is shown as %q", tt.in, a.shown)
		}
	}
}

// TestAddresses holds that an address means the same whether what stands before
// its last slash was seen already or not.
func TestAddresses(t *testing.T) {
	t.Parallel()
	bases := []string{"https://src.example.org/rpms", "https://SRC.example.org:8443/a/b", "https://user:secret@h/x", "ssh://git@h/rpms", "http://h/x", "file:///srv", "file://localhost/srv/rpms",
		"https://h/a.git", "https://h/a%2Egit", "https://h/a%2fb", "https://h/a/..", "https://h/a/", "https://h", "https://", "file://", "file:///", "https://h/a?b", "https://h/a#b", "ext::sh", "-x", "", "https://h/" + strings.Repeat("a", 2040)}
	lasts := []string{"bash", "bash.git", "libstdc++.git", "a.git.git", ".git", "..", ".", ".hidden", "", "%41b", "a b", "a?b", "a#b", "a:b", "a@b", "a\\b"}
	for _, allowHTTP := range []bool{false, true} {
		m := &addresses{allowHTTP: allowHTTP}
		for _, base := range bases {
			for _, last := range lasts {
				raw := base + "/" + last
				want, wantErr := parseAddress(raw, allowHTTP)
				got, err := m.parse(raw)
				if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
					t.Errorf("%q: %+v, %v, want %+v, %v", raw, got, err, want, wantErr)
				}
			}
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://example.org/x":           "https://example.org/x",
		"https://user:pw@example.org/x":   "https://***@example.org/x",
		"https://token@example.org/x@y":   "https://***@example.org/x@y",
		"https://a:b@c@example.org":       "https://***@example.org",
		"ssh://git@example.org/x":         "ssh://git@example.org/x",
		"ssh://git:pw@example.org/x":      "ssh://***@example.org/x",
		"not a url with user:pw@host":     "not a url with user:pw@host",
		"https://user:p%40w@example.org/": "https://***@example.org/",
	} {
		if got := redact(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"https://src.example.org/rpms/bash.git", "file:///a/b", "ssh://git@h/p", "http://h:1/x", "ext::sh", "-x", "https://h/%2e%2e/x", "https://u:p@h/a.git/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseAddress(s, true)
		if b, berr := (&addresses{allowHTTP: true}).parse(s); fmt.Sprint(err) != fmt.Sprint(berr) || !reflect.DeepEqual(a, b) {
			t.Fatalf("%q is %+v, %v the long way, and %+v, %v", s, a, err, b, berr)
		}
		if err != nil {
			return
		}
		if strings.HasPrefix(a.url, "-") || strings.ContainsAny(a.url, " \t\n\r\x00") {
			t.Fatalf("accepted %q", s)
		}
		for part := range strings.SplitSeq(a.mirror+a.dir, "/") {
			if part == ".." || part == "." {
				t.Fatalf("%q leads to %q", s, a.mirror+a.dir)
			}
		}
		if a.mirror != "" && strings.Contains(strings.TrimSuffix(a.mirror, ".git"), ".git") {
			t.Fatalf("%q gets the mirror %q inside another repository", s, a.mirror)
		}
	})
}
