package fedora

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// isBundle reports whether a file:// address names a git bundle: a repository
// in one file, as sites without a network exchange them.
func isBundle(dir string) bool {
	if !strings.HasSuffix(dir, ".bundle") {
		return false
	}
	st, err := os.Stat(dir)
	return err == nil && st.Mode().IsRegular()
}

// unpackBundle returns the repository that holds the branches of a bundle. It
// is kept in the cache under the checksum of the bundle, so that a bundle which
// was replaced is unpacked anew, and is never changed once it is there.
func (s *Store) unpackBundle(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", noBundle(file, err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", noBundle(file, err)
	}
	dir := filepath.Join(s.opt.CacheDir, "bundle", "v1", hex.EncodeToString(sum.Sum(nil))+".git")
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		return dir, nil
	}
	tmp := filepath.Join(filepath.Dir(dir), cache.TempPrefix+rand.Text())
	defer os.RemoveAll(tmp)
	if err := createMirror(tmp); err != nil {
		return "", err
	}
	cmd, err := s.git.Network(s.ctx, tmp, []string{"file"}, nil,
		"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", file, "+refs/heads/*:refs/heads/*")
	if err != nil {
		return "", err
	}
	if _, err := distgit.Output(cmd); err != nil {
		if errors.Is(s.ctx.Err(), context.Canceled) {
			return "", s.ctx.Err()
		}
		if full := noRoom(err.Error(), err.Error()); full != nil {
			return "", full
		}
		return "", noBundle(file, err)
	}
	if err := os.Rename(tmp, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, serr := os.Stat(filepath.Join(dir, "HEAD")); serr != nil {
			return "", cache.Failure(err)
		}
	}
	return dir, nil
}

func noBundle(file string, err error) error {
	d := diag.Errorf("fedora/no-repository", "bundle %s cannot be read: %v", file, diag.Reason(err))
	d.Hint = "'git bundle verify' says what is wrong with it"
	return d
}
