package fedora

import (
	"context"
	"io"
	"io/fs"
	"strings"

	"specgraft/fedora/distgit"
	"specgraft/fedora/snapshot"
	"specgraft/overlay/diag"
)

// Snapshot returns the files of a commit, which must be a full object name as
// Resolve returns it. The first read takes them from the repository and keeps
// the result; later ones, also of later runs, read one file. Unless the store is
// offline, a commit that is not in the mirror is fetched once.
func (s *Store) Snapshot(ctx context.Context, url, commit string) (*snapshot.Snapshot, error) {
	if !distgit.IsObjectID(commit) {
		return nil, diag.Errorf("fedora/bad-ref", "%q is not a full commit name", commit)
	}
	return snapshot.Open(ctx, s.opt.CacheDir, commit, func(ctx context.Context) error {
		return s.withCommit(ctx, url, commit, func(r *distgit.Repo) error {
			return snapshot.Write(s.opt.CacheDir, commit, func(w *snapshot.Writer) error { return writeSnapshot(r, commit, w) })
		})
	})
}

// writeSnapshot reads the files of a commit and writes them as a snapshot file.
func writeSnapshot(r *distgit.Repo, commit string, w *snapshot.Writer) error {
	tree, files, err := r.Flatten(commit)
	if err != nil {
		return err
	}
	// Each distinct blob once, specs first, because they are what is read.
	seen := map[string]bool{}
	var ids []string
	for _, specs := range []bool{true, false} {
		for _, f := range files {
			if strings.HasSuffix(f.Path, ".spec") == specs && !seen[f.ID] {
				seen[f.ID] = true
				ids = append(ids, f.ID)
			}
		}
	}
	type stored struct {
		place snapshot.Place
		size  int64
	}
	blobs := make(map[string]stored, len(ids))
	err = r.Blobs(commit, ids, func(id string, size int64, body io.Reader) error {
		place, err := w.Blob(body, size)
		blobs[id] = stored{place, size}
		return err
	})
	if err != nil {
		return err
	}
	list := make([]snapshot.File, 0, len(files))
	where := make([]snapshot.Place, 0, len(files))
	for _, f := range files {
		mode := fs.FileMode(0o644)
		if f.Executable {
			mode = 0o755
		}
		at := blobs[f.ID]
		list = append(list, snapshot.File{Path: f.Path, Mode: mode, Size: at.size, ID: f.ID})
		where = append(where, at.place)
	}
	return w.Finish(tree, list, where)
}
