package fedora

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
)

// The mirror holds one bare repository for each address, below
//
//	mirror/v1/SCHEME/HOST/PATH.git
//
// with branches as last fetched under refs/heads/, and commits that a lock or
// a pin names under keepRefs, which keeps them alive when upstream rewrites
// its history.
const keepRefs = "refs/specgraft/keep/"

// File names of ours inside a mirrored repository.
const (
	stateFile = "specgraft-fetched" // when each branch was last fetched
	lockFile  = "specgraft.lock"    // held while the repository is written
)

// createMirror makes an empty bare repository, or completes one that was left
// half made. Writing these few files is what git init would do.
func createMirror(dir string) error {
	for _, sub := range []string{"objects/pack", "objects/info", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return cache.Failure(err)
		}
	}
	for _, f := range [][2]string{
		{"config", "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"},
		{"HEAD", "ref: refs/heads/main\n"}, // last, because it makes this a repository
	} {
		path := filepath.Join(dir, f[0])
		if fi, err := os.Lstat(path); err == nil && fi.Size() > 0 {
			continue
		}
		if err := cache.Write(path, []byte(f[1])); err != nil {
			return err
		}
	}
	return nil
}

// lockMirror waits until no other process writes to a mirrored repository and
// returns the function that lets others go on. Readers need no lock.
func lockMirror(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, cache.Failure(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, cache.Failure(err)
	}
	if err := cache.Lock(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// sweepLocks removes lock files that a killed git left behind. The caller
// holds the repository's lock, so nobody alive owns them.
func sweepLocks(dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case d.IsDir() && path == filepath.Join(dir, "objects"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".lock") && d.Name() != lockFile:
			os.Remove(path)
		}
		return nil
	})
}

// readFetchState returns when (seconds since 1970) each branch of a mirrored
// repository was last fetched.
func readFetchState(dir string) map[string]int64 {
	data, err := cache.ReadBounded(filepath.Join(dir, stateFile), maxFacts)
	if err != nil {
		return nil
	}
	state := map[string]int64{}
	for line := range strings.SplitSeq(string(data), "\n") {
		when, branch, ok := strings.Cut(line, " ")
		if sec, err := strconv.ParseInt(when, 10, 64); ok && err == nil && branch != "" {
			state[branch] = sec
		}
	}
	return state
}

// writeFetchState notes that branches were fetched. The caller holds the lock.
func writeFetchState(dir string, when int64, branches ...string) error {
	state := readFetchState(dir)
	if state == nil {
		state = map[string]int64{}
	}
	for _, b := range branches {
		state[b] = when
	}
	var b strings.Builder
	for _, branch := range slices.Sorted(maps.Keys(state)) {
		fmt.Fprintf(&b, "%d %s\n", state[branch], branch)
	}
	return cache.Write(filepath.Join(dir, stateFile), []byte(b.String()))
}

// keepAlive gives a commit of a mirrored repository a ref of its own.
func keepAlive(at distgit.Dir, commit string) error {
	name := keepRefs + commit
	if _, err := at.Ref(name); err == nil {
		return nil
	}
	if err := at.WriteRef(name, commit); err != nil && !errors.Is(err, fs.ErrExist) {
		return cache.Failure(err)
	}
	return nil
}

// packBytes returns the size of a repository's packs.
func packBytes(dir string) int64 {
	entries, err := os.ReadDir(filepath.Join(dir, "objects", "pack"))
	if err != nil {
		return 0
	}
	total := int64(0)
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".pack") {
			total += fi.Size()
		}
	}
	return total
}
