package repodata

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strings"

	"specgraft/fedora/lookaside"
)

// Metadata of a large distribution is a gigabyte of XML, which takes longer to read
// than all of its specs to evaluate. What is read once when it is fetched is therefore
// kept in a second form: the packages as lines, and the files as a table that a path
// is found in without reading it.

// maxIndexed bounds the files of a table, which are sorted in memory.
const maxIndexed = 16 << 20

// A fileTable is the files of a repository, as a digest of the path and the number of
// the package that has it.
type fileTable struct {
	rows []fileRow
	lost bool // there were more than maxIndexed
}

type fileRow struct {
	path uint64
	pkg  uint32
}

// rowSize is the size of a row in a file, big endian: the path's digest, the package.
const rowSize = 12

func (t *fileTable) add(pkg int, path string) {
	if len(t.rows) >= maxIndexed {
		t.lost = true
		return
	}
	t.rows = append(t.rows, fileRow{pathDigest(path), uint32(pkg)})
}

func pathDigest(path string) uint64 {
	sum := sha256.Sum256([]byte(path))
	return binary.BigEndian.Uint64(sum[:])
}

// reader returns the table as its file has it.
func (t *fileTable) reader() io.Reader {
	slices.SortFunc(t.rows, func(a, b fileRow) int {
		switch {
		case a.path < b.path:
			return -1
		case a.path > b.path:
			return 1
		}
		return int(a.pkg) - int(b.pkg)
	})
	out := make([]byte, 0, rowSize*len(t.rows))
	for _, r := range t.rows {
		out = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(out, r.path), r.pkg)
	}
	return bytes.NewReader(out)
}

// findFiles notes for each path which packages have it.
func findFiles(c *lookaside.Content, list []Built, paths []string) error {
	f, err := os.Open(c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	var row [rowSize]byte
	at := func(i int) (uint64, int) {
		if _, rerr := f.ReadAt(row[:], int64(i)*rowSize); rerr != nil {
			err = rerr
		}
		return binary.BigEndian.Uint64(row[:]), int(binary.BigEndian.Uint32(row[8:]))
	}
	n := int(c.Size / rowSize)
	for _, path := range paths {
		want := pathDigest(path)
		for i := sort.Search(n, func(i int) bool { d, _ := at(i); return d >= want }); i < n; i++ {
			d, pkg := at(i)
			if d != want {
				break
			}
			if pkg >= len(list) {
				return errors.New("its table of files is of other packages")
			}
			list[pkg].Files = append(list[pkg].Files, path)
		}
	}
	return err
}

// Kinds of lines of packages, each followed by its text. A line of kindPackage begins
// a package: name, architecture, version and source package between tabs.
const (
	kindPackage  = 'N'
	kindProvides = 'P'
	kindFile     = 'F'
)

// needLines are the kinds of lines of dependencies.
var needLines = map[byte]string{'R': "Requires", 'r': "Recommends", 'S': "Suggests", 's': "Supplements", 'E': "Enhances"}

// packageLines writes packages as lines; an error is of a text that cannot be one.
func packageLines(list []Built) (io.Reader, error) {
	var b bytes.Buffer
	line := func(kind byte, text string) error {
		if strings.ContainsAny(text, "\n\r") {
			return fmt.Errorf("%.100q is no line", text)
		}
		b.WriteByte(kind)
		b.WriteString(text)
		b.WriteByte('\n')
		return nil
	}
	for i := range list {
		p := &list[i]
		fields := []string{p.Name, p.Arch, p.EVR, p.Source}
		if strings.Contains(strings.Join(fields, ""), "\t") {
			return nil, fmt.Errorf("package %.100q has a tab", p.Name)
		}
		err := line(kindPackage, strings.Join(fields, "\t"))
		for _, text := range p.Provides {
			err = errors.Join(err, line(kindProvides, text))
		}
		for _, kind := range []byte("RrSsE") {
			for _, text := range p.Needs[needLines[kind]] {
				err = errors.Join(err, line(kind, text))
			}
		}
		for _, text := range p.Files {
			err = errors.Join(err, line(kindFile, text))
		}
		if err != nil {
			return nil, err
		}
	}
	return &b, nil
}

// readPackageLines reads what packageLines wrote, and of the files those in want.
func readPackageLines(r io.Reader, want map[string]bool) ([]Built, error) {
	var list []Built
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxElement)
	for s.Scan() {
		if len(s.Bytes()) == 0 {
			return nil, errors.New("its list of packages has an empty line")
		}
		kind, text := s.Bytes()[0], string(s.Bytes()[1:])
		if kind == kindPackage {
			fields := strings.Split(text, "\t")
			if len(fields) != 4 {
				return nil, errors.New("its list of packages cannot be read")
			}
			list = append(list, Built{Name: fields[0], Arch: fields[1], EVR: fields[2], Source: fields[3]})
			continue
		}
		if len(list) == 0 {
			return nil, errors.New("its list of packages has no beginning")
		}
		p := &list[len(list)-1]
		switch need := needLines[kind]; {
		case kind == kindProvides:
			p.Provides = append(p.Provides, text)
		case kind == kindFile:
			if want[text] {
				p.Files = append(p.Files, text)
			}
		case need != "":
			if p.Needs == nil {
				p.Needs = map[string][]string{}
			}
			p.Needs[need] = append(p.Needs[need], text)
		default:
			return nil, errors.New("its list of packages has a line of an unknown kind")
		}
	}
	return list, s.Err()
}
