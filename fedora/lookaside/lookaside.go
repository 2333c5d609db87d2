// Package lookaside gets big source files, those that dist-git lists in a file
// "sources" instead of keeping them, and reads and writes that file.
package lookaside

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

// A Client fetches big source files, those that the "sources" file of a
// package names, and keeps them in a cache by their checksum. A file gets its
// name in the cache only after all of it has matched; what an interrupted run
// has is taken up by the next. It is safe for concurrent use, also by several
// processes on one directory.
type Client struct {
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
	// MaxSize is how many bytes the file may have, 0 for the client's own bound.
	MaxSize int64
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

// Options says where a Client keeps files and what it may do to get them.
type Options struct {
	Dir       string            // of the files, below the cache directory
	Offline   bool              // forbids all but file:// addresses
	AllowHTTP bool              // permits unencrypted http:// addresses
	Retries   int               // how often a failed download is tried again
	PerHost   int               // bounds parallel downloads from one host
	Backoff   time.Duration     // wait before the second attempt, doubled with each
	Stall     time.Duration     // how long a server may send nothing
	Log       func(line string) // receives one line of talk; nil drops it
}

// Open prepares downloads. It creates no file before there is something to keep.
func Open(o Options) *Client {
	l := &Client{
		dir: o.Dir, offline: o.Offline, allowHTTP: o.AllowHTTP, retries: o.Retries, log: o.Log,
		hosts: map[string]chan struct{}{}, perHost: o.PerHost, maxSize: 64 << 30, stall: o.Stall, backoff: o.Backoff,
		jobs: make(chan struct{}, 8),
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // archives are wanted as they are
	transport.ResponseHeaderTimeout = l.stall
	transport.MaxIdleConnsPerHost = l.perHost
	l.client = &http.Client{Transport: transport, CheckRedirect: l.checkRedirect}
	return l
}

// Close ends idle connections.
func (l *Client) Close() error {
	l.client.CloseIdleConnections()
	return nil
}

// URL fills in a lookaside-base-uri template: $pkg, $filename, $hash
// and the lower-case $hashtype, each escaped as one path element.
func URL(template, pkg, filename, hashType, hash string) string {
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
func (l *Client) Get(ctx context.Context, d Download) (*Content, error) {
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
	if want.present() {
		return want, nil
	}
	return l.fetch(ctx, d, want)
}

// Lookup returns a file that is in the cache, and nil for one that is not.
func (l *Client) Lookup(hashType, digest string) (*Content, error) {
	c, err := l.content(hashType, digest)
	if err != nil || !c.present() {
		return nil, err
	}
	return c, nil
}

// present reports whether the cache has the file, and notes its size.
func (c *Content) present() bool {
	info, err := os.Lstat(c.Path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	c.Size = info.Size()
	return true
}

// HashType returns the type of the digest that the cache knows the file by.
func (c *Content) HashType() string {
	kind, _, _ := strings.Cut(c.hash, ":")
	return kind
}

// SHA256 returns that digest of the file in hexadecimal, reading the file where
// the cache knows it by another.
func (c *Content) SHA256() (string, error) {
	if sum, ok := strings.CutPrefix(c.hash, "SHA256:"); ok {
		return sum, nil
	}
	sum, err := cache.FileSHA256(c.Path)
	if err != nil {
		return "", cache.Failure(err)
	}
	return sum, nil
}

// content says where the cache has a file with a digest, if it has it.
func (l *Client) content(hashType, digest string) (*Content, error) {
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

// Verify returns in a line what is wrong with a file of a Client, which lies at
// TYPE/DI/GEST; the empty string when all is well.
func Verify(path string) string {
	dir := filepath.Dir(path)
	digest := filepath.Base(dir) + filepath.Base(path)
	h, _, err := newHash(filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return "not a file of this cache"
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return err.Error()
	}
	if hex.EncodeToString(h.Sum(nil)) != digest {
		return "content does not match its digest"
	}
	return ""
}

// checkRedirect follows redirects, but not for ever, not to another protocol
// than the allowed ones, and not without a word to another host.
func (l *Client) checkRedirect(req *http.Request, via []*http.Request) error {
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
func (l *Client) checkURL(u *url.URL) error {
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

func (l *Client) say(format string, args ...any) {
	if l.log != nil {
		l.log(fmt.Sprintf(format, args...))
	}
}

// Codes are the diagnostics about downloading source files.
var Codes = []diag.Code{
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
