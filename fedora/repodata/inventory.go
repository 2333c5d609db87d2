package repodata

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"specgraft/fedora/cache"
	"specgraft/fedora/evr"
	"specgraft/fedora/lookaside"
	"specgraft/overlay/diag"
)

// A NEVRA is the name, version and architecture of one package that a repository
// offers. That of a source package is src or nosrc.
type NEVRA struct {
	Name string
	EVR  evr.EVR
	Arch string
}

// String returns rpm's spelling: name-[epoch:]version-release.arch.
func (n NEVRA) String() string { return n.Name + "-" + n.EVR.String() + "." + n.Arch }

// Inventory reads the names of all packages that a repository offers, source
// packages among them, in the order of its metadata. base is the directory that
// holds repodata, or its file:// or https:// address. What is downloaded is
// verified and kept by client, which directories do without.
func Inventory(ctx context.Context, client *lookaside.Client, base string) ([]NEVRA, error) {
	list, err := inventory(ctx, client, base)
	switch d, ok := errors.AsType[*diag.Diagnostic](err); {
	case err == nil:
		return list, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case ok:
		d := *d
		d.Message = fmt.Sprintf("repository %s: %s", redacted(base), d.Message)
		return nil, &d
	}
	return nil, badMetadata(redacted(base), err)
}

func inventory(ctx context.Context, client *lookaside.Client, base string) ([]NEVRA, error) {
	dir, local, err := localDir(base)
	if err != nil {
		return nil, err
	}
	var list []NEVRA
	each := func(d *xml.Decoder, start *xml.StartElement) error {
		n, err := readNEVRA(d, start)
		if err == nil && len(list) >= maxPackages {
			err = fmt.Errorf("it has more than %d packages", maxPackages)
		}
		list = append(list, n)
		return err
	}
	if local {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, diag.Reason(err)
		}
		defer root.Close()
		at, text, err := readIndex(root)
		if err != nil {
			return nil, err
		}
		primary, err := parseRepomd(text)
		if err != nil {
			return nil, err
		}
		f, err := openIn(root, at, primary)
		if err != nil {
			return nil, inPrimary(diag.Reason(err))
		}
		defer f.Close()
		return list, inPrimary(readFile(f, primary, each))
	}
	if !strings.HasPrefix(base, "https://") && !strings.HasPrefix(base, "http://") {
		return nil, errors.New("it is neither a directory nor a file://, https:// or http:// address")
	}
	at := func(path string) []string { return []string{strings.TrimSuffix(base, "/") + "/" + path} }
	index, err := client.Get(ctx, lookaside.Download{Name: "repomd.xml", URLs: at("repodata/repomd.xml"), MaxSize: maxRepomd})
	if err != nil {
		return nil, err
	}
	text, err := cache.ReadBounded(index.Path, maxRepomd)
	if err != nil {
		return nil, fmt.Errorf("repomd.xml: %w", diag.Reason(err))
	}
	primary, err := parseRepomd(text)
	if err != nil {
		return nil, err
	}
	file, err := client.Get(ctx, primary.download("primary.xml", base))
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file.Path)
	if err != nil {
		return nil, diag.Reason(err)
	}
	defer f.Close()
	return list, inPrimary(readPackages(f, primary.path, primary.openSize, each))
}

func inPrimary(err error) error {
	if err != nil {
		err = fmt.Errorf("the primary metadata: %w", err)
	}
	return err
}

// readIndex reads the repomd.xml of a repository, or of its repodata directory
// itself. at is what the names in it are relative to.
func readIndex(root *os.Root) (at string, text []byte, err error) {
	at = "repodata/"
	if _, err := root.Stat("repodata/repomd.xml"); err != nil {
		if _, here := root.Stat("repomd.xml"); here == nil {
			at = ""
		}
	}
	if text, err = readBounded(root, at+"repomd.xml", maxRepomd); err != nil {
		err = fmt.Errorf("repomd.xml: %w", diag.Reason(err))
	}
	return at, text, err
}

// localDir returns the directory that a plain path or a file:// address names.
func localDir(base string) (dir string, local bool, err error) {
	if !strings.Contains(base, "://") {
		return base, true, nil
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return "", false, errors.New("this is not an address")
	case u.Scheme != "file":
		return "", false, nil
	case u.Host != "" && u.Host != "localhost":
		return "", false, fmt.Errorf("a file:// address names no host, but it has %q; write file:///PATH", u.Host)
	}
	return filepath.FromSlash(u.Path), true, nil
}

// readNEVRA reads the name of one package and skips the rest of it.
func readNEVRA(d *xml.Decoder, start *xml.StartElement) (NEVRA, error) {
	var n NEVRA
	var text elementText
	for depth := 1; depth > 0; {
		token, err := d.RawToken()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return n, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > 8 {
				return n, errors.New("its elements nest too deep")
			}
			text.of(nil)
			switch {
			case depth > 2: // below format, where names are of something else
			case t.Name.Local == "name":
				text.of(&n.Name)
			case t.Name.Local == "arch":
				text.of(&n.Arch)
			case t.Name.Local == "version":
				n.EVR = evr.EVR{Epoch: strings.TrimLeft(attribute(t, "epoch"), "0"), Version: attribute(t, "ver"), Release: attribute(t, "rel")}
			}
		case xml.CharData:
			text.add(t)
		case xml.EndElement:
			depth--
			text.of(nil)
		}
	}
	if n.Name == "" || n.Arch == "" || n.EVR.Version == "" || strings.ContainsFunc(n.String(), odd) {
		return n, fmt.Errorf("package %.100q has no proper name, version or architecture", n.Name)
	}
	return n, nil
}

// odd reports whether a character is none of a package's name or version: those
// that a terminal or the lines of a list would take for something else.
func odd(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
}
