package distgit

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"specgraft/fedora/cache"
	"specgraft/overlay/diag"
)

// An Object is a git object that is not stored yet.
type Object struct {
	Kind string // "commit", "tree" or "blob"
	Data []byte
}

// ID returns the object's name, SHA-256 instead of SHA-1 when asked for.
func (o Object) ID(sha256Names bool) string {
	var h hash.Hash = sha1.New()
	if sha256Names {
		h = sha256.New()
	}
	fmt.Fprintf(h, "%s %d\x00", o.Kind, len(o.Data))
	cache.Digest(h, o.Data)
	return hex.EncodeToString(h.Sum(nil))
}

// WriteRepository makes a git repository with a work tree at dir, which must
// not exist or be an empty directory. Its branch "main" is the commit head,
// which is among objects or in what is copied from from: the commits and trees
// named in copies with all that they refer to. With no copies from may be nil.
// The directory appears complete or not at all.
func WriteRepository(ctx context.Context, dir string, from *Repo, copies []string, objects []Object, head string) error {
	g := &Git{}
	if from != nil {
		g = from.git
	}
	if err := g.prepare(); err != nil {
		return err
	}
	shown := dir
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return diag.Errorf("fedora/not-empty", "%s exists and is not empty", shown)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), cache.TempPrefix+"*")
	if err != nil {
		return err
	}
	if err = os.Chmod(tmp, 0o755); err == nil {
		err = g.fill(ctx, tmp, from, copies, objects, head)
	}
	if err == nil {
		if err = os.Remove(dir); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

func (g *Git) fill(ctx context.Context, dir string, from *Repo, copies []string, objects []Object, head string) error {
	Dir := filepath.Join(dir, ".git")
	format := "sha1"
	if len(head) == 2*sha256.Size {
		format = "sha256"
	}
	run := func(args ...string) error {
		cmd, err := g.Command(ctx, Dir, args...)
		if err != nil {
			return err
		}
		cmd.Dir = dir
		_, err = Output(cmd)
		return err
	}
	init := exec.CommandContext(ctx, g.Path, "init", "--quiet", "--template=", "--initial-branch=main", "--object-format="+format, dir)
	init.Env, init.Dir = g.env, "/"
	if _, err := Output(init); err != nil {
		return err
	}
	if len(copies) > 0 {
		if err := g.copyObjects(ctx, from, copies, Dir); err != nil {
			return err
		}
	}
	for _, o := range objects {
		if err := writeLoose(Dir, o, format == "sha256"); err != nil {
			return err
		}
	}
	if err := run("update-ref", "refs/heads/main", head); err != nil {
		return err
	}
	return run("--work-tree="+dir, "read-tree", "--reset", "-u", "HEAD")
}

// copyObjects sends commits and trees from one repository to another as one
// pack.
func (g *Git) copyObjects(ctx context.Context, from *Repo, copies []string, Dir string) error {
	send, err := g.Command(ctx, from.at.GitDir, "pack-objects", "--quiet", "--revs", "--stdout")
	if err != nil {
		return err
	}
	receive, err := g.Command(ctx, Dir, "index-pack", "--stdin")
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	var said Tail
	send.Stdin, send.Stdout, send.Stderr = strings.NewReader(strings.Join(copies, "\n")+"\n"), w, &said
	receive.Stdin = r
	done := make(chan error, 1)
	go func() {
		err := send.Run()
		w.CloseWithError(err)
		done <- err
	}()
	_, err = Output(receive)
	r.CloseWithError(io.ErrClosedPipe)
	if sent := <-done; sent != nil && (err == nil || ctx.Err() == nil) {
		return CommandError(send, sent, said.String())
	}
	return err
}

// writeLoose stores one object as git does.
func writeLoose(Dir string, o Object, sha256Names bool) error {
	id := o.ID(sha256Names)
	path := filepath.Join(Dir, "objects", id[:2], id[2:])
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	fmt.Fprintf(z, "%s %d\x00", o.Kind, len(o.Data))
	z.Write(o.Data)
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o444)
}
