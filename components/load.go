package components

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/bmatcuk/doublestar/v4"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// FileName is the name of a project's root file.
const FileName = "azldev.toml"

// defaults is the first layer of every configuration.
const defaults = `[project]
default-author-email = "azurelinux@microsoft.com"

[tools.imageCustomizer]
containerTag = "mcr.microsoft.com/azurelinux/imagecustomizer:latest"

[resources.rpm-repo-set-templates.azl-standard]
description = "Azure Linux repositories by role"
subrepos = [
    { name = "base", subpath = "base/$basearch" },
    { name = "base-debuginfo", subpath = "base/debuginfo/$basearch", kind = "debug" },
    { name = "base-source", subpath = "base/srpms", kind = "source" },
    { name = "sdk", subpath = "sdk/$basearch" },
    { name = "sdk-debuginfo", subpath = "sdk/debuginfo/$basearch", kind = "debug" },
    { name = "sdk-source", subpath = "sdk/srpms", kind = "source" },
]

[resources.rpm-repo-set-templates.koji-dist-repo]
description = "Repositories that Koji's dist-repo writes"
subrepos = [
    { name = "binary", subpath = "$basearch" },
    { name = "debug", subpath = "$basearch/debug", kind = "debug" },
    { name = "source", subpath = "src", kind = "source" },
]
`

// state is what a project keeps to itself.
type state struct {
	root      *toml.Value // the merged configuration
	opt       Options
	paths     *paths
	documents []*document // in order of merging
	digest    projectDigest
	twice     diag.List // files that are reached in more than one way
	lost      diag.List // keys that merging left out

	parts     map[string][]toml.Entry // definitions of components that have several
	generated map[string]bool         // absolute paths of files that hold a generated pin
	orphans   func() []string

	names      func() []string
	discovered func() *discovery
	base       func() *defaultLayers
	memberOf   func() map[string][]string // explicit groups by component, sorted
	resolving  sync.Map                   // name to func() resolution
	overlays   sync.Map                   // docKey to func() *overlayDocument
	specFiles  sync.Map                   // name to path: components that -s made
}

// Find returns the directory of the project that dir belongs to: dir itself or
// the nearest one above it that holds azldev.toml. It returns "" when there is
// none.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if info, err := os.Stat(filepath.Join(dir, FileName)); err == nil && info.Mode().IsRegular() {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", nil
		}
		dir = up
	}
}

// A document is one configuration file of a load.
type document struct {
	src      *toml.Source
	root     *toml.Value
	diags    diag.List
	includes []include
	packages bool // holds package groups and nothing else
	skipped  bool // is known to, and was not read
	ready    sync.WaitGroup
}

// A file that both the project and the user include is read for each of them:
// what it may reach depends on who names it.
type docKey struct {
	path    string
	trusted bool
}

type include struct {
	pattern *toml.Value
	glob    bool
	files   []string
}

// A loader reads files in parallel and merges them in order.
type loader struct {
	opt   Options
	paths *paths
	mu    sync.Mutex
	docs  map[docKey]*document
	slots chan struct{}
	diags diag.List
	merge merger
	root  *toml.Value
	order []*document
	twice diag.List
}

