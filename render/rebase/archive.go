package rebase

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"specgraft/components"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/unpack"
	"specgraft/overlay"
)

// Bounds of what is looked at in archives: they come from anywhere.
const (
	maxArchives = 8        // of a component
	maxUnpacked = 4 << 30  // bytes of one
	maxEntries  = 500_000  // of one
	maxPatched  = 16 << 20 // bytes of a file that a patch changes
)

// Archives returns a Rebaser's Sources, which looks into the archives that the
// cache of downloads has. Nothing is downloaded.
func Archives(cache *lookaside.Client) func(context.Context, *components.Component, *overlay.Tree) (*SourceTree, error) {
	return func(ctx context.Context, _ *components.Component, t *overlay.Tree) (*SourceTree, error) {
		f := t.Files["sources"]
		if f == nil {
			return nil, nil
		}
		data, err := f.Bytes()
		if err != nil {
			return nil, err
		}
		list, _ := lookaside.ParseSources("sources", data)
		var names, paths []string
		for _, e := range list.Entries() {
			if _, ok := compression(e.Name); !ok || len(names) == maxArchives {
				continue
			}
			c, err := cache.Lookup(e.HashType, e.Hash)
			if err != nil {
				return nil, err
			}
			if c == nil {
				return nil, fmt.Errorf("%s is not in the cache; 'specgraft prepare' downloads it", e.Name)
			}
			names, paths = append(names, e.Name), append(paths, c.Path)
		}
		if len(names) == 0 {
			return nil, nil
		}
		return &SourceTree{Archive: strings.Join(names, ", "), Read: func(want []string) (map[string][]byte, error) {
			files := map[string][]byte{}
			for i := range paths {
				if err := readTar(ctx, paths[i], names[i], want, files); err != nil {
					return nil, fmt.Errorf("%s: %w", names[i], err)
				}
			}
			return files, nil
		}}, nil
	}
}

// compression returns how a tar archive is compressed, by its name.
func compression(name string) (kind string, ok bool) {
	for _, s := range []struct{ suffix, kind string }{
		{".tar", ""}, {".tar.gz", "gzip"}, {".tgz", "gzip"}, {".tar.xz", "xz"}, {".txz", "xz"}, {".tar.bz2", "bzip2"}, {".tbz2", "bzip2"},
		{".tbz", "bzip2"}, {".tar.zst", "zstd"}, {".tar.lzma", "lzma"}, {".crate", "gzip"}, {".gem", ""},
	} {
		if strings.HasSuffix(strings.ToLower(name), s.suffix) {
			return s.kind, true
		}
	}
	return "", false
}

// readTar adds the wanted files of a tar archive, by their paths below its top
// directory; those that are there already stay.
func readTar(ctx context.Context, file, name string, want []string, files map[string][]byte) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	kind, _ := compression(name)
	z, err := unpack.Open(f, kind)
	if err != nil {
		return err
	}
	defer z.Close()
	limited := &io.LimitedReader{R: z, N: maxUnpacked}
	tr := tar.NewReader(limited)
	for n := 0; ; n++ {
		h, err := tr.Next()
		switch {
		case err == io.EOF:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case limited.N <= 0 || n == maxEntries:
			return errors.New("it is too large to look into")
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg:
			continue
		}
		_, below, _ := strings.Cut(strings.TrimPrefix(path.Clean(h.Name), "./"), "/")
		if files[below] != nil || !slices.Contains(want, below) {
			continue
		}
		if h.Size > maxPatched {
			return fmt.Errorf("%s has more than %d MiB", below, maxPatched>>20)
		}
		data, err := io.ReadAll(io.LimitReader(tr, h.Size))
		if err != nil {
			return err
		}
		files[below] = append([]byte{}, data...)
	}
}
