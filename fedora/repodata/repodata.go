// Package repodata finds source packages in the metadata of package
// repositories.
package repodata

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"specgraft/fedora/cache"
	"specgraft/fedora/evr"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/unpack"
	"specgraft/overlay/diag"
)

// Bounds on repository metadata. The primary metadata of all of Fedora's source
// packages has about 100 MiB.
const (
	maxRepomd   = 4 << 20
	maxPrimary  = 4 << 30
	maxPackages = 1 << 20
	maxElement  = 16 << 20 // of one package; changelogs and file lists are elsewhere
	maxSource   = 4 << 20  // of one source package, which is decoded as a whole
	maxXMLText  = 64 << 10
	maxPieces   = 64 // that comments cut a text into
	maxOpen     = 64 // elements around packages
)

// An elementText collects the text of an element, which comments may cut into
// pieces. What is too long or in too many is left out; adding up is linear.
type elementText struct {
	to     *string
	pieces int
}

// of begins a text, or none with nil.
func (e *elementText) of(to *string) { e.to, e.pieces = to, 0 }

func (e *elementText) add(piece []byte) {
	if e.to != nil && e.pieces < maxPieces && len(*e.to)+len(piece) <= maxXMLText {
		*e.to += string(piece)
		e.pieces++
	}
}

// A Package is a source package that a repository offers.
type Package struct {
	Name     string
	EVR      evr.EVR
	URL      string
	HashType string // "SHA256" or "SHA512"
	Hash     string
	Size     int64 // bytes
}

// Repos looks up source packages in repositories, reading the metadata of
// each once. It is safe for concurrent use.
type Repos struct {
	Lookaside *lookaside.Client

	mu    sync.Mutex
	repos map[string]*repo
}

type repo struct {
	once     sync.Once
	packages map[string][]Package // by name, oldest first
	err      error
}

// Find returns the newest source package with the name of want among the
// repositories at the given base addresses; where want has them, only the one
// with its version and hash. Of equal packages the one in the first repository
// wins. A repository that cannot be read is an error, as it may have a newer
// package.
func (s *Repos) Find(ctx context.Context, bases []string, want Package) (Package, error) {
	var best Package
	var others, names []string
	for _, base := range bases {
		packages, err := s.read(ctx, base)
		if err != nil {
			return best, err
		}
		for _, p := range packages[want.Name] {
			switch {
			case want.EVR != (evr.EVR{}) && p.EVR.Compare(want.EVR) != 0:
				others = append(others, p.EVR.String())
			case want.Hash != "" && p.Hash != want.Hash:
			case best.Name == "" || p.EVR.Compare(best.EVR) > 0:
				best = p
			}
		}
		for n := range packages {
			names = append(names, n)
		}
	}
	if best.Name != "" {
		return best, nil
	}
	d := diag.Errorf("srpm/not-found", "no source repository has the package %q", want.Name)
	near := diag.Nearest(want.Name, slices.Sorted(slices.Values(names)))
	switch {
	case len(bases) == 0:
		d.Message = fmt.Sprintf("there is no source repository to find the package %q in", want.Name)
		d.Hint = "give the distribution repos, or the component a spec.srpm"
	case len(others) > 0:
		d.Message += " in version " + want.EVR.String()
		d.Hint = "there is " + strings.Join(slices.Compact(others), ", ")
	case want.Hash != "":
		d.Message += fmt.Sprintf(" with the locked checksum %.12s any more", want.Hash)
		d.Hint = "lock what there is now with `specgraft update --force-recalculate`"
	case near != "":
		d.Hint = fmt.Sprintf("did you mean %q? set spec.upstream-name", near)
	default:
		d.Hint = "check spec.upstream-name, and the repos of the distribution"
	}
	return best, d
}

func (s *Repos) read(ctx context.Context, base string) (map[string][]Package, error) {
	s.mu.Lock()
	if s.repos == nil {
		s.repos = map[string]*repo{}
	}
	r := s.repos[base]
	if r == nil {
		r = &repo{}
		s.repos[base] = r
	}
	s.mu.Unlock()
	r.once.Do(func() { r.packages, r.err = s.load(ctx, base) })
	return r.packages, r.err
}

// load reads the metadata of one repository: repomd.xml names the primary
// metadata with its checksum.
func (s *Repos) load(ctx context.Context, base string) (map[string][]Package, error) {
	problem := func(err error) error {
		if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
			return d
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &diag.Diagnostic{Code: "srpm/repo", Message: fmt.Sprintf("source repository %s: %v", redacted(base), err),
			Hint: "check the repos of the distribution"}
	}
	index, err := s.Lookaside.Get(ctx, lookaside.Download{Name: "repomd.xml", URLs: []string{address(base, "repodata/repomd.xml")}, MaxSize: maxRepomd})
	if err != nil {
		return nil, problem(err)
	}
	text, err := cache.ReadBounded(index.Path, maxRepomd)
	if err != nil {
		return nil, problem(fmt.Errorf("repomd.xml: %w", diag.Reason(err)))
	}
	primary, err := parseRepomd(text)
	if err != nil {
		return nil, problem(err)
	}
	file, err := s.Lookaside.Get(ctx, primary.download("primary.xml", base))
	if err != nil {
		return nil, problem(err)
	}
	f, err := os.Open(file.Path)
	if err != nil {
		return nil, problem(diag.Reason(err))
	}
	defer f.Close()
	limit := int64(maxPrimary)
	if primary.openSize > 0 {
		limit = min(limit, primary.openSize)
	}
	packages, err := readPrimary(f, primary.path, limit, base)
	if err != nil {
		return nil, problem(fmt.Errorf("the primary metadata: %w", err))
	}
	return packages, nil
}