// Load finds and loads a project. All mistakes of all files are reported at
// once, sorted. The project is nil when none was found; when the list has
// errors it holds what could be read, which is good for explaining but not for
// rendering.
func Load(o Options) (*Project, diag.List) {
	var diags diag.List
	dir, err := Find(cmp.Or(o.Dir, "."))
	if err == nil && o.Dir != "" {
		if _, serr := os.Stat(o.Dir); serr != nil {
			err = serr
		}
	}
	if err != nil {
		d := diags.Add(toml.NoPos, "config/no-project", "%s: %s", o.Dir, reason(err))
		d.Hint = "-C takes a directory of the project"
		return nil, diags
	}
	if dir == "" {
		d := diags.Add(toml.NoPos, "config/no-project", "no %s in %s or above it", FileName, cmp.Or(o.Dir, "this directory"))
		d.Hint = "go to the project or name it with -C; 'specgraft init' starts a new one"
		return nil, diags
	}
	ps := newPaths(dir, o.AllowOutside)
	l := &loader{opt: o, paths: ps, docs: map[docKey]*document{}, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	type phase struct {
		path    string
		trusted bool
	}
	phases := []phase{{filepath.Join(dir, FileName), false}}
	if o.UserFile != "" {
		if _, err := os.Stat(o.UserFile); err == nil || !errors.Is(err, fs.ErrNotExist) {
			phases = append(phases, phase{o.UserFile, true})
		}
	}
	for _, f := range o.ConfigFiles {
		phases = append(phases, phase{f, true})
	}
	tops := make([]*document, len(phases))
	for i, ph := range phases {
		abs, err := filepath.Abs(ph.path)
		if err != nil {
			l.diags.Add(toml.NoPos, "config/read", "%s: %s", ph.path, reason(err)).Env = true
			continue
		}
		tops[i] = l.open(abs, ph.trusted)
	}
	l.root = &toml.Value{Kind: toml.KindTable, Form: toml.FormMerged, Src: &toml.Source{Name: "(no configuration)"}}
	if !o.NoDefaults {
		src := &toml.Source{Name: "(built-in defaults)", Dir: dir, Text: defaults, Trusted: true}
		root, _ := toml.Read(src)
		l.root = l.merge.into(l.root, root, &schema.RootKey)
	}
	for _, doc := range tops {
		if doc != nil {
			l.expand(doc, nil, map[*document]bool{})
		}
	}
	if l.root.Get(packageGroups) != nil && slices.ContainsFunc(l.order, func(doc *document) bool { return doc.skipped }) {
		o.Known = nil // a package may be in one group only: all have to be read
		return Load(o)
	}
	for _, doc := range l.order {
		l.diags = append(l.diags, doc.diags...)
	}
	l.diags = append(l.diags, l.merge.diags...)
	p := newProject(dir, l)
	// What files that could not be read define is not missing.
	incomplete := slices.ContainsFunc(l.diags, func(d diag.Diagnostic) bool {
		return d.Code == "config/syntax" || d.Code == "config/read" || d.Code == "config/include-not-found"
	})
	l.diags = append(l.diags, p.validate(incomplete)...)
	l.diags.Sort()
	return p, l.diags
}

// reason strips an operating system error of the operation and the path that
// the message has already.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file or directory"
	}
	return err.Error()
}

// open reads a file and all that it includes, once: on the side while there are
// processors for it.
func (l *loader) open(path string, trusted bool) *document {
	doc, known := l.document(path, trusted)
	if known {
		return doc
	}
	select {
	case l.slots <- struct{}{}:
		go func() {
			defer func() { <-l.slots }()
			defer doc.ready.Done()
			l.read(doc)
		}()
	default:
		defer doc.ready.Done()
		l.read(doc)
	}
	return doc
}

// document returns the document of a file, and whether it was known before. The
// caller reads one that was not.
func (l *loader) document(path string, trusted bool) (doc *document, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := docKey{path, trusted}
	if doc := l.docs[key]; doc != nil {
		return doc, true
	}
	doc = &document{src: &toml.Source{Name: l.paths.display(path), Path: path, Dir: filepath.Dir(path), Trusted: trusted}}
	doc.ready.Add(1)
	l.docs[key] = doc
	return doc, false
}

func (l *loader) read(doc *document) {
	if l.opt.Known != nil && l.opt.Known(doc.src.Path) {
		doc.packages, doc.skipped = true, true
		doc.root = &toml.Value{Kind: toml.KindTable, Src: doc.src}
		return
	}
	text, err := l.opt.text(doc.src.Path, toml.MaxSize+1)
	if err != nil {
		d := doc.diags.Add(toml.NoPos, "config/read", "cannot read the file: %s", reason(err))
		d.Pos.Filename = doc.src.Name
		d.Env = environment(err)
		doc.root = &toml.Value{Kind: toml.KindTable, Src: doc.src}
		return
	}
	key := docKey{doc.src.Path, doc.src.Trusted}
	if known := l.opt.Cache.document(key, text); known != nil {
		doc.src, doc.root, doc.diags = known.src, known.root, slices.Clone(known.diags)
	} else {
		doc.src.Text = text
		doc.root, doc.diags = toml.Read(doc.src)
		c := schema.Checker{Permissive: l.opt.Permissive}
		c.Value(doc.root, &schema.RootKey, &schema.Trail{})
		doc.diags = append(doc.diags, c.Diags...)
		l.opt.Cache.keep(key, &parsed{doc.src, doc.root, slices.Clone(doc.diags)})
	}
	doc.packages = packagesOnly(doc.root)
	if isPinFile(doc.src) {
		for i := range doc.diags {
			if d := &doc.diags[i]; d.Code == "config/syntax" && d.Hint == "" {
				d.Hint = "this file is generated: remove it and run `specgraft update`"
			}
		}
	}
	if inc := doc.root.Get("includes"); inc != nil && inc.Kind == toml.KindList {
		for _, el := range inc.List {
			if el.Kind == toml.KindString && el.Str != "" {
				l.include(doc, el)
			}
		}
	}
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("too large")
)

