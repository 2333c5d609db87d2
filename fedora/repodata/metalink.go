package repodata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/fedora/lookaside"
)

// maxMirrors is how many mirrors of a metalink are tried at most.
const maxMirrors = 8

// A metalink says where a repository is, and what its index is.
type metalink struct {
	bases          []string // addresses of the repository, best first
	hashType, hash string   // of repomd.xml
}

// getMetalink downloads a metalink.
func (k *Kept) getMetalink(ctx context.Context, at string) (metalink, error) {
	c, err := k.Lookaside.Get(ctx, lookaside.Download{Name: "metalink", URLs: []string{at}, MaxSize: maxRepomd})
	if err != nil {
		return metalink{}, err
	}
	text, err := cache.ReadBounded(c.Path, maxRepomd)
	if err != nil {
		return metalink{}, cache.Failure(err)
	}
	return parseMetalink(text, strings.HasPrefix(at, "http://"))
}

// parseMetalink reads a metalink of version 3, as MirrorManager writes it. Mirrors
// without encryption are taken only when the metalink came without it.
func parseMetalink(text []byte, plain bool) (metalink, error) {
	var doc struct {
		Files []struct {
			Name   string `xml:"name,attr"`
			Hashes []struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"verification>hash"`
			URLs []string `xml:"resources>url"`
		} `xml:"files>file"`
	}
	if err := strictXML(bytes.NewReader(text)).Decode(&doc); err != nil {
		return metalink{}, fmt.Errorf("the metalink is not readable: %w", err)
	}
	for _, f := range doc.Files {
		if f.Name != "repomd.xml" {
			continue
		}
		var m metalink
		for _, h := range f.Hashes {
			if kind := strings.ToUpper(strings.TrimSpace(h.Type)); kind == "SHA512" || kind == "SHA256" && m.hash == "" {
				m.hashType, m.hash = kind, strings.ToLower(strings.TrimSpace(h.Text))
			}
		}
		if m.hash == "" {
			return m, errors.New("the metalink has neither a SHA-256 nor a SHA-512 of repomd.xml")
		}
		for _, u := range f.URLs {
			base, ok := strings.CutSuffix(strings.TrimSpace(u), "/repodata/repomd.xml")
			if ok && (strings.HasPrefix(base, "https://") || plain && strings.HasPrefix(base, "http://")) && len(m.bases) < maxMirrors {
				m.bases = append(m.bases, base)
			}
		}
		if len(m.bases) == 0 {
			return m, errors.New("the metalink names no mirror at an https:// address")
		}
		return m, nil
	}
	return metalink{}, errors.New("the metalink is not about a repomd.xml")
}

// getIndex downloads the repomd.xml of a repository, and returns its text, its
// SHA-512, and where the repository is.
func (k *Kept) getIndex(ctx context.Context, base string, linked bool) (text []byte, digest string, bases []string, err error) {
	m := metalink{bases: []string{base}}
	if linked {
		if m, err = k.getMetalink(ctx, base); err != nil {
			return nil, "", nil, err
		}
	}
	d := lookaside.Download{Name: "repomd.xml", MaxSize: maxRepomd, HashType: m.hashType, Hash: m.hash}
	for _, b := range m.bases {
		d.URLs = append(d.URLs, address(b, "repodata/repomd.xml"))
	}
	c, err := k.Lookaside.Get(ctx, d)
	if err == nil && linked && lookaside.Verify(c.Path) != "" {
		if err := os.Remove(c.Path); err != nil {
			return nil, "", nil, cache.Failure(err)
		}
		c, err = k.Lookaside.Get(ctx, d)
	}
	if err != nil {
		return nil, "", nil, err
	}
	if text, err = cache.ReadBounded(c.Path, maxRepomd); err != nil {
		return nil, "", nil, cache.Failure(err)
	}
	if digest = c.SHA512; digest == "" {
		digest, err = k.keep(ctx, bytes.NewReader(text))
	}
	return text, digest, m.bases, err
}
