package repodata

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"

	"specgraft/fedora/unpack"
	"specgraft/overlay/diag"
)

// A Built is a built package that a repository offers, as far as it matters for
// what needs what.
type Built struct {
	Name, Arch string
	EVR        string // [epoch:]version-release
	Source     string // file name of the source package that it comes from
	Provides   []string
	// Needs are its dependencies by kind, as tags of specs are called: Requires,
	// Recommends, Suggests, Supplements, Enhances.
	Needs map[string][]string
	Files []string // all of them when the repository has filelists, else some
}

// Codes are the diagnostics about the metadata of built packages.
var Codes = []diag.Code{
	{ID: "repodata/bad", Default: diag.Error, Summary: "the metadata of a repository cannot be read",
		Doc: "repomd.xml, or the primary or filelists metadata that it names, is missing, cut off, has another checksum than repomd.xml says, or more than what is accepted. Make the metadata again with createrepo_c, or fetch it again with specgraft repo fetch."},
	{ID: "repodata/unknown", Default: diag.Error, Summary: "nothing is known under the name of a repository",
		Doc: "repo compare takes the name of a repository or of a set of repositories in the project, a directory with repodata, or an address. repo fetch needs inputs.rpm-build in the default distribution's version, or repos in the distribution."},
}

// maxFiles bounds the file lists of one repository.
const maxFiles = 64 << 20

// ReadDir reads the metadata of the built packages of a repository in a directory,
// which has repodata/repomd.xml, or is that repodata directory. Checksums are
// verified, and nothing is taken from outside of the directory. want says which
// file paths are of interest; nil means all of them. The lists of files, which are
// large, are read only when files is set.
func ReadDir(dir string, files bool, want func(path string) bool) ([]Built, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, badMetadata(dir, diag.Reason(err))
	}
	defer root.Close()
	at, text, err := readIndex(root)
	if err != nil {
		return nil, badMetadata(dir, err)
	}
	x := builtReader{files: files, want: want, open: func(m metadataFile) (*os.File, error) { return openIn(root, at, m) }}
	list, err := x.read(text)
	if err != nil {
		return nil, badMetadata(dir, err)
	}
	return list, nil
}

// A builtReader reads the packages of a repository.
type builtReader struct {
	files bool                   // read the lists of files
	want  func(path string) bool // which files are of interest, nil for all
	open  func(metadataFile) (*os.File, error)
	// take, when set, is given the files of the lists, which packages then have not;
	// pkg is the number of the package.
	take func(pkg int, path string)
}