func redacted(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return address
}

// A metadataFile is an entry of repomd.xml.
type metadataFile struct {
	path     string // relative to the repository
	hashType string
	hash     string
	size     int64 // bytes, 0 when not given
	openSize int64 // bytes when unpacked, 0 when not given
}

// download is the request for the file of the repository at one of some addresses.
func (m *metadataFile) download(name string, bases ...string) lookaside.Download {
	d := lookaside.Download{Name: name, HashType: m.hashType, Hash: m.hash, MaxSize: maxPrimary}
	if m.size > 0 {
		d.MaxSize = min(d.MaxSize, m.size)
	}
	for _, base := range bases {
		d.URLs = append(d.URLs, address(base, m.path))
	}
	return d
}

// address is that of a file of the repository at base.
func address(base, path string) string { return strings.TrimSuffix(base, "/") + "/" + path }

// parseRepomd finds the primary metadata in a repomd.xml.
func parseRepomd(text []byte) (metadataFile, error) {
	entries, err := parseEntries(text)
	if err != nil {
		return metadataFile{}, err
	}
	primary, ok := entries["primary"]
	if !ok {
		return metadataFile{}, errNoPrimary
	}
	return primary, nil
}

// strictXML reads no entities but XML's own and no other character sets.
func strictXML(r io.Reader) *xml.Decoder {
	d := xml.NewDecoder(r)
	d.Entity = nil
	return d
}

// checkHref refuses references that lead out of a repository.
func checkHref(href string) error {
	u, err := url.Parse(href)
	if err != nil || href == "" || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "/") || u.RawQuery != "" || u.Fragment != "" ||
		slices.Contains(strings.Split(u.Path, "/"), "..") {
		return fmt.Errorf("it refers to %q, which is not in the repository", href)
	}
	return nil
}

// readPrimary reads the source packages of primary metadata, one element at a
// time. Its size is bounded after unpacking, too.
func readPrimary(r io.Reader, name string, limit int64, base string) (map[string][]Package, error) {
	kind := ""
	for suffix, k := range map[string]string{".gz": "gzip", ".xz": "xz", ".zst": "zstd", ".bz2": "bzip2"} {
		if strings.HasSuffix(name, suffix) {
			kind = k
		}
	}
	open, err := unpack.Open(r, kind)
	if err != nil {
		return nil, err
	}
	defer open.Close()
	bounded := &budgetReader{r: open, left: limit}
	d := strictXML(bounded)
	packages := map[string][]Package{}
	count, depth := 0, 0
	for {
		bounded.element = maxSource
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		// The decoder remembers each element that is open.
		if _, ok := token.(xml.EndElement); ok {
			depth--
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local != "package" {
			if depth++; depth > maxOpen {
				return nil, errors.New("its elements nest too deep")
			}
			continue
		}
		var p struct {
			Name    string `xml:"name"`
			Arch    string `xml:"arch"`
			Version struct {
				Epoch   string `xml:"epoch,attr"`
				Version string `xml:"ver,attr"`
				Release string `xml:"rel,attr"`
			} `xml:"version"`
			Checksum struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"checksum"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
			Size struct {
				Package int64 `xml:"package,attr"`
			} `xml:"size"`
		}
		if err := d.DecodeElement(&p, &start); err != nil {
			return nil, err
		}
		if p.Arch != "src" && p.Arch != "nosrc" {
			continue
		}
		if count++; count > maxPackages {
			return nil, fmt.Errorf("it has more than %d packages", maxPackages)
		}
		if len(p.Name) > maxXMLText || p.Name == "" {
			return nil, errors.New("a package has no proper name")
		}
		if err := checkHref(p.Location.Href); err != nil {
			return nil, err
		}
		kind := strings.ToUpper(p.Checksum.Type)
		if kind != "SHA256" && kind != "SHA512" {
			return nil, fmt.Errorf("package %q has a checksum of type %q", p.Name, p.Checksum.Type)
		}
		packages[p.Name] = append(packages[p.Name], Package{
			Name: p.Name,
			EVR:  evr.EVR{Epoch: strings.TrimLeft(p.Version.Epoch, "0"), Version: p.Version.Version, Release: p.Version.Release},
			URL:  strings.TrimSuffix(base, "/") + "/" + p.Location.Href, HashType: kind,
			Hash: strings.ToLower(strings.TrimSpace(p.Checksum.Text)), Size: p.Size.Package,
		})
	}
	for _, list := range packages {
		slices.SortStableFunc(list, func(a, b Package) int { return cmp.Or(a.EVR.Compare(b.EVR), strings.Compare(a.Hash, b.Hash)) })
	}
	return packages, nil
}

// A budgetReader bounds how much is read in all and for one element, which the
// XML decoder holds in memory.
type budgetReader struct {
	r             io.Reader
	left, element int64
}

func (b *budgetReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.left -= int64(n)
	b.element -= int64(n)
	switch {
	case b.left < 0:
		return 0, errors.New("it has more bytes than it may have")
	case b.element < 0:
		return 0, errors.New("one package has too many bytes")
	}
	return n, err
}