// environment reports whether a file cannot be read for a reason that the
// project has no part in.
func environment(err error) bool {
	for _, mistake := range []error{fs.ErrNotExist, errNotRegular, errTooLarge, syscall.ENOTDIR, syscall.ELOOP} {
		if errors.Is(err, mistake) {
			return false
		}
	}
	return true
}

// readRegular reads a regular file: a pull request must not make the loader
// wait for a pipe or read a device.
func readRegular(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: %d bytes", errTooLarge, info.Size())
	}
	return os.ReadFile(path)
}

// include expands one pattern and starts reading what it names.
func (l *loader) include(doc *document, pattern *toml.Value) {
	inc := include{pattern: pattern, glob: strings.ContainsAny(pattern.Str, "*?[")}
	if d := l.paths.confineGlob(pattern); d != nil {
		doc.diags = append(doc.diags, *d)
		return
	}
	files, err := glob(pattern)
	switch {
	case err != nil:
		doc.diags.Add(pattern.Pos(), "config/bad-value", "include %q: %s", pattern.Str, err).End = pattern.EndPos()
	case len(files) == 0 && !inc.glob:
		d := doc.diags.Add(pattern.Pos(), "config/include-not-found", "included file %q does not exist", pattern.Str)
		d.End = pattern.EndPos()
		d.Hint = "paths are relative to " + l.paths.display(doc.src.Dir) + string(filepath.Separator)
	}
	for _, f := range files {
		if d := l.paths.confine(f, pattern); d != nil {
			doc.diags = append(doc.diags, *d)
			continue
		}
		inc.files = append(inc.files, f)
		l.open(f, doc.src.Trusted)
	}
	doc.includes = append(doc.includes, inc)
}

// splitGlob returns the directory that a pattern is looked for in, and the
// rest of the pattern.
func splitGlob(pattern *toml.Value) (string, string) {
	base, pat := doublestar.SplitPattern(filepath.ToSlash(filepath.Clean(pattern.Str)))
	if !filepath.IsAbs(base) {
		base = filepath.Join(pattern.Src.Dir, base)
	}
	return base, pat
}