// read reads the packages of a repository with the repomd.xml in text.
func (x *builtReader) read(text []byte) ([]Built, error) {
	entries, err := parseEntries(text)
	if err != nil {
		return nil, err
	}
	primary, ok := entries["primary"]
	if !ok {
		return nil, errNoPrimary
	}
	read := func(m metadataFile, each func(*xml.Decoder, *xml.StartElement) error) error {
		f, err := x.open(m)
		if err != nil {
			return diag.Reason(err)
		}
		defer f.Close()
		return readFile(f, m, each)
	}
	var list []Built
	byID := map[string]int{}
	err = read(primary, func(d *xml.Decoder, start *xml.StartElement) error {
		id, b, err := readBuilt(d, start, x.want)
		if err != nil || b == nil {
			return err
		}
		if len(list) >= maxPackages {
			return fmt.Errorf("it has more than %d packages", maxPackages)
		}
		byID[id] = len(list)
		list = append(list, *b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the primary metadata: %w", err)
	}
	lists, ok := entries["filelists"]
	if !x.files || !ok {
		return list, nil
	}
	total := 0
	err = read(lists, func(d *xml.Decoder, start *xml.StartElement) error {
		i, known := byID[attribute(*start, "pkgid")]
		if known {
			list[i].Files = nil
		}
		return readFiles(d, func(path string) error {
			if !known || x.want != nil && !x.want(path) {
				return nil
			}
			if total++; total > maxFiles {
				return fmt.Errorf("it has more than %d files", maxFiles)
			}
			if x.take != nil {
				x.take(i, path)
			} else {
				list[i].Files = append(list[i].Files, path)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("the filelists metadata: %w", err)
	}
	return list, nil
}

var errNoPrimary = errors.New("repomd.xml does not name any primary metadata")

func badMetadata(dir string, err error) error {
	return &diag.Diagnostic{Code: "repodata/bad", Message: fmt.Sprintf("repository metadata in %s: %v", dir, err),
		Hint: "make it again with createrepo_c, or fetch it again"}
}

func readBounded(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it has more than %d MiB", limit>>20)
	}
	return data, err
}

// parseEntries reads all entries of a repomd.xml.
func parseEntries(text []byte) (map[string]metadataFile, error) {
	var doc struct {
		XMLName xml.Name `xml:"repomd"`
		Data    []struct {
			Type     string `xml:"type,attr"`
			Checksum struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"checksum"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
			Size     int64 `xml:"size"`
			OpenSize int64 `xml:"open-size"`
		} `xml:"data"`
	}
	if err := strictXML(bytes.NewReader(text)).Decode(&doc); err != nil {
		return nil, fmt.Errorf("repomd.xml is not readable: %w", err)
	}
	out := map[string]metadataFile{}
	for _, d := range doc.Data {
		if d.Type != "primary" && d.Type != "filelists" {
			continue
		}
		m := metadataFile{path: d.Location.Href, hashType: strings.ToUpper(d.Checksum.Type),
			hash: strings.ToLower(strings.TrimSpace(d.Checksum.Text)), size: d.Size, openSize: d.OpenSize}
		if err := checkHref(m.path); err != nil {
			return nil, err
		}
		if m.hashType != "SHA256" && m.hashType != "SHA512" {
			return nil, fmt.Errorf("repomd.xml uses the checksum type %q", d.Checksum.Type)
		}
		out[d.Type] = m
	}
	return out, nil
}

// openIn opens a metadata file of a repository in a directory, in which names are
// relative to at.
func openIn(root *os.Root, at string, m metadataFile) (*os.File, error) {
	if at == "" { // the repodata directory itself
		return root.Open(path.Base(m.path))
	}
	return root.Open(m.path)
}

// readFile verifies a metadata file and hands its packages to each. The file is
// read twice: nothing in it is looked at before its checksum is right.
func readFile(f *os.File, m metadataFile, each func(*xml.Decoder, *xml.StartElement) error) error {
	var h hash.Hash = sha256.New()
	if m.hashType == "SHA512" {
		h = sha512.New()
	}
	if n, err := io.Copy(h, io.LimitReader(f, maxPrimary+1)); err != nil || n > maxPrimary {
		return errors.Join(err, fmt.Errorf("%s is too large", m.path))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != m.hash {
		return fmt.Errorf("%s has the checksum %.12s, repomd.xml says %.12s", m.path, got, m.hash)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return readPackages(f, m.path, m.openSize, each)
}

// readPackages hands the packages of a metadata file to each. openSize is how many
// bytes it may have when unpacked, 0 for what is accepted at most.
func readPackages(f io.Reader, name string, openSize int64, each func(*xml.Decoder, *xml.StartElement) error) error {
	kind := map[string]string{".gz": "gzip", ".xz": "xz", ".zst": "zstd", ".bz2": "bzip2"}[path.Ext(name)]
	open, err := unpack.Open(f, kind)
	if err != nil {
		return err
	}
	defer open.Close()
	limit := int64(maxPrimary)
	if openSize > 0 {
		limit = min(limit, openSize)
	}
	bounded := &budgetReader{r: open, left: limit}
	d := strictXML(bounded)
	depth := 0
	for {
		bounded.element = maxElement
		token, err := d.RawToken()
		if err == io.EOF {
			if depth != 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local != "package" {
				if depth++; depth > 1 {
					return fmt.Errorf("<%s> is no package", t.Name.Local)
				}
				continue
			}
			if err := each(d, &t); err != nil {
				return err
			}
		case xml.EndElement:
			depth--
		}
	}
}

// readFiles reads the rest of a package of the filelists, and hands each file that
// is neither a directory nor a ghost to f.
func readFiles(d *xml.Decoder, f func(path string) error) error {
	depth, reading := 1, false
	var path string
	var text elementText
	for depth > 0 {
		token, err := d.RawToken()
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > 8 {
				return errors.New("its elements nest too deep")
			}
			reading = t.Name.Local == "file" && attribute(t, "type") == ""
			text.of(nil)
			if reading {
				path = ""
				text.of(&path)
			}
		case xml.CharData:
			text.add(t)
		case xml.EndElement:
			depth--
			if reading {
				if err := f(path); err != nil {
					return err
				}
			}
			reading = false
		}
	}
	return nil
}

// Flags of dependencies in primary metadata.
var comparisons = map[string]string{"LT": "<", "LE": "<=", "EQ": "=", "GE": ">=", "GT": ">"}

// needElements are the elements of a package's format by the tag they stand for.
var needElements = map[string]string{"requires": "Requires", "recommends": "Recommends", "suggests": "Suggests",
	"supplements": "Supplements", "enhances": "Enhances"}

// readBuilt reads one package; source packages come out as nil. Elements are read
// one token at a time, which is some times faster than decoding into a structure.
func readBuilt(d *xml.Decoder, start *xml.StartElement, want func(string) bool) (id string, b *Built, err error) {
	b = &Built{}
	var text elementText
	var list string
	depth := 1
	checksum, file, skip := "", "", false
	for depth > 0 {
		token, err := d.RawToken()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return "", nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > 8 {
				return "", nil, errors.New("its elements nest too deep")
			}
			text.of(nil)
			switch name := t.Name.Local; name {
			case "name":
				text.of(&b.Name)
			case "arch":
				text.of(&b.Arch)
			case "checksum":
				checksum = ""
				text.of(&checksum)
			case "sourcerpm":
				text.of(&b.Source)
			case "file":
				file = ""
				text.of(&file)
				skip = attribute(t, "type") != ""
			case "version":
				b.EVR = evrText(attribute(t, "epoch"), attribute(t, "ver"), attribute(t, "rel"))
			case "entry":
				b.entry(t, list)
			default:
				if name == "provides" || needElements[name] != "" {
					list = name
				}
			}
		case xml.CharData:
			text.add(t)
		case xml.EndElement:
			depth--
			if text.to == &file && !skip && (want == nil || want(file)) {
				b.Files = append(b.Files, file)
			}
			text.of(nil)
			if t.Name.Local == list {
				list = ""
			}
		}
	}
	if err := b.check(); err != nil {
		return "", nil, err
	}
	if b.Arch == "src" || b.Arch == "nosrc" {
		return "", nil, nil
	}
	return strings.TrimSpace(checksum), b, nil
}

// check refuses what nobody means for a package.
func (b *Built) check() error {
	if b.Name == "" || len(b.Name) > 4096 || strings.ContainsFunc(b.Name, odd) || strings.Contains(b.Name, "/") {
		return fmt.Errorf("a package has no proper name, but %.100q", b.Name)
	}
	for _, texts := range append(slices.Collect(maps.Values(b.Needs)), b.Provides) {
		for _, text := range texts {
			if strings.ContainsFunc(text, unicode.IsControl) { // which a terminal would obey
				return fmt.Errorf("package %s has the dependency %.100q", b.Name, text)
			}
		}
	}
	return nil
}

// entry takes one dependency.
func (b *Built) entry(t xml.StartElement, list string) {
	text := attribute(t, "name")
	if c := comparisons[attribute(t, "flags")]; c != "" {
		v := attribute(t, "ver")
		if r := attribute(t, "rel"); r != "" {
			v += "-" + r
		}
		if e := attribute(t, "epoch"); e != "" && e != "0" {
			v = e + ":" + v
		}
		text += " " + c + " " + v
	}
	switch {
	case text == "" || strings.HasPrefix(text, "rpmlib("):
	case list == "provides":
		b.Provides = append(b.Provides, text)
	case needElements[list] != "":
		if b.Needs == nil {
			b.Needs = map[string][]string{}
		}
		kind := needElements[list]
		b.Needs[kind] = append(b.Needs[kind], text)
	}
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func evrText(epoch, version, release string) string {
	s := version + "-" + release
	if epoch != "" && epoch != "0" {
		s = epoch + ":" + s
	}
	return s
}
