package rebase

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/overlay"
	"specgraft/overlay/diag"
)

// ErrOtherContent says that a file to be written is there with other content.
var ErrOtherContent = errors.New("exists with other content")

// Extend adds overlays behind those that a component has, in the file that has its
// last ones, and writes the files that they add beside it. It returns that file. An
// error about a file that cannot be read or written is an *fs.PathError with its
// name.
func Extend(p *components.Project, c *components.Component, ops []overlay.Op) (file string, err error) {
	file, at := p.LastOverlays(c)
	if file == "" {
		return "", &diag.Diagnostic{Code: "absorb/input", Component: c.Name, Message: "the component stands in no TOML file that overlays could be added to",
			Hint: fmt.Sprintf("add [components.%s] to one", c.Name)}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", &fs.PathError{Op: "read", Path: file, Err: err}
	}
	e, problems := edit.Edit(file, data)
	if err := problems.Err(); err != nil {
		return "", err
	}
	if err := e.AddOverlays(at, ops); err != nil {
		return "", err
	}
	if err := WriteSources(filepath.Dir(file), ops); err != nil {
		return "", err
	}
	if err := edit.WriteFile(file, e.Bytes()); err != nil {
		return "", &fs.PathError{Op: "write", Path: file, Err: err}
	}
	return file, nil
}

// WriteSources writes the files that overlays add below the directory of their TOML
// file. One that is there with other content is left alone, which is an error. All
// errors are an *fs.PathError with the name of the file.
func WriteSources(dir string, ops []overlay.Op) error {
	for i := range ops {
		op := &ops[i]
		if op.Source == "" || op.Data == nil {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(path.Clean("/"+op.Source)))
		if old, err := os.ReadFile(file); err == nil {
			if bytes.Equal(old, op.Data) {
				continue
			}
			return &fs.PathError{Op: "write", Path: file, Err: ErrOtherContent}
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return &fs.PathError{Op: "write", Path: file, Err: err}
		}
		if err := edit.WriteFile(file, op.Data); err != nil {
			return &fs.PathError{Op: "write", Path: file, Err: err}
		}
	}
	return nil
}