// glob expands a pattern of paths relative to the file it stands in; files
// only, in the order of directories.
func glob(pattern *toml.Value) ([]string, error) {
	if err := overlay.CheckGlob(pattern.Str); err != nil {
		return nil, err
	}
	base, pat := splitGlob(pattern)
	if !strings.ContainsAny(pat, `*?[{\`) {
		path := filepath.Join(base, pat)
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return nil, nil
		}
		return []string{path}, nil
	}
	tree := &boundedDir{FS: os.DirFS(base), left: maxGlobDirs, read: map[string][]fs.DirEntry{}}
	matches, err := doublestar.Glob(tree, pat, doublestar.WithFilesOnly(), doublestar.WithNoFollow())
	if tree.left <= 0 {
		return nil, fmt.Errorf("the pattern looks into directories more than %d times", maxGlobDirs)
	}
	for i := range matches {
		matches[i] = filepath.Join(base, filepath.FromSlash(matches[i]))
	}
	return matches, err
}

// maxGlobDirs is how often one pattern may look into a directory: more often
// than there are directories when it has several doublestars.
const maxGlobDirs = 200_000

// A boundedDir is a tree of files in which directories can be read so often. A
// directory that a pattern looks into again, as it does for what stands behind a
// doublestar, has been read already.
type boundedDir struct {
	fs.FS
	left int
	read map[string][]fs.DirEntry
}

func (d *boundedDir) ReadDir(name string) ([]fs.DirEntry, error) {
	if d.left--; d.left <= 0 {
		return nil, fs.ErrInvalid
	}
	if entries, ok := d.read[name]; ok {
		return entries, nil
	}
	entries, err := fs.ReadDir(d.FS, name)
	if err == nil {
		d.read[name] = entries
	}
	return entries, err
}

// expand merges a document and then what it includes, so that an included file
// goes before the one that includes it.
func (l *loader) expand(doc *document, stack []*document, seen map[*document]bool) {
	doc.ready.Wait()
	seen[doc] = true
	if l.opt.IgnorePins && isPinFile(doc.src) && pinOf(doc.root) != "" {
		return
	}
	l.order = append(l.order, doc)
	l.root = l.merge.into(l.root, doc.root, &schema.RootKey)
	stack = append(stack, doc)
	for i := range doc.includes {
		inc := &doc.includes[i]
		for _, f := range inc.files {
			l.mu.Lock()
			child := l.docs[docKey{f, doc.src.Trusted}]
			l.mu.Unlock()
			switch {
			case !seen[child]:
				l.expand(child, stack, seen)
				for i := range child.diags {
					if d := &child.diags[i]; d.Code == "config/read" && d.Related == nil {
						d.Related = []diag.Related{{Pos: inc.pattern.Pos(), Message: "included here"}}
					}
				}
			case inc.glob || !slices.Contains(stack, child):
				d := l.twice.Warn(inc.pattern.Pos(), "config/azldev", "%s is included more than once, which azldev refuses", child.src.Name)
				d.End, d.Severity = inc.pattern.EndPos(), diag.Error
			default:
				d := l.diags.Add(inc.pattern.Pos(), "config/include-cycle", "%s includes itself", child.src.Name)
				d.End = inc.pattern.EndPos()
				if child != doc {
					d.Message = fmt.Sprintf("%s is included by a file that it includes", child.src.Name)
				}
			}
		}
	}
}

// paths knows where the project may reach.
type paths struct {
	dir   string // of azldev.toml
	root  string // git top level, or dir
	free  bool   // nothing is confined
	real  string // root without symbolic links
	cache sync.Map
}

func newPaths(dir string, free bool) *paths {
	ps := &paths{dir: dir, root: dir, free: free}
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Lstat(filepath.Join(up, ".git")); err == nil {
			ps.root = up
			break
		}
		if up == filepath.Dir(up) {
			break
		}
	}
	if real, err := filepath.EvalSymlinks(ps.root); err == nil {
		ps.real = real
	} else {
		ps.real = ps.root
	}
	return ps
}

// display shortens a path for people: relative to the project directory when
// it is inside the project's top level.
func (ps *paths) display(path string) string {
	if !within(ps.root, path) {
		return path
	}
	rel, err := filepath.Rel(ps.dir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

func within(root, path string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == filepath.Separator || strings.HasSuffix(root, string(filepath.Separator)))
}

// confine reports a path that leads outside the project, by its text or
// through symbolic links. Files that the user named on the command line may
// point anywhere.
func (ps *paths) confine(path string, v *toml.Value) *diag.Diagnostic {
	if ps.free || v.Src.Trusted {
		return nil
	}
	d := &diag.Diagnostic{Pos: v.Pos(), End: v.EndPos(), Code: "config/outside",
		Message: fmt.Sprintf("path %q leads outside the project", v.Str),
		Hint:    "paths stay inside the project's git repository, or its directory where there is none; --allow-outside allows others"}
	if !within(ps.root, path) {
		return d
	}
	if real := ps.resolve(path); !within(ps.real, real) {
		d.Message = fmt.Sprintf("path %q leads outside the project through a symbolic link, to %s", v.Str, real)
		return d
	}
	return nil
}

// confineGlob reports a pattern whose directory is outside the project, before
// anything is looked for there.
func (ps *paths) confineGlob(pattern *toml.Value) *diag.Diagnostic {
	base, _ := splitGlob(pattern)
	return ps.confine(base, pattern)
}

// maxPath is more than any path that a system takes.
const maxPath = 8 << 10

// resolve follows the symbolic links of the part of path that exists.
// Directories are remembered.
func (ps *paths) resolve(path string) string {
	if len(path) > maxPath {
		return path // no system has such a file
	}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	if dir == path {
		return path
	}
	var real string
	if r, ok := ps.cache.Load(dir); ok {
		real = r.(string)
	} else {
		real = ps.resolve(dir)
		ps.cache.Store(dir, real)
	}
	full := filepath.Join(real, name)
	if info, err := os.Lstat(full); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if r, err := filepath.EvalSymlinks(full); err == nil {
			return r
		}
		if target, err := os.Readlink(full); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Join(real, target)
			}
			return target
		}
	}
	return full
}
