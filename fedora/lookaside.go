package fedora

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// A Lookaside fetches big source files, those that the "sources" file of a
// package names, and keeps them in a cache by their checksum. A file gets its
// name in the cache only after all of it has matched; what an interrupted run
// has is taken up by the next. It is safe for concurrent use, also by several
// processes on one directory.
type Lookaside struct {
	dir       string
	offline   bool
	allowHTTP bool
	retries   int
	log       func(string)
	client    *http.Client
	jobs      chan struct{}

	mu      sync.Mutex
	hosts   map[string]chan struct{}
	perHost int

	maxSize int64         // largest file that is accepted, in bytes
	stall   time.Duration // how long a server may send nothing
	backoff time.Duration // wait before the second attempt, doubled with each
}

// A Download is a file wanted from the lookaside cache or from elsewhere.
type Download struct {
	Name string   // file name, for messages
	URLs []string // tried in this order
	// HashType is "SHA512", "SHA256" or "MD5" in any case, Hash its digest in
	// hexadecimal. Both empty accept whatever comes, which is then not
	// served from the cache either.
	HashType, Hash string
	// Progress, when set, is told how many more bytes have come in.
	Progress func(n int64)
}

// A Content is a file in the cache whose checksum has been verified.
type Content struct {
	Path   string // in the cache
	Size   int64
	SHA512 string // hexadecimal; empty when the file is known by another digest
	hash   string // type and digest it is known by, as in SHA512:00ff
}

