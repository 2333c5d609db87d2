package fedora

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"specgraft/overlay/diag"
)

// An address is a checked repository URL.
type address struct {
	url    string // as given to git
	shown  string // for messages: without credentials
	scheme string
	host   string // with port, lower case; empty for file
	dir    string // file: the path on disk
	pkg    string // last path element without .git
	mirror string // below the cache directory: where the mirror of it is kept
}

// maxAddress is how long an address may be.
const maxAddress = 2048

// parseAddress checks a URL against the allow-list. Addresses come from
// configuration that a pull request can change, so nothing that git would
// take for an option, a remote helper or a path gets through.
func parseAddress(raw string, allowHTTP bool) (*address, error) {
	refuse := func(why, hint string) error {
		d := diag.Errorf("fedora/bad-url", "repository address %q %s", redact(raw), why)
		d.Hint = hint
		return d
	}
	if why, hint := badText(raw); why != "" {
		return nil, refuse(why, hint)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Opaque != "" || !strings.HasPrefix(raw[len(u.Scheme):], "://") {
		return nil, refuse("is not a URL", "write it as https://, ssh:// or file://")
	}
	if u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return nil, refuse("has a query or a fragment", "")
	}
	a := &address{url: raw, shown: redact(raw), scheme: u.Scheme, host: strings.ToLower(u.Host)}
	if why, hint := badHost(u, allowHTTP); why != "" {
		return nil, refuse(why, hint)
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	for _, s := range segments {
		if s == ".." || s == "." || s == "" || strings.ContainsRune(s, 0) {
			return nil, refuse("has no plain path", "")
		}
	}
	a.pkg = strings.TrimSuffix(segments[len(segments)-1], ".git")
	if a.pkg == "" {
		return nil, refuse("names no repository", "")
	}
	if u.Scheme == "file" {
		a.dir = filepath.FromSlash(path.Clean("/" + strings.Join(segments, "/")))
		return a, nil
	}
	parts := []string{"mirror", "v1", u.Scheme, escapeSegment(a.host)}
	segments[len(segments)-1] = a.pkg
	for _, s := range segments {
		parts = append(parts, escapeSegment(s))
	}
	a.mirror = filepath.Join(parts...) + ".git"
	return a, nil
}

// badText says why a text cannot be an address, "" when it can.
func badText(raw string) (why, hint string) {
	switch {
	case raw == "":
		return "is empty", "set dist-git-base-uri of the upstream distribution"
	case strings.HasPrefix(raw, "-"):
		return "begins with a dash", ""
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] == 0x7f || raw[i] == '\\' {
			return "holds a blank, a backslash or a control character", ""
		}
	}
	switch {
	case len(raw) > maxAddress:
		return "is longer than 2048 bytes", ""
	case strings.Contains(raw, "::") && !strings.Contains(raw, "://"):
		return "asks for a remote helper", "write it as https://, ssh:// or file://"
	}
	return "", ""
}

// badHost says what is wrong with the scheme and host of an address, "" for
// nothing.
func badHost(u *url.URL, allowHTTP bool) (why, hint string) {
	switch u.Scheme {
	case "https", "ssh":
	case "http":
		if !allowHTTP {
			return "is not encrypted", "use https://, or allow it with --allow-http"
		}
	case "file":
		if u.Host != "" && u.Host != "localhost" || u.User != nil {
			return "names a host", "write file:///path"
		}
		return "", ""
	default:
		return "has a scheme that is not allowed", "write it as https://, ssh:// or file://"
	}
	if u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-") || u.User != nil && strings.HasPrefix(u.User.Username(), "-") {
		return "has no valid host", ""
	}
	return "", ""
}

// addresses parses addresses. Those of a distribution differ in their last part
// alone, so what comes before is checked once. It is safe for concurrent use.
type addresses struct {
	allowHTTP bool

	mu    sync.Mutex
	bases map[string]*address // by what stands before the last slash; nil for what goes the long way
}

// parse is parseAddress.
func (m *addresses) parse(raw string) (*address, error) {
	at := strings.LastIndexByte(raw, '/')
	if at < 0 || len(raw) > maxAddress || !plainSegment(raw[at+1:]) {
		return parseAddress(raw, m.allowHTTP)
	}
	b, last := m.base(raw[:at]), raw[at+1:]
	if b == nil {
		return parseAddress(raw, m.allowHTTP)
	}
	a := *b
	a.url, a.shown, a.pkg = raw, b.shown+"/"+last, strings.TrimSuffix(last, ".git")
	if a.scheme == "file" {
		a.dir = b.dir + string(filepath.Separator) + last
	} else {
		a.mirror = strings.TrimSuffix(b.mirror, ".git") + string(filepath.Separator) + escapeSegment(a.pkg) + ".git"
	}
	return &a, nil
}

// base parses what stands before the last slash of an address. It is nil where
// that is not one itself, or stands for something else than it says.
func (m *addresses) base(raw string) *address {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, known := m.bases[raw]
	if !known {
		if !strings.Contains(raw, "%") && !strings.HasSuffix(raw, ".git") && !strings.HasSuffix(raw, "/") {
			b, _ = parseAddress(raw, m.allowHTTP)
		}
		if m.bases == nil || len(m.bases) > maxBases {
			m.bases = map[string]*address{}
		}
		m.bases[raw] = b
	}
	return b
}

// maxBases bounds how many of them are remembered.
const maxBases = 1000

// plainSegment reports whether a part of a URL's path stands for itself, and is
// the name of a repository.
func plainSegment(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '+' && (c != '.' || i == 0) {
			return false
		}
	}
	return s != ""
}

// escapeSegment makes a path element that is safe on every file system and
// different for different input.
func escapeSegment(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '+', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	// A directory that ends in .git is a repository; keep others apart.
	return strings.ReplaceAll(b.String(), ".git", "%2Egit")
}

// redact removes user and password from a URL for messages.
func redact(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return raw
	}
	host, path, found := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		user, _, secret := strings.Cut(host[:at], ":")
		if secret || scheme != "ssh" {
			user = "***"
		}
		host = user + host[at:]
	}
	if found {
		host += "/" + path
	}
	return scheme + "://" + host
}

// secrets returns what must be struck out of messages about a URL.
func secrets(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return nil
	}
	var list []string
	if p, ok := u.User.Password(); ok && p != "" {
		list = append(list, p, url.QueryEscape(p), url.PathEscape(p))
	}
	if u.Scheme != "ssh" && u.User.Username() != "" {
		list = append(list, u.User.String()+"@") // a token in place of a user
	}
	return list
}
