package components

import (
	"io/fs"
	"os"
	"sync"
	"time"

	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// A Cache keeps what was read of configuration files from one load to the
// next, for a program that loads a project again and again while its files are
// being edited. Only files whose text changed are read and parsed anew. The zero
// value is an empty cache; it must not be used by two loads with different
// options at once.
type Cache struct {
	mu        sync.Mutex
	files     map[string]cachedFile
	documents map[docKey]*parsed
	overlays  map[docKey]*overlayDocument
}

// A cachedFile is the text of a file on disk.
type cachedFile struct {
	text string
	size int64
	when time.Time
	read time.Time
}

// A parsed is a configuration file as parsed and checked by itself.
type parsed struct {
	src   *toml.Source
	root  *toml.Value
	diags diag.List
}

// Forget drops what is known of a file, for one that may have changed without
// its size or time saying so.
func (c *Cache) Forget(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.files, path)
}

// settled is how old a file must be for its time to tell that it did not
// change: clocks of file systems are coarse.
const settled = 2 * time.Second

// text returns the text of a file: what an editor has of it, else what is on
// disk.
func (o *Options) text(path string, limit int64) (string, error) {
	if o.Text != nil {
		if text, ok := o.Text(path); ok {
			return text, nil
		}
	}
	if o.Cache == nil {
		data, err := readRegular(path, limit)
		return string(data), err
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		data, err := readRegular(path, limit) // for its error
		return string(data), err
	}
	c := o.Cache
	c.mu.Lock()
	f, ok := c.files[path]
	c.mu.Unlock()
	if ok && f.fits(info) {
		return f.text, nil
	}
	data, err := readRegular(path, limit)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = map[string]cachedFile{}
	}
	c.files[path] = cachedFile{string(data), info.Size(), info.ModTime(), time.Now()}
	return string(data), nil
}

func (f *cachedFile) fits(info fs.FileInfo) bool {
	return f.size == info.Size() && f.when.Equal(info.ModTime()) && f.read.Sub(f.when) > settled
}

// document returns a file as it was parsed before, nil when its text is
// another now.
func (c *Cache) document(key docKey, text string) *parsed {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.documents[key]; p != nil && p.src.Text == text {
		return p
	}
	return nil
}

func (c *Cache) keep(key docKey, p *parsed) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.documents == nil {
		c.documents = map[docKey]*parsed{}
	}
	c.documents[key] = p
}

// overlayDocument returns an overlay file as it was read before, nil when its
// text is another now.
func (c *Cache) overlayDocument(key docKey, text string) *overlayDocument {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.overlays[key]; d != nil && d.root.Src.Text == text {
		return d
	}
	return nil
}

func (c *Cache) keepOverlays(key docKey, d *overlayDocument) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.overlays == nil {
		c.overlays = map[docKey]*overlayDocument{}
	}
	c.overlays[key] = d
}
