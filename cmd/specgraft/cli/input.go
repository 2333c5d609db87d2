package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"specgraft/overlay/diag"
)

// ReadInput reads a file that the user named, which may be a pipe. The code is
// that of the command's file errors.
func ReadInput(code, name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, FileProblem(code, name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, FileProblem(code, name, err)
	}
	if int64(len(data)) > limit {
		return nil, FileProblem(code, name, fmt.Errorf("has more than %d MiB", limit>>20))
	}
	return data, nil
}

var ErrIrregular = errors.New("is not a regular file")

// FileProblem is what went wrong with a file: the user's mistake when it is
// not there or no file, else the environment's.
func FileProblem(code, name string, err error) error {
	d := &diag.Diagnostic{Code: code, Env: true}
	for _, mistake := range []error{fs.ErrNotExist, ErrIrregular, syscall.EISDIR, syscall.ENOTDIR, syscall.ELOOP} {
		d.Env = d.Env && !errors.Is(err, mistake)
	}
	d.Pos.Filename = name
	if n := nearestFile(name, err); n != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", n)
	} else if errors.Is(err, syscall.EISDIR) {
		d.Hint = "name a file in it"
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		err = l.Err
	}
	d.Message = err.Error()
	return d
}

// nearestFile returns the file that was meant by the name of one that is
// missing or a directory: one with a similar name, or the only spec there.
func nearestFile(name string, err error) string {
	dir, base := filepath.Split(name)
	switch {
	case errors.Is(err, syscall.EISDIR):
		dir, base = strings.TrimSuffix(filepath.Join(name, "x"), "x"), ""
	case !errors.Is(err, fs.ErrNotExist):
		return ""
	}
	f, err := os.Open(filepath.Join(dir, "."))
	if err != nil {
		return ""
	}
	defer f.Close()
	names, _ := f.Readdirnames(10_000)
	slices.Sort(names)
	if base != "" {
		if n := diag.Nearest(base, names); n != "" {
			return dir + n
		}
		return ""
	}
	var specs []string
	for _, n := range names {
		if strings.HasSuffix(n, ".spec") {
			specs = append(specs, n)
		}
	}
	if len(specs) == 1 {
		return dir + specs[0]
	}
	return ""
}
