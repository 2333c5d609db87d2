package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"specgraft/components"
	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// Load loads a project for what is done with its components. Large files that
// hold package groups and nothing else are read only when they changed since an
// earlier load by the same build, which the cache directory remembers.
//
// A file counts as unchanged by what the system says of it. One that is changed
// without a trace there is read again with the next change.
func Load(o components.Options, cacheDir, build string) (*components.Project, diag.List) {
	start := time.Now().UnixNano()
	dir, err := components.Find(o.Dir)
	if err != nil || dir == "" {
		return components.Load(o) // for what it says about that
	}
	about := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%q %q %v %v", build, dir, o.ConfigFiles, o.UserFile, o.NoDefaults, o.Permissive))
	path := filepath.Join(cacheDir, "config.v1", hex.EncodeToString(about[:16]))
	data, _ := cache.ReadBounded(path, maxKnown)
	known := decodeKnown(data)
	o.Known = func(file string) bool {
		was, ok := known[file]
		if !ok {
			return false
		}
		now, err := cache.Identify(file)
		return err == nil && now == was
	}
	p, diags := components.Load(o)
	if p == nil || len(diags) > 0 {
		return p, diags
	}
	now := map[string]cache.Identity{}
	var files []string
	for _, file := range p.PackageFiles() {
		// What was not touched since before the load is what was read, and
		// every later change leaves a trace.
		if id, err := cache.Identify(file); err == nil && id.Size >= minKnown && !id.Racy(start) && now[file] == (cache.Identity{}) {
			now[file] = id
			files = append(files, file)
		}
	}
	if again := encodeKnown(files, now); len(files) > 0 && !bytes.Equal(again, data) {
		if _, err := os.Stat(cacheDir); err == nil {
			_ = cache.Write(path, again) // that it cannot be written costs time, nothing else
		}
	}
	return p, diags
}

const (
	knownMagic = "sgconf1\n"
	maxKnown   = 4 << 20
	// minKnown is the size in bytes from which it is faster to ask about a file
	// than to read it.
	minKnown = 16 << 10
)

// encodeKnown writes what the system says of files.
func encodeKnown(files []string, ids map[string]cache.Identity) []byte {
	b := []byte(knownMagic)
	for _, file := range files {
		b = binary.AppendUvarint(b, uint64(len(file)))
		b = append(b, file...)
		b = ids[file].Append(b)
	}
	return cache.Seal(b)
}

// decodeKnown reads what encodeKnown wrote; nil for anything else.
func decodeKnown(data []byte) map[string]cache.Identity {
	body, ok := cache.Unseal(data, knownMagic)
	if !ok {
		return nil
	}
	ids := map[string]cache.Identity{}
	for len(body) > 0 {
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return nil
		}
		file := string(body[n : n+int(size)])
		if ids[file], body, ok = cache.CutIdentity(body[n+int(size):]); !ok {
			return nil
		}
	}
	return ids
}