// OpenLookaside prepares downloads with the same options as a Store has. It
// creates no file before there is something to keep.
func OpenLookaside(o Options) (*Lookaside, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	l := &Lookaside{
		dir: filepath.Join(o.CacheDir, "lookaside"), offline: o.Offline, allowHTTP: o.AllowHTTP, retries: o.Retries, log: o.Log,
		hosts: map[string]chan struct{}{}, perHost: o.PerHost, maxSize: 64 << 30, stall: o.Stall, backoff: o.Backoff,
		jobs: make(chan struct{}, 8),
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // archives are wanted as they are
	transport.ResponseHeaderTimeout = l.stall
	transport.MaxIdleConnsPerHost = l.perHost
	l.client = &http.Client{Transport: transport, CheckRedirect: l.checkRedirect}
	return l, nil
}

// Close ends idle connections.
func (l *Lookaside) Close() error {
	l.client.CloseIdleConnections()
	return nil
}

// LookasideURL fills in a lookaside-base-uri template: $pkg, $filename, $hash
// and the lower-case $hashtype, each escaped as one path element.
func LookasideURL(template, pkg, filename, hashType, hash string) string {
	return strings.NewReplacer(
		"$pkg", url.PathEscape(pkg),
		"$filename", url.PathEscape(filename),
		"$hashtype", url.PathEscape(strings.ToLower(hashType)), // before $hash, which it begins with
		"$hash", url.PathEscape(hash),
	).Replace(template)
}

// CheckFileName refuses names of source files that are no plain file names: a
// name comes from upstream and must not lead anywhere.
func CheckFileName(name string) error {
	why := ""
	switch {
	case name == "":
		why = "is empty"
	case name == "." || name == "..":
		why = "is a directory"
	case len(name) > 255:
		why = "is longer than 255 bytes"
	case strings.ContainsAny(name, `/\`):
		why = "has a slash"
	case !utf8.ValidString(name):
		why = "is not UTF-8"
	case strings.IndexFunc(name, unicode.IsControl) >= 0:
		why = "has a control character"
	case strings.EqualFold(name, ".git"):
		why = "is reserved"
	default:
		return nil
	}
	return diag.Errorf("lookaside/name", "source file name %q %s", name, why)
}

// newHash returns the hash function of a sources file's hash type, and the
// type in upper case.
func newHash(kind string) (hash.Hash, string, error) {
	switch strings.ToUpper(kind) {
	case "SHA512":
		return sha512.New(), "SHA512", nil
	case "SHA256":
		return sha256.New(), "SHA256", nil
	case "MD5":
		return md5.New(), "MD5", nil
	}
	d := diag.Errorf("lookaside/hash-type", "hash type %q is not supported", kind)
	d.Hint = "use SHA512, SHA256 or, for old files, MD5"
	return nil, "", d
}

// Get returns a file from the cache, or downloads it. Errors are
// *diag.Diagnostic without a position.
func (l *Lookaside) Get(ctx context.Context, d Download) (*Content, error) {
	if err := CheckFileName(d.Name); err != nil {
		return nil, err
	}
	if d.Hash == "" {
		return l.fetch(ctx, d, nil)
	}
	want, err := l.content(d.HashType, d.Hash)
	if err != nil {
		return nil, err
	}
	if info, err := os.Lstat(want.Path); err == nil && info.Mode().IsRegular() {
		want.Size = info.Size()
		return want, nil
	}
	return l.fetch(ctx, d, want)
}

// content says where the cache has a file with a digest, if it has it.
func (l *Lookaside) content(hashType, digest string) (*Content, error) {
	h, kind, err := newHash(hashType)
	if err != nil {
		return nil, err
	}
	digest = strings.ToLower(digest)
	if b, err := hex.DecodeString(digest); err != nil || len(b) != h.Size() {
		d := diag.Errorf("lookaside/hash-type", "%q is not a %s digest", digest, kind)
		d.Hint = fmt.Sprintf("a %s digest has %d hexadecimal digits", kind, 2*h.Size())
		return nil, d
	}
	c := &Content{Path: filepath.Join(l.dir, strings.ToLower(kind), digest[:2], digest[2:]), hash: kind + ":" + digest}
	if kind == "SHA512" {
		c.SHA512 = digest
	}
	return c, nil
}

// Install copies the content to a new file called name below root, checking it
// once more on the way, as the cache may have been damaged since. It appears
// under its name only when it is complete.
func (c *Content) Install(root *os.Root, name string, mode fs.FileMode) error {
	kind, digest, _ := strings.Cut(c.hash, ":")
	h, _, err := newHash(kind)
	if err != nil {
		return err
	}
	src, err := os.Open(c.Path)
	if err != nil {
		return diag.Environment(diag.Errorf("fedora/cache", "read %s from the cache: %v", name, errors.Unwrap(err)), "")
	}
	defer src.Close()
	temp := filepath.Join(filepath.Dir(name), cache.TempPrefix+filepath.Base(name))
	if len(filepath.Base(temp)) > 255 {
		temp = filepath.Join(filepath.Dir(name), cache.TempPrefix+digest[:32])
	}
	dst, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return diag.Environment(diag.Errorf("lookaside/write", "write %s: %v", name, errors.Unwrap(err)), "")
	}
	_, err = io.Copy(dst, io.TeeReader(src, h))
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err == nil && hex.EncodeToString(h.Sum(nil)) != digest {
		root.Remove(temp)
		os.Remove(c.Path) // so that the next run fetches it again
		return diag.Environment(diag.Errorf("fedora/cache", "the cached copy of %s was damaged and has been removed", name), "run the command again to download it")
	}
	if err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		root.Remove(temp)
		return diag.Environment(diag.Errorf("lookaside/write", "write %s: %v", name, err), "")
	}
	return nil
}

// checkRedirect follows redirects, but not for ever, not to another protocol
// than the allowed ones, and not without a word to another host.
func (l *Lookaside) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return diag.Errorf("lookaside/redirect", "more than 10 redirects, the last to %s", req.URL.Redacted())
	}
	for _, v := range via {
		if v.URL.String() == req.URL.String() {
			return diag.Errorf("lookaside/redirect", "redirected in a circle at %s", req.URL.Redacted())
		}
	}
	if err := l.checkURL(req.URL); err != nil {
		return err
	}
	last := via[len(via)-1].URL
	if last.Scheme == "https" && req.URL.Scheme == "http" {
		return diag.Errorf("lookaside/redirect", "redirected from %s to the unencrypted %s", last.Redacted(), req.URL.Redacted())
	}
	if last.Host != req.URL.Host {
		l.say("redirected from %s to %s", last.Host, req.URL.Redacted())
	}
	return nil
}

// checkURL holds an address to the protocols that are allowed.
func (l *Lookaside) checkURL(u *url.URL) error {
	switch {
	case u.Scheme == "https" && u.Host != "", u.Scheme == "file" && (u.Host == "" || u.Host == "localhost"):
		return nil
	case u.Scheme == "http" && u.Host != "" && (l.allowHTTP || l.offline):
		return nil
	case u.Scheme == "http":
		d := diag.Errorf("lookaside/url", "%s is not encrypted", u.Redacted())
		d.Hint = "use https://, or allow http:// with --allow-http; checksums are verified either way"
		return d
	}
	d := diag.Errorf("lookaside/url", "cannot download from %q", u.Redacted())
	d.Hint = "addresses begin with https:// or file:///"
	return d
}

func (l *Lookaside) say(format string, args ...any) {
	if l.log != nil {
		l.log(fmt.Sprintf(format, args...))
	}
}

// LookasideCodes are the diagnostics about downloading source files.
var LookasideCodes = []diag.Code{
	{ID: "lookaside/name", Summary: "a source file's name is not a plain file name",
		Doc: "File names in a sources file come from upstream. One with a slash, a control character or a special meaning is refused, as it could be written somewhere else."},
	{ID: "lookaside/hash-type", Summary: "a hash that cannot be verified",
		Doc: "Sources are verified by SHA512, SHA256 or, for old files, MD5, with all digits of the digest."},
	{ID: "lookaside/url", Summary: "an address that downloads must not use",
		Doc: "Source files come from https:// or file:/// addresses, and from http:// with --allow-http."},
	{ID: "lookaside/redirect", Summary: "a server redirects in a way that is not followed",
		Doc: "Redirects are followed up to ten times, not in circles and not from an encrypted to an unencrypted address."},
	{ID: "lookaside/not-found", Summary: "a source file is on none of the servers",
		Doc: "Every address answered that there is no such file. The hash may be mistyped, or the file was never uploaded."},
	{ID: "lookaside/checksum", Summary: "a downloaded file has the wrong checksum",
		Doc: "The server sent another file than the one whose hash is configured, twice. Nothing was kept. Either the hash is mistyped or the file was exchanged."},
	{ID: "lookaside/network", Summary: "downloading a source file did not work",
		Doc: "All attempts failed. --network-retries sets their number; what was received so far is kept and taken up by the next run."},
	{ID: "lookaside/too-large", Summary: "a source file is larger than what is accepted",
		Doc: "The server announced or sent more bytes than the bound for one file."},
	{ID: "lookaside/write", Summary: "a source file cannot be written",
		Doc: "The output directory is full or cannot be written."},
}
