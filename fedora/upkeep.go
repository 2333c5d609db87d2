package fedora

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/snapshot"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"

	"golang.org/x/sync/errgroup"
)

// A Damage is something in the cache that is not what it should be.
type Damage struct {
	Path     string // relative to the cache directory
	Problem  string // one line
	Repaired bool   // what was damaged is gone, and will be made or fetched again
}

// A Verified is what Verify found.
type Verified struct {
	Repositories, Snapshots, Sources int // how many of each were checked
	Damages                          []Damage
}

// Verify checks what is in the cache against its checksums: snapshots against
// the names of their blobs, mirrored repositories with git fsck, downloaded
// sources against the digest in their name. Computed facts that other packages
// keep there check themselves whenever they are read. With repair, what is
// damaged is removed. progress, if not nil, is called for each thing checked.
func (s *Store) Verify(ctx context.Context, repair bool, progress func(done, total int)) (*Verified, error) {
	repos, err := s.mirrored()
	if err != nil {
		return nil, err
	}
	snapshots, err := filesBelow(filepath.Join(s.opt.CacheDir, "snapshots", "v1"))
	if err != nil {
		return nil, err
	}
	sources, err := filesBelow(filepath.Join(s.opt.CacheDir, "lookaside"))
	if err != nil {
		return nil, err
	}
	sources = slices.DeleteFunc(sources, func(path string) bool {
		return filepath.Base(filepath.Dir(path)) == "partial" // checked when it is complete
	})
	v := &Verified{}
	total := len(repos) + len(snapshots) + len(sources)
	done := 0
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	// check runs one check; repairing removes a file or a whole repository.
	check := func(path string, count *int, test func() string, remove func() error) {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			problem := test()
			if err := ctx.Err(); err != nil {
				return err // what was cut short says nothing
			}
			mu.Lock()
			defer mu.Unlock()
			*count++
			if done++; progress != nil {
				progress(done, total)
			}
			if problem == "" {
				return nil
			}
			d := Damage{Path: s.relative(path), Problem: problem}
			if repair {
				if err := remove(); err != nil {
					return cache.AsFailure(err)
				}
				d.Repaired = true
			}
			v.Damages = append(v.Damages, d)
			return nil
		})
	}
	for _, dir := range repos {
		check(dir, &v.Repositories, func() string { return s.verifyRepository(ctx, dir) }, func() error { return removeMirror(ctx, dir) })
	}
	for _, path := range snapshots {
		check(path, &v.Snapshots, func() string { return snapshot.Verify(path) }, func() error { return os.Remove(path) })
	}
	for _, path := range sources {
		check(path, &v.Sources, func() string { return lookaside.Verify(path) }, func() error { return os.Remove(path) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if bad := verifyFacts(s.facts.path); bad > 0 {
		d := Damage{Path: s.relative(s.facts.path), Problem: fmt.Sprintf("%d lines do not match their checksum", bad)}
		if repair {
			if err := repairFacts(s.facts.path); err != nil {
				return nil, err
			}
			d.Repaired = true
		}
		v.Damages = append(v.Damages, d)
	}
	slices.SortFunc(v.Damages, func(a, b Damage) int { return strings.Compare(a.Path, b.Path) })
	return v, nil
}

func (s *Store) relative(path string) string {
	if rel, err := filepath.Rel(s.opt.CacheDir, path); err == nil {
		return filepath.ToSlash(rel)
	}
	return path
}

// mirrored lists the repositories in the cache.
func (s *Store) mirrored() ([]string, error) {
	var dirs []string
	for _, part := range []string{"mirror", "bundle"} {
		err := filepath.WalkDir(filepath.Join(s.opt.CacheDir, part), func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return cache.Failure(err)
			case d.IsDir() && strings.HasSuffix(d.Name(), ".git"):
				dirs = append(dirs, path)
				return fs.SkipDir
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

// filesBelow lists the regular files below a directory without temporary ones.
func filesBelow(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return cache.Failure(err)
		case d.Type().IsRegular() && !strings.HasPrefix(d.Name(), cache.TempPrefix):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// fsckOpinion is what git fsck says about objects that are intact but not
// formed as they should be: history is full of them, and they are no damage.
var fsckOpinion = regex.Once(`^(warning|error) in (commit|tree|blob|tag) [0-9a-f]+: `)

// verifyRepository returns what is wrong with a mirrored repository.
func (s *Store) verifyRepository(ctx context.Context, dir string) string {
	unlock, err := lockMirror(ctx, dir)
	if err != nil {
		return err.Error()
	}
	defer unlock()
	if _, ok := distgit.FindDir(dir); !ok {
		if packBytes(dir) == 0 {
			return "" // a run was killed when it had just begun to make it
		}
		return "not a git repository"
	}
	if gd := (distgit.Dir{GitDir: dir, Common: dir}); packBytes(dir) == 0 && len(gd.Branches()) == 0 {
		return "" // nothing was fetched into it yet
	}
	cmd, err := s.git.Command(ctx, dir, "fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs")
	if err != nil {
		return err.Error()
	}
	said := &distgit.Tail{}
	cmd.Stdout, cmd.Stderr = said, said
	err = cmd.Run()
	for line := range strings.SplitSeq(said.String(), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || fsckOpinion().MatchString(line) || strings.HasPrefix(line, "notice:") || strings.HasPrefix(line, "warning:") ||
			strings.HasPrefix(line, "dangling ") || strings.HasPrefix(line, "Checking ") {
			continue
		}
		return "git fsck: " + line
	}
	if err != nil && said.String() == "" {
		return "git fsck: " + err.Error()
	}
	return ""
}

// removeMirror takes a repository away as a whole, so that nobody meets half of
// it; the next fetch makes a new one.
func removeMirror(ctx context.Context, dir string) error {
	unlock, err := lockMirror(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	away, err := os.MkdirTemp(filepath.Dir(dir), cache.TempPrefix)
	if err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(away, filepath.Base(dir))); err != nil {
		return errors.Join(err, os.Remove(away))
	}
	return os.RemoveAll(away)
}

// verifyFacts counts the damaged lines of the facts file.
func verifyFacts(path string) int {
	data, err := cache.ReadBounded(path, maxFacts)
	if err != nil {
		return 0
	}
	bad := 0
	for line := range strings.SplitSeq(string(data), "\n") {
		readFacts(line, func(_, _ string, ok bool) {
			if !ok {
				bad++
			}
		})
	}
	return bad
}

// repairFacts drops the damaged lines.
func repairFacts(path string) error {
	data, err := cache.ReadBounded(path, maxFacts)
	if err != nil {
		return cache.Failure(err)
	}
	var good bytes.Buffer
	readFacts(string(data), func(key, id string, ok bool) {
		if ok {
			good.WriteString(factLine(key, id))
		}
	})
	return cache.Write(path, good.Bytes())
}

// A Usage is how much one part of the cache takes.
type Usage struct {
	Part  string // directory or file below the cache directory
	Files int
	Bytes int64
}

// Usage returns the size of each part of the cache, sorted by name.
func (s *Store) Usage() ([]Usage, error) {
	entries, err := os.ReadDir(s.opt.CacheDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, cache.Failure(err)
	}
	var list []Usage
	for _, e := range entries {
		u := Usage{Part: e.Name()}
		err := filepath.WalkDir(filepath.Join(s.opt.CacheDir, e.Name()), func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return cache.Failure(err)
			}
			if d.Type().IsRegular() {
				if fi, err := d.Info(); err == nil {
					u.Files++
					u.Bytes += fi.Size()
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, nil
}

// A Pruned is what Prune did.
type Pruned struct {
	Files    int   // removed
	Repacked int   // repositories
	Bytes    int64 // by how much the cache shrank
}

// leftoverAge is how old a temporary file must be before nobody can be
// writing it any more.
const leftoverAge = time.Hour

// maxPacks is how many packs a mirrored repository may have before Prune makes
// one of them.
const maxPacks = 8

// Prune removes what interrupted runs left behind and, with unused above zero,
// snapshots, sources and computed facts that nobody read for that long; they
// can be made again. Mirrored repositories lose nothing: those with many packs are
// repacked, with commits that no ref leads to kept.
func (s *Store) Prune(ctx context.Context, unused time.Duration) (*Pruned, error) {
	p := &Pruned{}
	now := time.Now()
	remove := func(path string, size int64) {
		if os.Remove(path) == nil {
			p.Files++
			p.Bytes += size
		}
	}
	err := filepath.WalkDir(s.opt.CacheDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return cache.Failure(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			if d.IsDir() && strings.HasPrefix(d.Name(), cache.TempPrefix) {
				if fi, err := d.Info(); err == nil && now.Sub(fi.ModTime()) > leftoverAge {
					p.Files++
					if err := os.RemoveAll(path); err != nil {
						return cache.Failure(err)
					}
				}
				return fs.SkipDir
			}
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return nil
		}
		rel := s.relative(path)
		idle := now.Sub(cache.LastUse(fi))
		temporary := strings.HasPrefix(d.Name(), cache.TempPrefix) || strings.Contains(rel, ".git/objects/") && strings.HasPrefix(d.Name(), "tmp_")
		part, _, inside := strings.Cut(rel, "/")
		content := inside && part != "mirror" && part != "bundle"
		if temporary && now.Sub(fi.ModTime()) > leftoverAge || content && !temporary && unused > 0 && idle > unused {
			remove(path, fi.Size())
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	repos, err := s.mirrored()
	if err != nil {
		return nil, err
	}
	for _, dir := range repos {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.repack(ctx, dir, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// repack makes one pack of many.
func (s *Store) repack(ctx context.Context, dir string, p *Pruned) error {
	packs, _ := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
	if len(packs) < maxPacks {
		return nil
	}
	unlock, err := lockMirror(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	before := packBytes(dir)
	cmd, err := s.git.Command(ctx, dir, "repack", "-a", "-d", "-k", "-q")
	if err != nil {
		return err
	}
	if _, err := distgit.Output(cmd); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return diag.Environment(diag.Errorf("fedora/unreadable-repository", "%s: %v", s.relative(dir), err), "run \"specgraft cache verify --repair\"")
	}
	p.Repacked++
	p.Bytes += max(0, before-packBytes(dir))
	return nil
}
